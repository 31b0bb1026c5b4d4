"""Whom a word means: an id of the catalog, a name, ``me``, or a mention of Slack's. Pure."""

import re

from bot.catalog import Catalog, Person
from bot.chat.blocks import cut
from bot.errors import BadInput
from bot.located import near

_MENTION = re.compile(r"<@([A-Z0-9]{2,30})(?:\|[^<>]*)?>")


def find_person(catalog: Catalog, word: str, asker: Person) -> Person:
    """Raises `BadInput` for nobody, with the nearest, and for more than one."""
    if mention := _MENTION.fullmatch(word.strip()):
        return _of_slack(catalog, mention[1], asker)
    plain = word.strip().removeprefix("@").lower()
    if plain == "me":
        return asker
    exact = [p for p in catalog.people if plain in (p.id.lower(), p.name.lower())]
    found = exact or [p for p in catalog.people if plain in p.name.lower().split()]
    if len(found) == 1:
        return found[0]
    if found:
        ids = ", ".join(p.id for p in found)
        raise BadInput(f"{cut(word, 40)!r} may be several people.", hint=f"Say which: {ids}.")
    known = [word for p in catalog.people for word in (p.id, p.name.lower())]
    raise BadInput(
        f"I do not know the person {cut(word, 40)!r}{near(plain, known) or '.'}",
        hint="They must be among the catalog's people.",
    )


def _of_slack(catalog: Catalog, user: str, asker: Person) -> Person:
    """A user of the workspaces that the asker is in; an id means nothing without its workspace."""
    for entry in asker.slack:
        if found := catalog.person_of_slack(entry.split(":")[0], user):
            return found
    raise BadInput(
        f"I do not know who <@{user}> is.",
        hint="Ask the platform team to add them to the catalog's people.",
    )

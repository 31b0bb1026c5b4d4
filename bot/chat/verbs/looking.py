"""``/incident this``, ``list`` and the like: what stands, for the one who asks; nothing changes."""

from collections.abc import Callable

from sqlalchemy.ext.asyncio import AsyncSession

from bot.catalog import Catalog, Person
from bot.chat.blocks import TEXT, cut, dated, escape, joined, section
from bot.chat.cards import Cards
from bot.chat.catchup import caught_up
from bot.chat.command import Command, Form, Handler, Reply, only, person_of, usage
from bot.chat.finding import Finder
from bot.errors import BadInput
from bot.incidents import SEVERITIES, Incident, Incidents
from bot.located import near

LOOK_FORMS = (
    Form("/incident this", "all of this incident, with its buttons", ("show", "overview"), anybody=True),
    Form("/incident catchup", "what you missed: what, since when, who, what was tried, what is next",
         ("catch-up", "summary"), anybody=True),
    Form("/incident list [all] [mine] [sev1…sev4] [SERVICE]",
         "the open incidents, or all; of a severity, of a service, or those you have a part in",
         ("ls",), anybody=True),
)  # fmt: skip
_Wanted = Callable[[Incident], bool]


class LookVerbs:
    """Their handlers, by verb."""

    def __init__(self, incidents: Incidents, public_url: str) -> None:
        self.incidents = incidents
        self.finder = Finder(incidents)
        self.cards = Cards(incidents.catalog, public_url)
        self.inside = Cards(incidents.catalog, "", inside=True)
        self.handlers: dict[str, Handler] = {
            "this": self._this, "list": self._list, "catchup": self._catchup,
        }  # fmt: skip

    def cards_of(self, command: Command) -> Cards:
        """In the console, what leads there is a link to another page of it."""
        return self.inside if command.surface == "console" else self.cards

    async def _this(self, session: AsyncSession, command: Command, words: list[str]) -> Reply:
        number, words = await self.finder.number(session, command, words)
        only(words, (), usage(LOOK_FORMS, "this"))
        incident = await self.incidents.get(session, number)
        drawn = await self.cards_of(command).overview(session, incident)
        drill = "DRILL " if incident.drill else ""
        text = f"{drill}#{number} {incident.severity}, {incident.standing}: {incident.title}"
        return Reply(text, drawn.blocks, incident_id=number)

    async def _catchup(self, session: AsyncSession, command: Command, words: list[str]) -> Reply:
        number, words = await self.finder.number(session, command, words)
        only(words, (), usage(LOOK_FORMS, "catchup"))
        incident = await self.incidents.get(session, number)
        return await caught_up(session, self.incidents.catalog(), incident)

    async def _list(self, session: AsyncSession, command: Command, words: list[str]) -> Reply:
        catalog, person = self.incidents.catalog(), person_of(command)
        everything = "all" in [word.lower() for word in words]
        wanted = [_filter(word, catalog, person) for word in words if word.lower() != "all"]
        seen = await self.finder.seen(session, command, everything=everything)
        found = [incident for incident in seen if all(fits(incident) for fits in wanted)]
        if not found and wanted:
            return Reply(f"No {'' if everything else 'open '}incident is like that.")
        if not found:
            return Reply("No incident is open." if not everything else "There was no incident yet.")
        lines = [
            f"*#{i.number}* {i.severity} · {i.standing} · {_marks(i)}{escape(i.title)} · "
            f"since {dated(i.declared_at)}"
            for i in found
        ]
        return Reply(f"{len(found)} incidents", [section(joined(lines, TEXT))])


def _filter(word: str, catalog: Catalog, person: Person) -> _Wanted:
    """What a word asks for. Raises `BadInput` for one that is none."""
    plain = word.lower()
    if plain == "mine":
        return lambda incident: has_part(incident, person)
    if (severity := plain.replace("-", "")) in SEVERITIES:
        return lambda incident: incident.severity == severity
    if service := next((s for s in catalog.services if plain in (s.id, s.title.lower())), None):
        return lambda incident: service.id in incident.services
    known = ["all", "mine", *SEVERITIES, *(service.id for service in catalog.services)]
    raise BadInput(
        f"I did not understand {cut(word, 40)!r}{near(plain, known) or '.'}",
        hint=usage(LOOK_FORMS, "list"),
    )


def has_part(incident: Incident, person: Person) -> bool:
    """Whether they have a role in it, or declared it, or were asked into it by name."""
    named = (*incident.holders.values(), *incident.people)
    return person.id in named or incident.declared_by == f"person:{person.id}"


def _marks(incident: Incident) -> str:
    return ("🔒 " if incident.private else "") + ("[drill] " if incident.drill else "")

"""Who is who: people appear as roles, never by name. Pure.

A postmortem asks how the system let this happen, so nobody's name is in it, not even inside a
note that somebody wrote.
"""

import re
from collections.abc import Sequence

from bot.catalog import Catalog, Person
from bot.timeline import Entry

_COMMANDER = "incident commander"
_SHORTEST_NAME = 2
_JOB_WORDS = frozenset({
    "the", "user", "demo", "test", "engineer", "operator", "admin", "team", "call", "responder",
    "commander", "approver", "bot", "lead", "oncall", "incident", "service", "database",
    "network", "support", "platform", "an", "as", "at", "be", "by", "de", "do", "he", "if", "in",
    "is", "it", "la", "le", "me", "my", "no", "of", "on", "or", "so", "to", "up", "us", "we", "van",
    "von", "may", "will",
})  # fmt: skip


class Cast:
    """The roles of one incident's people, by order of appearance."""

    def __init__(self, rows: Sequence[Entry], catalog: Catalog) -> None:
        self._roles = _roles(rows)
        self._names = _names(catalog, self._roles)
        words = sorted(self._names, key=len, reverse=True)
        parts = [rf"(?<![\w@.-]){re.escape(word)}(?![\w])" for word in words]
        parts.append(r"\bperson:[\w.-]*\w")
        self._pattern = re.compile("|".join(parts))

    def actor(self, actor: str) -> str:
        """An actor of the record as a role."""
        if actor.startswith("person:"):
            return self._roles.get(actor.removeprefix("person:"), "another responder")
        if actor.startswith("source:"):
            return f"alert source {actor.removeprefix('source:')}"
        return "Jackline" if actor == "jackline" else self.plain(actor)

    def plain(self, text: object) -> str:
        """The text with each known name replaced by a role in brackets."""
        return self._pattern.sub(self._replace, str(text))

    def _replace(self, match: re.Match[str]) -> str:
        found = match.group(0)
        role = self._names.get(found) or self._roles.get(found.removeprefix("person:"))
        return f"[{role or 'another responder'}]"


def _roles(rows: Sequence[Entry]) -> dict[str, str]:
    commanders = [row.actor for row in rows if row.kind == "commander_assigned"]
    roles: dict[str, str] = {}
    responders = 0
    for actor in dict.fromkeys(row.actor for row in rows if row.actor.startswith("person:")):
        person = actor.removeprefix("person:")
        if actor in commanders:
            place = list(dict.fromkeys(commanders)).index(actor) + 1
            roles[person] = _COMMANDER if place == 1 else f"{_COMMANDER} {place}"
        else:
            responders += 1
            roles[person] = f"responder {responders}"
    return roles


def _names(catalog: Catalog, roles: dict[str, str]) -> dict[str, str]:
    names: dict[str, str] = {}
    for person in catalog.people:
        role = roles.get(person.id, "another responder")
        for word in _words(person):
            names.setdefault(word, role)
    return names


def _words(person: Person) -> list[str]:
    """All that people call somebody: full name first, then what is unmistakably theirs."""
    users = [entry.split(":")[1] for entry in person.slack]
    handles = [f"<@{user}>" for user in users] + users + [f"@{person.id}", person.email]
    parts = [p for p in re.split(r"[\s,]+", person.name) if _is_name(p)]
    return [word for word in (person.name, *handles, *parts) if word.strip()]


def _is_name(word: str) -> bool:
    """Whether a part of a name stands for the person by itself (job titles and small words do not)."""
    return len(word) >= _SHORTEST_NAME and word[0].isupper() and word.lower() not in _JOB_WORDS

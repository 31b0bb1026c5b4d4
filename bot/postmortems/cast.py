"""Who is who: people appear as roles, never by name, and what must not leave is cut out. Pure.

A postmortem asks how the system let this happen, so nobody's name is in it, not even inside a
note that somebody wrote.
"""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from bot.catalog import Catalog, Person
from bot.incidents.roles import ROLES
from bot.postmortems.redact import Redactor
from bot.timeline import Entry

_COMMANDER = "incident commander"
_SHORTEST_NAME = 2
_KEPT = 20_000  # texts: a storm says the same again and again
_JOB_WORDS = frozenset({
    "the", "user", "demo", "test", "engineer", "operator", "admin", "team", "call", "responder",
    "commander", "approver", "bot", "lead", "oncall", "incident", "service", "database",
    "network", "support", "platform", "an", "as", "at", "be", "by", "de", "do", "he", "if", "in",
    "is", "it", "la", "le", "me", "my", "no", "of", "on", "or", "so", "to", "up", "us", "we", "van",
    "von", "may", "will",
})  # fmt: skip
_WORD = re.compile(r"\w+")
_PERSON = re.compile(r"\bperson:[\w.-]*\w")


class Cast:
    """The roles of one incident's people, by order of appearance."""

    def __init__(self, rows: Sequence[Entry], catalog: Catalog) -> None:
        self._roles = _roles(rows)
        self._names = _names(catalog, self._roles)
        self._starts = _starts(self._names)
        self._lower = {name.lower(): role for name, role in self._names.items()}
        self._redactor = Redactor(catalog.redactions)
        self._plain = lru_cache(_KEPT)(self._made_plain)

    def actor(self, actor: str) -> str:
        """An actor of the record as a role."""
        if actor.startswith("person:"):
            return self._roles.get(actor.removeprefix("person:"), "another responder")
        if actor.startswith("source:"):
            return f"alert source {self.plain(actor.removeprefix('source:'))}"
        return "Jackline" if actor == "jackline" else self.plain(actor)

    def plain(self, text: object) -> str:
        """The text with each known name replaced by a role in brackets, and without secrets."""
        return self._plain(str(text))

    def _made_plain(self, text: str) -> str:
        """Names are looked for only where a word of the text begins one: there may be thousands."""
        found = frozenset(_WORD.findall(text.lower())) & self._starts.keys()
        if found:
            text = self._pattern(found).sub(self._replace, text)
        if "person:" in text:
            text = _PERSON.sub(self._replace, text)
        return self._redactor.clean(text)

    def _pattern(self, starts: frozenset[str]) -> re.Pattern[str]:
        words = {word for start in starts for word in self._starts[start]}
        # A full name in whatever case; a part of one only as it is written: "mark" is no Mark.
        parts = [
            rf"(?i:{re.escape(word)})" if " " in word or "@" in word else re.escape(word)
            for word in sorted(words, key=lambda word: (-len(word), word))
        ]
        return re.compile(rf"(?<![\w@.-])(?:{'|'.join(parts)})(?!\w)")

    def _replace(self, match: re.Match[str]) -> str:
        found = match.group(0)
        role = self._names.get(found) or self._roles.get(found.removeprefix("person:"))
        return f"[{role or self._lower.get(found.lower()) or 'another responder'}]"


def _roles(rows: Sequence[Entry]) -> dict[str, str]:
    commanders = list(dict.fromkeys(r.actor for r in rows if r.kind == "commander_assigned"))
    given = {
        f"person:{row.data.get('person')}": ROLES.get(str(row.data.get("role")), "")
        for row in rows
        if row.kind == "role_assigned" and row.data.get("person")
    }
    roles: dict[str, str] = {}
    counts: dict[str, int] = {}
    acting = [row.actor for row in rows if row.actor.startswith("person:")]
    for actor in dict.fromkeys([*acting, *given]):
        name = _COMMANDER if actor in commanders else given.get(actor) or "responder"
        counts[name] = counts.get(name, 0) + 1
        many = name == "responder" or counts[name] > 1
        roles[actor.removeprefix("person:")] = f"{name} {counts[name]}" if many else name
    return roles


def _names(catalog: Catalog, roles: dict[str, str]) -> dict[str, str]:
    names: dict[str, str] = {}
    for person in catalog.people:
        role = roles.get(person.id, "another responder")
        for word in words_of(person):
            names.setdefault(word, role)
    return names


def _starts(names: Iterable[str]) -> dict[str, list[str]]:
    """First word, in lower case → the names that begin with it, as they are written."""
    found: dict[str, list[str]] = {}
    for name in names:
        if first := _WORD.search(name):
            found.setdefault(first.group(0).lower(), []).append(name)
    return found


def words_of(person: Person) -> list[str]:
    """All that people call somebody: full name first, then what is unmistakably theirs."""
    users = [entry.split(":")[1] for entry in person.slack]
    reached = [reach.to for reach in person.reach]
    handles = [f"<@{user}>" for user in users] + users + [f"@{person.id}", person.email, *reached]
    parts = [p for p in re.split(r"[\s,]+", person.name) if _is_name(p)]
    return [word for word in (person.name, *handles, *parts) if word.strip()]


def _is_name(word: str) -> bool:
    """Whether a part of a name stands for the person by itself (job titles and small words do not)."""
    return len(word) >= _SHORTEST_NAME and word[0].isupper() and word.lower() not in _JOB_WORDS

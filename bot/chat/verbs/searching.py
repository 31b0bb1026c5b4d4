"""``/incident search`` and ``similar``: past incidents by words and by likeness, for the one who asks."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from bot.chat.blocks import TEXT, escape, joined, section
from bot.chat.command import Command, Form, Handler, Reply, only, person_of, usage
from bot.chat.finding import Finder
from bot.incidents import Incident, Incidents
from bot.incidents.seeing import unknown
from bot.incidents.similar import Past, Similar
from bot.postmortems.learning import patterns_of
from bot.postmortems.search import Found, Search

_SHOWN = 10
_ALIKE = 5
SEARCH_FORMS = (
    Form("/incident search WORDS", 'incidents with all of these words in title, timeline or postmortem; '
         '"in quotation marks" side by side', ("find",), anybody=True),
    Form("/incident similar", "past incidents that were like this one: why, and what ended them",
         ("like",), anybody=True),
)  # fmt: skip


class SearchVerbs:
    """Their handlers."""

    def __init__(self, incidents: Incidents, public_url: str) -> None:
        self.search = Search(incidents.catalog)
        self.similar = Similar(incidents.catalog, patterns_of)
        self.finder = Finder(incidents)
        self.public_url = public_url.rstrip("/")
        self.handlers: dict[str, Handler] = {"search": self._search, "similar": self._similar}

    async def _search(self, session: AsyncSession, command: Command, words: list[str]) -> Reply:
        typed = " ".join(f'"{word}"' if " " in word else word for word in words)
        found = await self.search.find(session, typed, person_of(command), shown=_SHOWN)
        if not found:
            return Reply("No incident that you may see has these words.")
        base = self._base(command)
        lines = [line for each in found for line in _lines(each, base)]
        return Reply(f"{_counted(found)} found", [section(joined(lines, TEXT))])

    async def _similar(self, session: AsyncSession, command: Command, words: list[str]) -> Reply:
        number, words = await self.finder.number(session, command, words)
        only(words, (), usage(SEARCH_FORMS, "similar"))
        if await session.get(Incident, number) is None:
            raise unknown(number)
        person = person_of(command)
        found = await self.similar.find(session, number, person=person, shown=_ALIKE)
        if not found:
            return Reply(f"No past incident is enough like #{number} to be named.", incident_id=number)  # fmt: skip
        base = self._base(command)
        lines = [line for each in found for line in _past(each, base)]
        text = f"{_counted(found)} like #{number}"
        return Reply(text, [section(joined(lines, TEXT))], incident_id=number)

    def _base(self, command: Command) -> str | None:
        """Where links begin; None where there are none."""
        return "" if command.surface == "console" else self.public_url or None


def _counted(found: Sequence[object]) -> str:
    return "1 incident" if len(found) == 1 else f"{len(found)} incidents"


def _lines(found: Found, base: str | None) -> list[str]:
    name = _name(found.number, base)
    drill = "[drill] " if found.drill else ""
    head = f"*{name}* {found.severity} · {found.status} · {found.declared_at:%Y-%m-%d} · {drill}{escape(found.title)}"  # fmt: skip
    places = [
        f"    {f'row {hit.seq}' if hit.seq else hit.where}: {escape(hit.text)}"
        for hit in found.hits
        if hit.where != "title"
    ]
    return [head, *places]


def _past(past: Past, base: str | None) -> list[str]:
    name = _name(past.number, base)
    marks = ("🔒 " if past.private else "") + ("[drill] " if past.drill else "")
    head = f"*{name}* {past.severity} · {past.declared_at:%Y-%m-%d} · {marks}{escape(past.title)}"
    paper = ""
    if past.paper:
        paper = " · postmortem"
        if base is not None:
            paper = f" · <{base}/incidents/{past.number}/postmortem.html|postmortem>"
    return [
        head,
        f"    {escape('; '.join(past.because))}",
        f"    then: {escape(past.ended)}{paper}",
    ]


def _name(number: int, base: str | None) -> str:
    return f"#{number}" if base is None else f"<{base}/incidents/{number}|#{number}>"

"""``/incident search``: past incidents by the words in them, for the one who asks."""

from sqlalchemy.ext.asyncio import AsyncSession

from bot.chat.blocks import TEXT, escape, joined, section
from bot.chat.command import Command, Form, Handler, Reply, person_of
from bot.incidents import Incidents
from bot.postmortems.search import Found, Search

_SHOWN = 10
SEARCH_FORMS = (
    Form("/incident search WORDS", 'incidents with all of these words in title, timeline or postmortem; '
         '"in quotation marks" side by side', ("find",), anybody=True),
)  # fmt: skip


class SearchVerbs:
    """Its handler."""

    def __init__(self, incidents: Incidents, public_url: str) -> None:
        self.search = Search(incidents.catalog)
        self.public_url = public_url.rstrip("/")
        self.handlers: dict[str, Handler] = {"search": self._search}

    async def _search(self, session: AsyncSession, command: Command, words: list[str]) -> Reply:
        typed = " ".join(f'"{word}"' if " " in word else word for word in words)
        found = await self.search.find(session, typed, person_of(command), shown=_SHOWN)
        if not found:
            return Reply("No incident that you may see has these words.")
        base = "" if command.surface == "console" else self.public_url
        linked = command.surface == "console" or bool(base)
        lines = [line for each in found for line in _lines(each, base if linked else None)]
        count = "1 incident" if len(found) == 1 else f"{len(found)} incidents"
        return Reply(f"{count} found", [section(joined(lines, TEXT))])


def _lines(found: Found, base: str | None) -> list[str]:
    name = f"#{found.number}"
    if base is not None:
        name = f"<{base}/incidents/{found.number}|{name}>"
    drill = "[drill] " if found.drill else ""
    head = f"*{name}* {found.severity} · {found.status} · {found.declared_at:%Y-%m-%d} · {drill}{escape(found.title)}"  # fmt: skip
    places = [
        f"    {f'row {hit.seq}' if hit.seq else hit.where}: {escape(hit.text)}"
        for hit in found.hits
        if hit.where != "title"
    ]
    return [head, *places]

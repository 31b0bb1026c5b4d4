"""``/incident export``: an incident as files."""

from sqlalchemy.ext.asyncio import AsyncSession

from bot.chat.blocks import section
from bot.chat.command import Command, Form, Handler, Reply, actor_of, only, usage
from bot.chat.export import KINDS, bring
from bot.chat.finding import Finder
from bot.errors import BadInput
from bot.incidents import Incidents
from bot.postmortems import Postmortem

PAPER_FORMS = (
    Form("/incident export", "the timeline and the postmortem as files: Markdown, JSON and CSV",
         ("download",)),
)  # fmt: skip


class PaperVerbs:
    """Their handlers, by verb."""

    def __init__(self, incidents: Incidents, public_url: str) -> None:
        self.incidents = incidents
        self.public_url = public_url.rstrip("/")
        self.finder = Finder(incidents)
        self.handlers: dict[str, Handler] = {"export": self._export}

    async def _export(self, session: AsyncSession, command: Command, words: list[str]) -> Reply:
        incident, words = await self.finder.which(session, command, words)
        only(words, (), usage(PAPER_FORMS, "export"))
        number = incident.number
        if command.surface != "console" and command.incident_id == number:
            kinds = await bring(session, self.incidents, incident, actor_of(command), command.key)
            text = f"The files of #{number} come into this channel: {', '.join(kinds)}."
            return Reply(text, incident_id=number)
        paper = await session.get(Postmortem, number)
        links = self._links(command, number, [f"export.{kind}" for kind in KINDS])
        links += self._links(command, number, ["postmortem.md", "postmortem.html"]) if paper else []
        text = f"Files of #{number}"
        return Reply(text, [section(f"*{text}*: {' · '.join(links)}")], incident_id=number)

    def _links(self, command: Command, number: int, names: list[str]) -> list[str]:
        """Pages of the console. Raises `BadInput` where nobody knows its address."""
        inside = command.surface == "console"
        if not inside and not self.public_url:
            raise BadInput(
                "Files come into the incident's own channel.", hint="Type /incident export there."
            )
        base = "" if inside else self.public_url
        return [f"<{base}/incidents/{number}/{name}|{name}>" for name in names]

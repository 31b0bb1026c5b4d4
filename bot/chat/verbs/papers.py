"""``/incident export`` and ``/incident postmortem``: an incident as files, and where its paper is."""

from sqlalchemy.ext.asyncio import AsyncSession

from bot.chat.blocks import section
from bot.chat.command import Command, Form, Handler, Reply, actor_of, only, usage
from bot.chat.export import KINDS, bring
from bot.chat.finding import Finder
from bot.errors import BadInput
from bot.incidents import ACTIVE, Incident, Incidents
from bot.postmortems import Postmortem

PAPER_FORMS = (
    Form("/incident export", "the timeline and the postmortem as files: Markdown, JSON and CSV",
         ("download",)),
    Form("/incident postmortem", "where the postmortem is, and how far", ("pm",), anybody=True),
)  # fmt: skip


class PaperVerbs:
    """Their handlers, by verb."""

    def __init__(self, incidents: Incidents, public_url: str) -> None:
        self.incidents = incidents
        self.public_url = public_url.rstrip("/")
        self.finder = Finder(incidents)
        self.handlers: dict[str, Handler] = {
            "export": self._export, "postmortem": self._postmortem,
        }  # fmt: skip

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

    async def _postmortem(self, session: AsyncSession, command: Command, words: list[str]) -> Reply:
        incident, words = await self.finder.which(session, command, words)
        only(words, (), usage(PAPER_FORMS, "postmortem"))
        number = incident.number
        paper = await session.get(Postmortem, number)
        if paper is None:
            return Reply(_none_yet(incident), incident_id=number)
        text = (
            f"The postmortem of #{number} is a {paper.state}, drawn from {paper.drawn_from} rows "
            "of the timeline."
        )
        pages = self._links(command, number, ["postmortem.html", "postmortem.md"], hint=False)
        more = " · ".join(pages) or "`/incident export` brings it as a file."
        return Reply(text, [section(f"{text} {more}")], incident_id=number)

    def _links(
        self, command: Command, number: int, names: list[str], *, hint: bool = True
    ) -> list[str]:
        """Pages of the console. Raises `BadInput` where nobody knows its address."""
        inside = command.surface == "console"
        if not inside and not self.public_url:
            if not hint:
                return []
            raise BadInput(
                "Files come into the incident's own channel.", hint="Type /incident export there."
            )
        base = "" if inside else self.public_url
        return [f"<{base}/incidents/{number}/{name}|{name}>" for name in names]


def _none_yet(incident: Incident) -> str:
    if incident.status in ACTIVE:
        return f"The postmortem of #{incident.number} is drafted when it is resolved."
    if incident.status == "cancelled":
        return f"#{incident.number} is cancelled: it has no postmortem."
    return f"The postmortem of #{incident.number} is being drafted."

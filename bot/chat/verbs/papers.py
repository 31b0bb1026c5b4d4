"""``/incident export``: an incident as files."""

from sqlalchemy.ext.asyncio import AsyncSession

from bot.chat.blocks import section
from bot.chat.command import Command, Form, Handler, Reply, actor_of, only, usage
from bot.chat.export import KINDS, bring
from bot.chat.finding import Finder
from bot.chat.verbs.postmortem import none_yet
from bot.errors import BadInput, NotFound
from bot.incidents import Incident, Incidents
from bot.postmortems import Postmortem, require_final
from bot.postmortems.exports import FORMS, require_form

_READ = ("md", "html", "pdf", "docx")  # what people read

PAPER_FORMS = (
    Form("/incident export [pdf|docx|html|md|json|csv] [customers]",
         "the timeline and the postmortem as files; with a word the postmortem in that form, for "
         "`customers` its short version once it is final", ("download",)),
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
        asked = _asked(words)
        number = incident.number
        paper = await session.get(Postmortem, number)
        if asked:
            await self._look(paper, incident, asked)
        if command.surface != "console" and command.incident_id == number:
            kinds = await bring(
                session, self.incidents, incident, actor_of(command), command.key, asked
            )
            text = f"The files of #{number} come into this channel: {', '.join(kinds)}."
            return Reply(text, incident_id=number)
        names = [f"export.{kind}" for kind in KINDS]
        names += [f"postmortem.{form}" for form in _READ] if paper else []
        links = self._links(command, number, [asked] if asked else names)
        text = f"Files of #{number}"
        return Reply(text, [section(f"*{text}*: {' · '.join(links)}")], incident_id=number)

    async def _look(self, paper: Postmortem | None, incident: Incident, asked: str) -> None:
        """Said here rather than by a file that never comes."""
        if paper is None:
            raise NotFound(none_yet(incident))
        if asked.startswith("customers."):
            require_final(incident.number, paper.state)

    def _links(self, command: Command, number: int, names: list[str]) -> list[str]:
        """Pages of the console. Raises `BadInput` where nobody knows its address."""
        inside = command.surface == "console"
        if not inside and not self.public_url:
            raise BadInput(
                "Files come into the incident's own channel.", hint="Type /incident export there."
            )
        base = "" if inside else self.public_url
        return [f"<{base}/incidents/{number}/{name}|{name}>" for name in names]


def _asked(words: list[str]) -> str:
    """``postmortem.pdf``, ``customers.md``; "" where nothing was said. Raises `BadInput`."""
    outside = "customers" in words
    forms = [word for word in words if word != "customers"]
    form = only(forms, tuple(FORMS), usage(PAPER_FORMS, "export"))
    if not outside:
        return f"postmortem.{form}" if form else ""
    require_form(form or "pdf", customers=True)
    return f"customers.{form or 'pdf'}"

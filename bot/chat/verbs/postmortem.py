"""``/incident postmortem``: where it is, how far, and the steps from draft to final; and its buttons."""

from sqlalchemy.ext.asyncio import AsyncSession

from bot.catalog import Person
from bot.chat.click import Click
from bot.chat.command import Command, Form, Handler, Reply, person_of, usage
from bot.chat.finding import Finder
from bot.chat.paper_card import paper_text
from bot.chat.paper_shown import shown_paper
from bot.chat.persons import find_person
from bot.errors import BadInput
from bot.incidents import ACTIVE, Incident, Incidents
from bot.incidents.times import parse_time
from bot.located import near
from bot.postmortems import Postmortem
from bot.postmortems.editing.papers import Papers
from bot.postmortems.editing.publishing import Publishing
from bot.postmortems.editing.reviews import Reviews
from bot.postmortems.editing.states import DRAFT, FINAL
from bot.store import now

STEPS = (
    "review", "approve", "final", "draft", "regenerate", "owner", "facilitator", "meeting", "publish",
)  # fmt: skip
POSTMORTEM_FORMS = (
    Form("/incident postmortem [STEP] [PERSON|PLACE …]",
         "where the postmortem is, and how far; `review @who` asks for reviews, `approve`, `final`, "
         "`draft` and `regenerate` move it on, `owner @who`, `facilitator @who` and `meeting TIME` "
         "say who and when, `publish PLACE` puts a final one where it belongs", ("pm",), anybody=True),
)  # fmt: skip


class PostmortemVerbs:
    """The command's handler, and `click` for the buttons."""

    def __init__(self, incidents: Incidents, public_url: str = "") -> None:
        self.incidents = incidents
        self.public_url = public_url.rstrip("/")
        self.finder = Finder(incidents)
        self.papers = Papers(incidents)
        self.reviews = Reviews(self.papers)
        self.publishing = Publishing(self.papers)
        self.handlers: dict[str, Handler] = {"postmortem": self._postmortem}

    async def _postmortem(self, session: AsyncSession, command: Command, words: list[str]) -> Reply:
        incident, words = await self.finder.which(session, command, words)
        if words and words[0].lower() not in STEPS:
            raise BadInput(
                f"I did not understand {' '.join(words)[:60]!r}{near(words[0].lower(), STEPS) or '.'}",
                hint=usage(POSTMORTEM_FORMS, "postmortem"),
            )
        if await session.get(Postmortem, incident.number) is None:
            return Reply(none_yet(incident), incident_id=incident.number)
        if words:
            await self._step(session, incident, words[0].lower(), words[1:], person_of(command))
        return await self._shown(session, incident, command.surface)

    async def click(self, session: AsyncSession, click: Click) -> Reply:
        """The incident may be seen by the person. A second click changes nothing more."""
        incident, by = await self.incidents.get(session, click.number), click.person
        paper = await self.papers.paper(session, incident.number)
        match click.action_id:
            case "paper_approve":
                version = int(click.rest) if click.rest.isdecimal() else 0
                await self.reviews.approve(session, incident, by, version=version)
            case "paper_redraw":
                await self.papers.redraw(session, incident, by)
                return Reply("The postmortem is being drawn anew.", incident_id=incident.number)
            case "paper_publish":
                await self.publishing.ask(session, incident, click.rest, by)
            case _:
                wanted = FINAL if click.action_id == "paper_final" else DRAFT
                if paper.state != wanted:
                    await self.reviews.move(session, incident, wanted, by)
        return await self._shown(session, incident, click.surface)

    async def _step(
        self, session: AsyncSession, incident: Incident, step: str, words: list[str], by: Person
    ) -> None:
        """Raises `BadInput` for words that do not belong there."""
        catalog, reviews = self.incidents.catalog(), self.reviews
        if step == "meeting":
            await reviews.meet(session, incident, parse_time(" ".join(words), now(), by.timezone), by)  # fmt: skip
            return
        if step == "publish":
            if len(words) > 1:
                raise BadInput("Publish at one place at a time.")
            await self.publishing.ask(session, incident, "".join(words), by)
            return
        people = [find_person(catalog, word, by) for word in words]
        least, most = {"review": (1, 20), "owner": (1, 1), "facilitator": (1, 1)}.get(step, (0, 0))
        if not least <= len(people) <= most:
            said = "Say who." if least else f"{step.capitalize()} takes no names."
            raise BadInput(said, hint=f"For example: /incident postmortem {step}{' @ben' * least}")
        match step:
            case "review":
                await reviews.ask(session, incident, people, by)
            case "owner" | "facilitator":
                await reviews.name(session, incident, step, people[0], by)
            case "approve":
                await reviews.approve(session, incident, by)
            case "regenerate":
                await self.papers.redraw(session, incident, by)
            case _:
                await reviews.move(session, incident, step, by)

    async def _shown(self, session: AsyncSession, incident: Incident, surface: str) -> Reply:
        paper = await self.papers.paper(session, incident.number)
        base = "" if surface == "console" else self.public_url or None
        blocks = await shown_paper(session, self.incidents.catalog(), incident, paper, base)
        return Reply(paper_text(paper), blocks, incident_id=incident.number)


def none_yet(incident: Incident) -> str:
    if incident.status in ACTIVE:
        return f"The postmortem of #{incident.number} is drafted when it is resolved."
    if incident.status == "cancelled":
        return f"#{incident.number} is cancelled: it has no postmortem."
    return f"The postmortem of #{incident.number} is being drafted."

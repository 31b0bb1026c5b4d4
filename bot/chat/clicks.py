"""What a person clicks, on any surface. Roles are checked at the click, in the domain call."""

import re
from collections.abc import Awaitable, Callable

from sqlalchemy.ext.asyncio import AsyncSession

from bot.alerts import Question, Questions
from bot.alerts.questions import about, may_answer
from bot.catalog import Person
from bot.chat.blocks import cut
from bot.chat.click import Click
from bot.chat.clock_card import CLOCK_CLICKS
from bot.chat.command import Reply
from bot.chat.ends import Ends
from bot.chat.export import bring
from bot.chat.life_clicks import LIFE_CLICKS, LifeClicks
from bot.chat.page_card import PAGE_CLICKS
from bot.chat.paper_card import PAPER_CLICKS
from bot.chat.question_card import QUESTION_CLICKS
from bot.chat.regroup import REGROUP_CLICKS, Regroup, may_regroup
from bot.chat.regroup_words import named
from bot.chat.reminder_card import REMINDER_CLICKS
from bot.chat.update_card import UPDATE_CLICKS
from bot.chat.verbs.clocks import ClockVerbs
from bot.chat.verbs.postmortem import PostmortemVerbs
from bot.chat.verbs.reminders import ReminderVerbs
from bot.chat.verbs.updates import UpdateClicks
from bot.errors import BadInput, Conflict, NotAllowed, NotFound
from bot.incidents import ACTIVE, Incident, Incidents
from bot.incidents.due_tables import Update
from bot.incidents.seeing import may_see, require_seen
from bot.paging.flow import Paging
from bot.paging.tables import Page
from bot.runbooks import Decision, Decisions, Run, Runs
from bot.runbooks.roles import must_respond

_STATUSES = {
    "incident_monitoring": "monitoring", "incident_resolve": "resolved",
    "incident_reopen": "investigating",
}  # fmt: skip
INCIDENT_CLICKS = ("incident_lead", *_STATUSES, "incident_resolve_export", "incident_close")
RUN_CLICKS = (
    "run_request", "run_approve", "run_refuse", "run_abort", "run_undo", "run_happened",
    "run_not_happened", "run_pause", "run_resume",
)  # fmt: skip
STEP_CLICKS = (
    "step_confirm", "step_cannot", "step_approve", "step_refuse", "step_retry", "step_skip",
    "step_undo", "step_stop",
)  # fmt: skip
_DECISIONS: dict[str, Decision] = {
    "step_retry": "retry", "step_skip": "skip", "step_undo": "undo", "step_stop": "stop",
}  # fmt: skip
_NUMBERED = (*INCIDENT_CLICKS, *QUESTION_CLICKS, *PAGE_CLICKS)  # their value is a number alone
_ID = re.compile(r"[0-9]{1,9}")


_Handler = Callable[[AsyncSession, Click], Awaitable[Reply]]


class Clicks:
    """`handle` is the one door for clicks of every surface."""

    def __init__(self, incidents: Incidents, runs: Runs, public_url: str = "") -> None:
        self.incidents = incidents
        self.runs = runs
        self.regroup = Regroup(incidents, runs)
        self.life = LifeClicks(incidents)
        self.ends = Ends(incidents, runs)
        self.decisions = Decisions(runs)
        self.questions = Questions(incidents)
        self.paging = Paging(incidents)
        self.updates = UpdateClicks(incidents)
        self.reminders = ReminderVerbs(incidents)
        self.clocks = ClockVerbs(incidents)
        self.postmortems = PostmortemVerbs(incidents, public_url)
        self.handlers: dict[str, _Handler] = {
            **dict.fromkeys(QUESTION_CLICKS, self._on_question),
            **dict.fromkeys(PAGE_CLICKS, self._on_page),
            **dict.fromkeys(INCIDENT_CLICKS, self._on_incident),
            **dict.fromkeys(LIFE_CLICKS, self._on_life),
            **dict.fromkeys(REGROUP_CLICKS, self._on_regroup),
            **dict.fromkeys(RUN_CLICKS, self._on_run),
            **dict.fromkeys(STEP_CLICKS, self._on_step),
            **dict.fromkeys(UPDATE_CLICKS, self._on_update),
            **dict.fromkeys(REMINDER_CLICKS, self._on_reminder),
            **dict.fromkeys(CLOCK_CLICKS, self._on_clock),
            **dict.fromkeys(PAPER_CLICKS, self._on_paper),
        }

    async def handle(
        self,
        session: AsyncSession,
        action_id: str,
        value: str,
        person: Person | None,
        surface: str,
        at: int | None = None,
    ) -> Reply:
        """Does what the button says; a second click of the same button changes nothing more."""
        if person is None:
            raise NotAllowed(
                "I do not know you, so this button does nothing for you.",
                hint="Ask the platform team to add you to the catalog's people.",
            )
        handler = self.handlers.get(action_id)
        number = value if action_id in _NUMBERED else value.partition("|")[0]
        if handler is None or not _ID.fullmatch(number):
            raise BadInput(f"I do not know the button {cut(action_id, 40)!r}.")
        return await handler(session, Click(action_id, value, person, surface, at))

    async def _on_update(self, session: AsyncSession, click: Click) -> Reply:
        of = Update if click.action_id == "update_send" else Incident
        await self._admit(session, of, click)
        return await self.updates.handle(session, click)

    async def _on_reminder(self, session: AsyncSession, click: Click) -> Reply:
        await self._admit(session, Incident, click)
        return await self.reminders.click(session, click)

    async def _on_clock(self, session: AsyncSession, click: Click) -> Reply:
        await self._admit(session, Incident, click)
        return await self.clocks.click(session, click)

    async def _on_paper(self, session: AsyncSession, click: Click) -> Reply:
        await self._admit(session, Incident, click)
        return await self.postmortems.click(session, click)

    async def _on_life(self, session: AsyncSession, click: Click) -> Reply:
        await self._admit(session, Incident, click)
        return await self.life.do(session, click.action_id, click.value, click.person)

    async def _on_regroup(self, session: AsyncSession, click: Click) -> Reply:
        may_regroup(click.person)
        for number in named(click.action_id, click.value):
            await self._admit(session, Incident, click, number)
        text, number = await self.regroup.do(
            session, click.action_id, click.value, f"person:{click.person.id}"
        )
        return Reply(text, incident_id=number)

    async def _admit(
        self,
        session: AsyncSession,
        of: type[Incident | Run | Page | Update],
        click: Click,
        number: int | None = None,
    ) -> None:
        """Raises `NotFound` at what is private, but who is in its channel has seen it.

        Raises `NotAllowed` to who has no role; that they have it, who was paged may say all the same.
        """
        number = click.number if number is None else number
        found: Incident | Run | Page | Update | None = await session.get(of, number)
        if isinstance(found, Run | Page | Update):
            found = await session.get(Incident, found.incident_id)
        if isinstance(found, Incident) and found.number != click.at:
            require_seen(self.incidents.catalog(), found, click.person)
        if of is not Page:
            must_respond(click.person)

    async def _on_question(self, session: AsyncSession, click: Click) -> Reply:
        number, person = click.number, click.person
        may_answer(person)
        question = await session.get(Question, number)
        if question is None or not may_see(self.incidents.catalog(), about(question), person):
            raise NotFound(f"There is no question {number}.")
        actor = f"person:{person.id}"
        if click.action_id == "question_declare":
            incident = await self.questions.declare(session, number, actor)
            return Reply(f"#{incident.number} is declared.", incident_id=incident.number)
        question = await self.questions.refuse(session, number, actor)
        return Reply(f"Noted: {self.questions.words(question)}")

    async def _on_page(self, session: AsyncSession, click: Click) -> Reply:
        number, person = click.number, click.person
        await self._admit(session, Page, click)
        await self.paging.may_acknowledge(session, number, person)
        page = await self.paging.acknowledge(session, number, f"person:{person.id}")
        mine = page.acknowledged_by == f"person:{person.id}"
        return Reply("You have it." if mine else "Somebody else has it already.")

    async def _on_incident(self, session: AsyncSession, click: Click) -> Reply:
        action_id, incident_id, person = click.action_id, click.number, click.person
        await self._admit(session, Incident, click)
        if action_id == "incident_reopen":  # in the order in which all who route take their locks
            await self.incidents.one_at_a_time(session)
        incident = await self.incidents.get(session, incident_id)
        if action_id == "incident_lead":
            await self.incidents.take_command(session, incident, person.id)
            return Reply("You are the incident commander.")
        if action_id == "incident_close":
            return Reply(await self._close(session, incident, person))
        if action_id == "incident_resolve_export":
            return await self._resolve_export(session, incident, click)
        status = _STATUSES[action_id]
        if action_id == "incident_reopen" and incident.status in ACTIVE:
            return Reply(f"The incident is open: {incident.status}.")
        if status == "resolved":
            await self.runs.require_ended(session, incident_id)
        if incident.status != status:
            await self.incidents.set_status(session, incident, status, f"person:{person.id}")
        return Reply(f"The incident is {status}.")

    async def _resolve_export(
        self, session: AsyncSession, incident: Incident, click: Click
    ) -> Reply:
        """The files come into the channel, once for each time that it is resolved.

        The console sends its browser to them instead: there they are read, not told to others.
        """
        if incident.status in ACTIVE:
            await self.runs.require_ended(session, incident.number)
            await self.incidents.set_status(session, incident, "resolved", click.actor)
        if incident.resolved_at is None:
            raise Conflict(f"The incident is {incident.standing}.", hint="/incident export")
        text, number = f"The incident is {incident.standing}.", incident.number
        if click.surface != "console":
            key = f"resolved-{incident.resolved_at.timestamp():.0f}"
            await bring(session, self.incidents, incident, click.actor, key)
            text = f"{text} Its files come into the channel."
        return Reply(text, incident_id=number)

    async def _close(self, session: AsyncSession, incident: Incident, person: Person) -> str:
        """The button stands on what is resolved alone."""
        if incident.status == "closed":
            return "The incident is closed."
        if incident.status != "resolved":
            raise Conflict(f"The incident is {incident.standing}.", hint="Resolve it first.")
        return await self.ends.close(session, incident, person, "")

    async def _on_run(self, session: AsyncSession, click: Click) -> Reply:
        run_id, person = click.number, click.person
        await self._admit(session, Run, click)
        match click.action_id:
            case "run_request":
                run = await self.runs.request(session, run_id, person)
            case "run_approve":
                run = await self.runs.approve(session, run_id, person, click.rest, click.surface)
            case "run_refuse":
                run = await self.runs.refuse(session, run_id, person, "")
            case "run_pause":
                run = await self.runs.pause(session, run_id, person)
            case "run_resume":
                run = await self.runs.resume(session, run_id, person)
            case "run_abort":
                run = await self.runs.abort(session, run_id, person)
            case "run_undo":
                run = await self.runs.undo(session, run_id, person)
            case _:
                happened = click.action_id == "run_happened"
                run = await self.decisions.settle(
                    session, run_id, person, happened=happened, step=click.rest
                )
        return Reply(f"{run.title}: {run.state}.")

    async def _on_step(self, session: AsyncSession, click: Click) -> Reply:
        """A step that waits for a person; a second click finds that it does no longer."""
        action_id, run_id, step, person = click.action_id, click.number, click.rest, click.person
        await self._admit(session, Run, click)
        decisions = self.decisions
        match action_id:
            case "step_confirm" | "step_cannot":
                done = action_id == "step_confirm"
                await decisions.confirm(session, run_id, step, person, done=done)
            case "step_approve":
                await decisions.approve_step(session, run_id, step, person, click.surface)
            case "step_refuse":
                await decisions.refuse_step(session, run_id, step, person)
            case "step_retry" | "step_skip" | "step_undo" | "step_stop":
                await decisions.decide(session, run_id, step, person, _DECISIONS[action_id])
        return Reply(f"{step}: noted.")

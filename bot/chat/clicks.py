"""What a person clicks, on any surface. Roles are checked at the click, in the domain call."""

import re

from sqlalchemy.ext.asyncio import AsyncSession

from bot.alerts import Question, Questions
from bot.alerts.questions import about, may_answer
from bot.catalog import Person
from bot.chat.blocks import cut
from bot.chat.command import Reply
from bot.chat.question_card import QUESTION_CLICKS
from bot.chat.regroup import REGROUP_CLICKS, Regroup, may_regroup
from bot.chat.regroup_words import named
from bot.errors import BadInput, NotAllowed, NotFound
from bot.incidents import ACTIVE, Incident, Incidents
from bot.incidents.seeing import may_see, require_seen
from bot.runbooks import Decision, Decisions, Run, Runs
from bot.runbooks.requests import must_respond

_STATUSES = {
    "incident_monitoring": "monitoring", "incident_resolve": "resolved",
    "incident_reopen": "investigating",
}  # fmt: skip
INCIDENT_CLICKS = ("incident_lead", *_STATUSES)
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
_ID = re.compile(r"[0-9]{1,9}")


class Clicks:
    """`handle` is the one door for clicks of every surface."""

    def __init__(self, incidents: Incidents, runs: Runs) -> None:
        self.incidents = incidents
        self.runs = runs
        self.regroup = Regroup(incidents, runs)
        self.decisions = Decisions(runs)
        self.questions = Questions(incidents)

    async def handle(
        self,
        session: AsyncSession,
        action_id: str,
        value: str,
        person: Person | None,
        surface: str,
    ) -> Reply:
        """Does what the button says; a second click of the same button changes nothing more."""
        if person is None:
            raise NotAllowed(
                "I do not know you, so this button does nothing for you.",
                hint="Ask the platform team to add you to the catalog's people.",
            )
        if action_id in QUESTION_CLICKS and _ID.fullmatch(value):
            return await self._on_question(session, action_id, int(value), person)
        if action_id in INCIDENT_CLICKS and _ID.fullmatch(value):
            await self._require_seen(session, Incident, int(value), person, surface)
            must_respond(person)
            return await self._on_incident(session, action_id, int(value), person)
        if action_id in REGROUP_CLICKS and _ID.fullmatch(value.partition("|")[0]):
            may_regroup(person)
            for number in named(action_id, value):
                await self._require_seen(session, Incident, number, person, surface)
            text, number = await self.regroup.do(session, action_id, value, f"person:{person.id}")
            return Reply(text, incident_id=number)
        run_id, _, digest = value.partition("|")
        if action_id in (*RUN_CLICKS, *STEP_CLICKS) and _ID.fullmatch(run_id):
            await self._require_seen(session, Run, int(run_id), person, surface)
        if action_id in RUN_CLICKS and _ID.fullmatch(run_id):
            return await self._on_run(session, action_id, int(run_id), digest, person, surface)
        if action_id in STEP_CLICKS and _ID.fullmatch(run_id):
            return await self._on_step(session, action_id, int(run_id), digest, person, surface)
        raise BadInput(f"I do not know the button {cut(action_id, 40)!r}.")

    async def _require_seen(
        self,
        session: AsyncSession,
        of: type[Incident | Run],
        number: int,
        person: Person,
        surface: str,
    ) -> None:
        """Raises `NotFound` at what is private. In Slack the button stands in the private channel."""
        found = await session.get(of, number) if surface != "slack" else None
        if isinstance(found, Run):
            found = await session.get(Incident, found.incident_id)
        if isinstance(found, Incident):
            require_seen(self.incidents.catalog(), found, person)

    async def _on_question(
        self, session: AsyncSession, action_id: str, number: int, person: Person
    ) -> Reply:
        may_answer(person)
        question = await session.get(Question, number)
        if question is None or not may_see(self.incidents.catalog(), about(question), person):
            raise NotFound(f"There is no question {number}.")
        actor = f"person:{person.id}"
        if action_id == "question_declare":
            incident = await self.questions.declare(session, number, actor)
            return Reply(f"#{incident.number} is declared.", incident_id=incident.number)
        question = await self.questions.refuse(session, number, actor)
        return Reply(f"Noted: {self.questions.words(question)}")

    async def _on_incident(
        self, session: AsyncSession, action_id: str, incident_id: int, person: Person
    ) -> Reply:
        if action_id == "incident_reopen":  # in the order in which all who route take their locks
            await self.incidents.one_at_a_time(session)
        incident = await self.incidents.get(session, incident_id)
        if action_id == "incident_lead":
            await self.incidents.take_command(session, incident, person.id)
            return Reply("You are the incident commander.")
        status = _STATUSES[action_id]
        if action_id == "incident_reopen" and incident.status in ACTIVE:
            return Reply(f"The incident is open: {incident.status}.")
        if status == "resolved":
            await self.runs.require_ended(session, incident_id)
        if incident.status != status:
            await self.incidents.set_status(session, incident, status, f"person:{person.id}")
        return Reply(f"The incident is {status}.")

    async def _on_run(
        self,
        session: AsyncSession,
        action_id: str,
        run_id: int,
        digest: str,
        person: Person,
        surface: str,
    ) -> Reply:
        match action_id:
            case "run_request":
                run = await self.runs.request(session, run_id, person)
            case "run_approve":
                run = await self.runs.approve(session, run_id, person, digest, surface)
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
                happened = action_id == "run_happened"
                run = await self.runs.settle(session, run_id, person, happened=happened)
        return Reply(f"{run.title}: {run.state}.")

    async def _on_step(
        self,
        session: AsyncSession,
        action_id: str,
        run_id: int,
        step: str,
        person: Person,
        surface: str,
    ) -> Reply:
        """A step that waits for a person; a second click finds that it does no longer."""
        decisions = self.decisions
        match action_id:
            case "step_confirm" | "step_cannot":
                done = action_id == "step_confirm"
                await decisions.confirm(session, run_id, step, person, done=done)
            case "step_approve":
                await decisions.approve_step(session, run_id, step, person, surface)
            case "step_refuse":
                await decisions.refuse_step(session, run_id, step, person)
            case "step_retry" | "step_skip" | "step_undo" | "step_stop":
                await decisions.decide(session, run_id, step, person, _DECISIONS[action_id])
        return Reply(f"{step}: noted.")

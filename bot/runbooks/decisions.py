"""What a run asks of people while it runs, and the two doors that a person may force.

A manual step is confirmed, a step's own approval given, a failure decided on, an unknown outcome
settled. A change freeze can
be overridden and an approval forced (*break glass*): both with a reason, loud, and the second
reviewed by another person afterwards.
"""

from typing import Any, Literal

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from bot.catalog import Person
from bot.errors import BadInput, Conflict, NotAllowed
from bot.incidents import family
from bot.runbooks.consent import of_step, said_yes, step_approvers
from bot.runbooks.holds import require_open
from bot.runbooks.requests import Runs
from bot.runbooks.roles import must_respond, whom
from bot.runbooks.tables import Approval, Run, StepAttempt
from bot.store import now

Decision = Literal["retry", "skip", "undo", "stop"]
_REASON = 10  # characters: less explains nothing to who reviews it
_WORDS = {
    "retry": "try again", "skip": "go on without it", "undo": "take the run back",
    "stop": "stop here",
}  # fmt: skip


class Decisions:
    """The verbs of people on a run that waits for them. Roles are checked at the click."""

    def __init__(self, runs: Runs) -> None:
        self.runs = runs

    async def confirm(
        self, session: AsyncSession, run_id: int, step: str, person: Person, *, done: bool
    ) -> Run:
        """A person says that they did a manual step, or that it cannot be done."""
        run, row = await self._waiting(session, run_id, step, "do", person)
        by = str(row.output["by"])
        if not person.has(by):
            raise NotAllowed(f"Confirming {step} needs {whom(by)}.")
        error = "" if done else f"{person.name} says that it cannot be done"
        word = "is done" if done else "cannot be done"
        self._settle(row, "done" if done else "failed", error, by=person.id)
        await self._on(session, run, "manual_settled", person, f"{step} {word}", {"step": step})
        return run

    async def approve_step(
        self, session: AsyncSession, run_id: int, step: str, person: Person, surface: str
    ) -> Run:
        """A person's yes to one step, besides the yes to the whole run. Counted once a person."""
        run, row = await self._waiting(session, run_id, step, "approve", person)
        if person.id == run.requester:
            raise NotAllowed("You asked for this run, so another person must approve its steps.")
        if not person.has(str(row.output["from"])):
            raise NotAllowed(f"Approving {step} needs {whom(row.output['from'])}.")
        who, catalog = str(row.output["from"]), self.runs.library.catalog
        again = person.id in await said_yes(session, run, step)
        if not again:
            bound = of_step(run, step)
            await session.merge(
                Approval(run_id=run_id, plan_digest=bound, person=person.id, surface=surface)
            )  # merged: one of theirs may be there that has expired
            await session.flush()
        people = await step_approvers(session, run, step, who, catalog)
        if len(people) >= int(row.output["count"]):
            self._settle(row, "done", "", by=", ".join(sorted(people)))
        elif again:
            return run
        data = {"step": step, "surface": surface}
        await self._on(session, run, "step_approved", person, f"Approved: {step}", data)
        return run

    async def refuse_step(
        self, session: AsyncSession, run_id: int, step: str, person: Person
    ) -> Run:
        """A person's no to one step: it fails, and the runbook says what follows."""
        run, row = await self._waiting(session, run_id, step, "approve", person)
        self._settle(row, "failed", f"{person.name} refused it", by=person.id)
        await self._on(session, run, "step_refused", person, f"Refused: {step}", {"step": step})
        return run

    async def decide(
        self, session: AsyncSession, run_id: int, step: str, person: Person, decision: Decision
    ) -> Run:
        """What is to follow a failed step whose runbook says ``on_failure: ask``."""
        run, row = await self._waiting(session, run_id, step, "ask", person)
        row.output = {**row.output, "decision": decision}
        self._settle(row, "done", "", by=person.id)
        data = {"step": step, "decision": decision}
        text = f"{step} failed; {person.name} decides: {_WORDS[decision]}"
        await self._on(session, run, "decision_made", person, text, data)
        return run

    async def settle(
        self, session: AsyncSession, run_id: int, person: Person, *, happened: bool, step: str = ""
    ) -> Run:
        """A person says what became of a step whose outcome Jackline could not learn.

        Several may be unknown: each is asked about by itself, and the run stands until all are told.
        Then it goes on from what the journal says: what did not happen has failed, and the runbook
        says what follows.
        """
        must_respond(person)
        run = await self.runs.get(session, run_id)
        if run.state != "unknown":
            raise Conflict(f"The run is {run.state}: nothing is unknown.")
        query = select(StepAttempt).where(
            StepAttempt.run_id == run_id, StepAttempt.state == "unknown"
        )
        unknown = list((await session.execute(query.order_by(col(StepAttempt.id)))).scalars())
        about = [row for row in unknown if row.step == step or not step]
        if len(about) != 1:
            steps = ", ".join(row.step for row in unknown)
            raise Conflict(f"{step or 'More than one step'} is not what is asked: {steps}.")
        (row,) = about
        row.state = "done" if happened else "failed"
        row.error = "" if happened else f"{person.name} says that it did not happen"
        if len(unknown) == 1:
            run.state, run.lease_until, run.error = "approved", None, ""
        word = "happened" if happened else "did not happen"
        await self.runs.record(
            session, run, "outcome_settled", f"person:{person.id}", f"{row.step} {word}",
            {"happened": happened, "step": row.step},
        )  # fmt: skip
        return run

    async def override_freeze(
        self, session: AsyncSession, run_id: int, person: Person, reason: str
    ) -> Run:
        """Lets one run begin in a change freeze, for a reason that stands in the record."""
        run = await self.runs.get(session, run_id)
        who = run.plan.get("freeze", {}).get("override", "commander")
        if not person.has(who):
            raise NotAllowed(f"Overriding a freeze for this run needs {whom(who)}.")
        await self._force(session, run, "freeze", person, reason)
        await self.runs.record(
            session, run, "freeze_overridden", f"person:{person.id}",
            f"Freeze overridden for {run.title}: {reason}", {"reason": reason},
        )  # fmt: skip
        await self.runs.approve_if_enough(session, run)
        return run

    async def break_glass(
        self, session: AsyncSession, run_id: int, person: Person, reason: str
    ) -> Run:
        """Begins a run without the approvals it needs: nobody else can be reached."""
        run = await self.runs.get(session, run_id)
        if not person.has("commander"):
            raise NotAllowed("Breaking the glass needs the role 'commander'.")
        await self._force(session, run, "break_glass", person, reason)
        text = f"🚨 {person.name} broke the glass: {run.title} runs without approval. {reason}"
        await self.runs.record(
            session, run, "glass_broken", f"person:{person.id}", text, {"reason": reason}
        )
        await self.runs.incidents.outbox.say(
            session, run.incident_id, f"run-{run.id}-glass", "notice",
            {"text": f"{text} It must be reviewed afterwards: /runbook review {run.id} WORDS"},
        )  # fmt: skip
        await self.runs.approve_if_enough(session, run)
        return run

    async def review(self, session: AsyncSession, run_id: int, person: Person, words: str) -> Run:
        """Another person's judgement of a broken glass."""
        run = await self.runs.get(session, run_id)
        glass = run.overrides.get("break_glass")
        if glass is None or glass.get("reviewed_by"):
            raise Conflict("There is nothing to review: no glass was broken, or it is reviewed.")
        if not person.has("approver") or person.id == glass["by"]:
            raise NotAllowed("The review needs an approver other than who broke the glass.")
        _must_explain(words)
        run.overrides = {**run.overrides, "break_glass": {**glass, "reviewed_by": person.id}}
        await self.runs.record(
            session, run, "glass_reviewed", f"person:{person.id}",
            f"Reviewed by {person.name}: {words}", {"review": words},
        )  # fmt: skip
        return run

    async def require_reviewed(self, session: AsyncSession, incident_id: int) -> None:
        """Raises `Conflict` while a broken glass of the incident waits for its review.

        What is merged into it is never closed by itself, so that its own count here.
        """
        whole = await family(session, incident_id)
        for run in [run for number in whole for run in await self.runs.of(session, number)]:
            glass = run.overrides.get("break_glass")
            if glass and not glass.get("reviewed_by"):
                raise Conflict(
                    f"The approval of {run.title!r} was forced and nobody has reviewed that.",
                    hint=f"An approver says: /runbook review {run.id} WORDS",
                )

    async def _force(
        self, session: AsyncSession, run: Run, what: str, person: Person, reason: str
    ) -> None:
        require_open(await self.runs.incidents.get(session, run.incident_id))
        if run.state != "waiting":
            raise Conflict(f"The run is {run.state}: nothing holds it back.")
        _must_explain(reason)
        forced = {"by": person.id, "reason": reason, "at": now().isoformat(),
                  "digest": run.plan_digest}  # fmt: skip
        run.overrides = {**run.overrides, what: forced}

    async def _waiting(
        self, session: AsyncSession, run_id: int, step: str, phase: str, person: Person
    ) -> tuple[Run, StepAttempt]:
        """The row that waits for a person. Raises `Conflict` when it does no longer."""
        must_respond(person)
        run = await self.runs.get(session, run_id)
        query = (
            select(StepAttempt)
            .where(StepAttempt.run_id == run_id, StepAttempt.step == step)
            .where(StepAttempt.phase == phase, StepAttempt.state == "waiting")
            .order_by(col(StepAttempt.id).desc())
            .limit(1)
        )
        row = (await session.execute(query)).scalar_one_or_none()
        if row is None or run.state not in ("running", "held", "paused"):
            raise Conflict(f"{step} does not wait for anybody (any more).")
        return run, row

    def _settle(self, row: StepAttempt, state: str, error: str, *, by: str) -> None:
        row.state, row.error, row.ended_at = state, error, now()
        row.output = {**row.output, "settled_by": by}

    async def _on(
        self, session: AsyncSession, run: Run, kind: str, person: Person, text: str,
        data: dict[str, Any],
    ) -> None:  # fmt: skip
        """The row on the timeline, and the run goes on."""
        if run.state in ("held", "running"):
            run.wake_at = now()  # running: its owner may be about to let go of it, see `hold`
        await self.runs.record(session, run, kind, f"person:{person.id}", text, data)


def _must_explain(reason: str) -> None:
    if len(reason.strip()) < _REASON:
        raise BadInput(
            "Say why, in a sentence: it stands in the record, and somebody reviews it.",
            field="reason",
        )

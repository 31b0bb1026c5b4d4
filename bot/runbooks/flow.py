"""Does one step of a run: its approval, its units stage by stage, and what follows a failure.

A step is gone through anew whenever its run is taken up again: what the journal says is done is
passed over, what it says waits is looked at, and the rest is begun. So a wait of hours costs
nothing while it lasts, and no restart loses it.
"""

import asyncio
from datetime import datetime, timedelta
from typing import Any

from bot.errors import BadInput, JacklineError
from bot.runbooks.consent import approvals, step_approvers
from bot.runbooks.expressions import evaluate
from bot.runbooks.journal import Journal
from bot.runbooks.model import Consent, Runbook, Step
from bot.runbooks.plan import Planner
from bot.runbooks.steps import Outcome, StepRunner
from bot.runbooks.tables import Run, StepAttempt
from bot.runbooks.units import Batch, Unit, batches, portion, step_of
from bot.store import now

_CALLED = timedelta(seconds=2)  # between two looks at a called run
_ENDED = {"succeeded": "done", "failed": "failed", "refused": "failed", "aborted": "failed"}


class StepFlow:
    """Steps of one run under one epoch."""

    def __init__(
        self, journal: Journal, planner: Planner, runbook: Runbook, run: Run, epoch: int
    ) -> None:
        self.journal = journal
        self.runbook = runbook
        self.run_id = run.number
        self.epoch = epoch
        self.runner = StepRunner(journal, planner, run.number, epoch)
        self.wake_at: datetime | None = None  # the earliest time that a step waits for

    async def do(
        self, step: Step, names: dict[str, Any], rows: list[StepAttempt] | None = None
    ) -> Outcome:
        """The whole step, or as far as it goes without a person or a time: then ``waiting``.

        ``rows`` are the step's in the journal, where they have just been read.
        """
        if rows is None:
            found = await self.journal.attempts(self.run_id)
            rows = [a for a in found if step_of(a.step) == step.id]
        asked = [a for a in rows if a.phase == "ask"]
        if asked and asked[-1].state == "waiting":
            return Outcome("waiting", {})
        decision = asked[-1].output.get("decision") if asked else ""
        if decision == "skip":
            return Outcome("done", {"skipped": True})
        if decision in ("stop", "undo"):
            return Outcome("failed", {"decision": decision}, str(asked[-1].output["error"]))
        if skipped := await self._skipped(step, names, rows):
            return skipped
        since = asked[-1].id or 0 if asked else 0
        rows = [a for a in rows if (a.id or 0) > since or a.state == "done"]
        outcome = await self._approved(step, rows) or await self._body(step, names, rows)
        asks = outcome.state == "failed" and step.on_failure == "ask"
        if asks and not await self._stopped():
            return await self._ask(step, outcome)
        return outcome

    async def _skipped(
        self, step: Step, names: dict[str, Any], rows: list[StepAttempt]
    ) -> Outcome | None:
        """None where the step is to be done: its ``when`` is true, or it has begun already."""
        mine = [a for a in rows if a.phase == "do"]
        if mine and mine[-1].state == "skipped":
            return Outcome("done", {"skipped": True})
        if not step.when or mine:
            return None
        found, why = evaluate(step.when, names)
        if found is True:
            return None
        if found is None:
            await self.journal.held_back(self.run_id, self.epoch, step.id, why)
            return Outcome("failed", {}, why)
        async with self.journal.noting(
            self.run_id, self.epoch, step.id, "do", kind="step_skipped",
            text=f"{step.id}: not needed ({why})", action=step.action or step.kind,
            state="skipped", output={"skipped": True},
        ) as (_, _, row):  # fmt: skip
            row.ended_at = now()
        return Outcome("done", {"skipped": True})

    async def _body(self, step: Step, names: dict[str, Any], rows: list[StepAttempt]) -> Outcome:
        done = [a for a in rows if a.phase == "do" and a.step == step.id]
        last = done[-1] if done else None
        match step.kind:
            case "action":
                return await self._units(step, names, rows)
            case "manual":
                return await self._manual(step, last)
            case "wait":
                return await self._wait(step, last)
            case "notify":
                return await self._notify(step, names, last)
        return await self._call(step, names, last)

    # ── an action's units ────────────────────────────────────────────────────────────────────

    async def _units(self, step: Step, names: dict[str, Any], rows: list[StepAttempt]) -> Outcome:
        try:
            planned = batches(step, names)
            if step.foreach and not any(a.phase == "do" for a in rows):
                units = [unit for batch in planned for unit in batch.units]
                await self.runner.planner.check_all(self.runbook, units, names)
        except JacklineError as error:
            await self.journal.held_back(self.run_id, self.epoch, step.id, str(error))
            return Outcome("failed", {}, str(error))
        total = sum(len(batch.units) for batch in planned)
        allowed = portion(step.foreach.max_errors, total) if step.foreach else 0
        found: dict[str, Outcome] = {}
        for batch in planned:
            await self._batch(batch, names, rows, found, allowed)
            if bad := _worst(found, allowed):
                return bad
            if len(found) < sum(len(b.units) for b in planned[: planned.index(batch) + 1]):
                return Outcome("failed", _out(step, found), "aborted")
            if reason := await self._gate(step, batch, names, rows, found):
                return Outcome("failed", _out(step, found), reason)
        return Outcome("done", _out(step, found))

    async def _batch(
        self,
        batch: Batch,
        names: dict[str, Any],
        rows: list[StepAttempt],
        found: dict[str, Outcome],
        allowed: int,
    ) -> None:
        """Does units until one too many failed or a person ended the run; none is cut off."""
        if len(batch.units) == 1 and not found:
            (unit,) = batch.units
            found[unit.id] = await self._unit(unit, names, rows)
            return
        room = asyncio.Semaphore(batch.concurrency)

        async def one(unit: Unit) -> None:
            async with room:
                if _worst(found, allowed) or (found and await self._stopped()):
                    return
                found[unit.id] = await self._unit(unit, names, rows)

        ended = await asyncio.gather(*(one(unit) for unit in batch.units), return_exceptions=True)
        for error in filter(None, ended):  # the others have come to their outcome first
            raise error

    async def _stopped(self) -> bool:
        return await self.journal.aborted(self.run_id)

    async def _unit(self, unit: Unit, names: dict[str, Any], rows: list[StepAttempt]) -> Outcome:
        mine = [a for a in rows if a.step == unit.id and a.phase == "do"]
        if mine and mine[-1].state == "done":
            return Outcome("done", mine[-1].output)
        return await self.runner.do(self.runbook, unit, names, mine)

    async def _gate(
        self,
        step: Step,
        batch: Batch,
        names: dict[str, Any],
        rows: list[StepAttempt],
        found: dict[str, Outcome],
    ) -> str:
        """Why there must be no next stage, or ''. What held once is not asked again."""
        label = f"{step.id}[{batch.label}]"
        passed = [a for a in rows if a.phase == "gate" and a.step == label and a.state == "done"]
        if not step.gate or passed:
            return ""
        row = await self.journal.intend(self.run_id, self.epoch, label, "gate", action="gate")
        seen = {**names, "stage": batch.label, "out": _out(step, found)}
        for verify in step.gate:
            if reason := await self.runner.looks.wait_for(verify, seen, step.timeout):
                await self.journal.settle(row, self.epoch, "failed", error=reason)
                return f"the gate after stage {batch.label} does not hold: {reason}"
        await self.journal.settle(row, self.epoch, "done")
        return ""

    # ── people, times, words and other runbooks ──────────────────────────────────────────────

    async def _approved(self, step: Step, rows: list[StepAttempt]) -> Outcome | None:
        """None once those who must have agreed to the step; what it would do is shown to them."""
        if step.approval is None or not step.approval.count:
            return None
        mine = [a for a in rows if a.phase == "approve"]
        last = mine[-1].state if mine else ""
        if last == "failed":
            return Outcome("failed", {}, mine[-1].error)
        begun = any(a.phase == "do" for a in rows)
        if last == "done" and (begun or await self._agreed(step.id, step.approval)):
            return None
        if last != "waiting":
            needed = {"count": step.approval.count, "from": step.approval.from_}
            text = f"{step.id} waits for {approvals(step.approval.count, step.approval.from_)}"
            if last:
                text += ": what it had has expired, or is of somebody who may not give it any more"
            await self._await_person(step, "approve", "approval", "approval_asked", text, needed)
        return Outcome("waiting", {})

    async def _agreed(self, step: str, needed: Consent) -> bool:
        """Whether enough people still agree: the run may have stood still since they said so."""
        runs = self.journal.runs
        async with self.journal.store.read() as session:
            run = await session.get_one(Run, self.run_id)
            people = await step_approvers(session, run, step, needed.from_, runs.library.catalog)
        return len(people) >= needed.count

    async def _manual(self, step: Step, last: StepAttempt | None) -> Outcome:
        if last is not None and last.state in ("done", "failed"):
            return Outcome(last.state, last.output, last.error)
        if last is None and step.manual is not None:
            what = {"checklist": step.manual.checklist, "by": step.manual.by}
            text = f"{step.id} waits for a person: {'; '.join(step.manual.checklist)}"
            await self._await_person(step, "do", "manual", "manual_asked", text, what)
        return Outcome("waiting", {})

    async def _ask(self, step: Step, outcome: Outcome) -> Outcome:
        text = f"{step.id} failed; what now? {outcome.error}"
        facts = {"error": outcome.error}
        await self._await_person(step, "ask", "decision", "decision_asked", text, facts)
        return Outcome("waiting", outcome.out)

    async def _await_person(
        self, step: Step, phase: str, action: str, kind: str, text: str, output: dict[str, Any]
    ) -> None:
        async with self.journal.noting(
            self.run_id, self.epoch, step.id, phase, kind=kind, text=text, action=action,
            state="waiting", output=output,
        ):  # fmt: skip
            pass

    async def _wait(self, step: Step, last: StepAttempt | None) -> Outcome:
        if last is None:
            due = now() + timedelta(seconds=step.wait or 0)
            async with self.journal.noting(
                self.run_id, self.epoch, step.id, "do", kind="wait_started", action="wait",
                text=f"{step.id}: waits until {due:%Y-%m-%d %H:%M:%S} UTC", state="waiting", due_at=due,
            ) as (_, _, row):  # fmt: skip
                last = row
        if last.state == "waiting" and last.due_at is not None:
            if last.due_at > now():
                self._wake(last.due_at)
                return Outcome("waiting", {})
            await self.journal.settle(last, self.epoch, "done")
        return Outcome("done", {})

    async def _notify(self, step: Step, names: dict[str, Any], last: StepAttempt | None) -> Outcome:
        """Says it in the incident's channel; the row and the message are one commit."""
        if last is not None:
            return Outcome("done", {})
        try:
            text = self.runner.planner.words(step.notify, names)
        except BadInput as error:
            return Outcome("failed", {}, error.message)
        async with self.journal.noting(
            self.run_id, self.epoch, step.id, "do", kind="notified", text=text, action="notify",
            state="done",
        ) as (session, run, row):  # fmt: skip
            await self.journal.runs.incidents.outbox.say(
                session, run.incident_id, f"run-{run.id}-{row.step}", "notice", {"text": text}
            )
        return Outcome("done", {})

    async def _call(self, step: Step, names: dict[str, Any], last: StepAttempt | None) -> Outcome:
        """Another runbook as a run of its own, with its own plan and approvals."""
        if last is None:
            try:
                async with self.journal.noting(
                    self.run_id, self.epoch, step.id, "do", kind="runbook_called",
                    text=f"{step.id}: calls the runbook {step.runbook}", action="runbook",
                    state="waiting",
                ) as (session, run, row):  # fmt: skip
                    called = await self.journal.runs.call(
                        session, run, f"{step.id}:{row.attempt}", str(step.runbook),
                        self.runner.planner.rendered(step.with_, names),
                    )  # fmt: skip
                    row.output = {"run": called.number}
            except JacklineError as error:
                await self.journal.held_back(self.run_id, self.epoch, step.id, str(error))
                return Outcome("failed", {}, str(error))
            last = row
        if last.state != "waiting":
            return Outcome(last.state, last.output, last.error)
        called = await self.journal.fresh(int(last.output["run"]))
        state = _ENDED.get(called.state)
        if state is None:
            self._wake(now() + _CALLED)
            return Outcome("waiting", {})
        said = "" if state == "done" else f"{called.title}: {called.state} {called.error}".strip()
        await self.journal.settle(last, self.epoch, state, output=last.output, error=said)
        return Outcome(state, last.output, said)

    def _wake(self, at: datetime) -> None:
        self.wake_at = min(self.wake_at or at, at)


def _worst(found: dict[str, Outcome], allowed: int) -> Outcome | None:
    """What ends the step: an unknown outcome, or one failure more than allowed."""
    for outcome in found.values():
        if outcome.state == "unknown":
            return outcome
    failed = {unit: o for unit, o in found.items() if o.state == "failed"}
    if len(failed) <= allowed:
        return None
    if len(found) == 1:
        return next(iter(failed.values()))
    said = "; ".join(f"{unit}: {o.error}" for unit, o in list(failed.items())[:5])
    return Outcome("failed", {}, f"{len(failed)} of {len(found)} failed ({allowed} may): {said}")


def _out(step: Step, found: dict[str, Outcome]) -> dict[str, Any]:
    """What later steps see: the unit's own facts, or those of all of them by item or stage."""
    if step.foreach is None and not step.stages:
        return next(iter(found.values())).out if found else {}
    label = {unit: unit.partition("[")[2].rstrip("]") for unit in found}
    return {
        "items": {label[u]: o.out for u, o in found.items() if o.state == "done"},
        "failed": [label[u] for u, o in found.items() if o.state != "done"],
    }

"""Takes one run through its steps: what may begin, begins; what cannot go on yet, waits.

A step begins once those that it needs are done; independent ones run side by side. Nothing is
cut off: whatever ends a run, the steps in flight come to their outcome first.
"""

import asyncio
from typing import Any

from bot.runbooks.called import called_stop
from bot.runbooks.flow import StepFlow
from bot.runbooks.journal import Journal
from bot.runbooks.model import Runbook, Step
from bot.runbooks.plan import Planner
from bot.runbooks.steps import Outcome
from bot.runbooks.tables import Run, StepAttempt
from bot.runbooks.undo import RunUndoer, outputs
from bot.runbooks.units import step_of, unit_of
from bot.store import now

_LOOK = 0.5  # seconds between two looks whether what a step waits for has come


class Execution:
    """One run under one epoch."""

    def __init__(
        self, journal: Journal, planner: Planner, runbook: Runbook, run: Run, epoch: int
    ) -> None:
        self.journal = journal
        self.runbook = runbook
        self.run = run
        self.epoch = epoch
        self.flow = StepFlow(journal, planner, runbook, run, epoch)
        self.undoer = RunUndoer(journal, planner, runbook, run, epoch)
        self.outcomes: dict[str, Outcome] = {}
        self._tasks: dict[asyncio.Task[Outcome], Step] = {}
        self._rows: dict[str, list[StepAttempt]] = {}
        self._looked: set[str] = set()
        self._order = [(w.step, runbook.needs(w.step.id)) for w in runbook.steps]

    async def go(self) -> None:
        """Until the run has ended, or is held or paused. Raises `Fenced`."""
        if self.run.undo_requested:
            await called_stop(self.journal, self.run.number, self.epoch)
            await self.undoer.undo(self.run.error)
            return
        for row in await self.journal.attempts(self.run.number):
            self._rows.setdefault(step_of(row.step), []).append(row)
        try:
            await self._look_back()
            while await self._round():
                pass
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _look_back(self) -> None:
        """A run that is to end although a crash cut it off: that step has its outcome first."""
        rows = [row for rows in self._rows.values() for row in rows]
        cut = [row for row in rows if row.state == "intent"]
        if not cut or await self._stop() in (None, "paused"):
            return
        last = {row.step: row for row in rows if row.phase == "do"}
        names = {"inputs": self.run.inputs, "steps": outputs(self.runbook, last.values())}
        for row in cut:
            step = self.runbook.step(step_of(row.step))
            if row.phase != "do":
                await self.journal.settle(row, self.epoch, "interrupted", error="not asked again")
                continue
            unit = unit_of(row.step, step, names)
            outcome = await self.flow.runner.look_back(unit, names, row)
            if outcome is not None:
                self.outcomes[step.id] = outcome

    async def _round(self) -> bool:
        """Begins what may begin and waits for something to end; False when nothing is left."""
        stop = await self._stop()
        if stop is None:
            self._begin_ready()
        if not self._tasks:
            await self._end(stop)
            return False
        limit = _LOOK if any(o.state == "waiting" for o in self.outcomes.values()) else None
        done, _ = await asyncio.wait(
            self._tasks, timeout=limit, return_when=asyncio.FIRST_COMPLETED
        )
        for task in done:
            self.outcomes[self._tasks.pop(task).id] = task.result()
        if not done:  # what waited may have come meanwhile
            self.outcomes = {i: o for i, o in self.outcomes.items() if o.state != "waiting"}
        return True

    async def _stop(self) -> str | None:
        """Why no further step may begin, or None."""
        for step_id, outcome in self.outcomes.items():
            if outcome.state == "unknown":
                return "unknown"
            if outcome.state == "failed" and self._policy(step_id, outcome) != "continue":
                return "failed"
        asked = await self.journal.asked(self.run.number)
        if asked.abort or asked.pause:
            return "aborted" if asked.abort else "paused"
        if self.runbook.front.timeout and len(self.outcomes) < len(self.runbook.steps):
            worked = (now() - (asked.started_at or now())).total_seconds() - asked.held_seconds
            if worked > self.runbook.front.timeout:
                return "timeout"
        return None

    def _begin_ready(self) -> None:
        going = {step.id for step in self._tasks.values()}
        good = {i for i, outcome in self.outcomes.items() if self._satisfies(i, outcome)}
        names = self._names()
        for step, needs in self._order:
            if step.id in self.outcomes or step.id in going or not good.issuperset(needs):
                continue
            # What this owner has not begun stands in the journal as it was at the start.
            rows = None if step.id in self._looked else self._rows.get(step.id, [])
            self._looked.add(step.id)
            self._tasks[asyncio.create_task(self.flow.do(step, names, rows))] = step

    def _satisfies(self, step_id: str, outcome: Outcome) -> bool:
        if outcome.state in ("waiting", "unknown"):
            return False
        return outcome.state == "done" or self._policy(step_id, outcome) == "continue"

    def _policy(self, step_id: str, outcome: Outcome) -> str:
        """What follows a failure: as the runbook says, or as a person has decided."""
        return str(outcome.out.get("decision") or self.runbook.step(step_id).on_failure)

    def _names(self) -> dict[str, Any]:
        steps = {i: o.out for i, o in self.outcomes.items() if o.state != "waiting"}
        return {"inputs": self.run.inputs, "steps": steps}

    async def _end(self, stop: str | None) -> None:
        number, epoch = self.run.number, self.epoch
        failed = [
            (i, o) for i, o in self.outcomes.items()
            if o.state in ("failed", "unknown") and (
                o.state == "unknown" or self._policy(i, o) != "continue")
        ]  # fmt: skip
        match stop:
            case "unknown":
                step, outcome = next((i, o) for i, o in failed if o.state == "unknown")
                await self.journal.end(number, epoch, "unknown", outcome.error, step)
            case "failed":
                await called_stop(self.journal, number, epoch)
                await self._fail(*failed[0])
            case "aborted":
                await called_stop(self.journal, number, epoch)
                await self.journal.end(number, epoch, "aborted", step=self._next())
            case "paused":
                await self.journal.hold(number, epoch, "paused")
            case "timeout":
                await called_stop(self.journal, number, epoch)
                limit = f"{self.runbook.front.timeout:g} s"
                error = f"took longer than its timeout of {limit}; nothing more was begun"
                await self.journal.end(number, epoch, "failed", error, self._next())
            case _ if any(o.state == "waiting" for o in self.outcomes.values()):
                await self.journal.hold(number, epoch, "held", self.flow.wake_at)
            case _:
                await self.journal.end(number, epoch, "succeeded")

    async def _fail(self, step_id: str, outcome: Outcome) -> None:
        number, error = self.run.number, outcome.error
        if self._policy(step_id, outcome) == "undo":
            failed = f"{step_id}: {error}"
            async with self.journal.fenced(number, self.epoch) as (_, fresh):
                # From here on the run only goes backwards, whoever takes it over.
                # An abort until now is obeyed by that; a later one ends the undo.
                fresh.undo_requested, fresh.error, fresh.abort = True, failed, False
            await self.undoer.undo(failed)
            return
        state = "aborted" if await self.journal.aborted(number) else "failed"
        await self.journal.end(number, self.epoch, state, error, step_id)

    def _next(self) -> str:
        """The step that would have come next."""
        left = [w.step.id for w in self.runbook.steps if w.step.id not in self.outcomes]
        return left[0] if left else ""

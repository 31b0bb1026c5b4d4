"""Drives runs: plans what is to be planned, runs what is approved, resumes what was left.

Any process may die at any line: another one takes the run over when its lease is out, reads the
journal, and goes on from there.
"""

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from bot.errors import BadInput, JacklineError
from bot.log import get
from bot.runbooks.journal import LEASE, Fenced, Journal
from bot.runbooks.model import Runbook
from bot.runbooks.plan import Planner, digest
from bot.runbooks.read import read
from bot.runbooks.requests import is_approved
from bot.runbooks.steps import StepRunner
from bot.runbooks.tables import Run, StepAttempt
from bot.runbooks.undo import StepUndoer
from bot.store import YIELDING, now

log = get("runbooks")
_BUSY = timedelta(seconds=2)  # until a run whose target is taken asks again
_AWAY = (SQLAlchemyError, OSError)  # the database cannot be reached, or lost a race


class RunEngine:
    """One per process; any number of processes may run one."""

    def __init__(self, journal: Journal, planner: Planner) -> None:
        self.journal = journal
        self.planner = planner
        self._busy: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Works until cancelled. Runs in flight are left to their journal, not finished."""
        store = self.journal.store
        try:
            while True:
                await store.quiet(YIELDING)
                seen = store.version
                for run, epoch in await self._claim():
                    task = asyncio.create_task(self._guarded(run, epoch))
                    self._busy.add(task)
                    task.add_done_callback(self._busy.discard)
                await store.wait(seen, 0.5)
        finally:
            for task in self._busy:
                task.cancel()

    async def _claim(self) -> list[tuple[Run, int]]:
        try:
            return await self.journal.claim()
        except _AWAY as error:
            log.error("runs_not_claimed", error=str(error))
            await asyncio.sleep(1)
            return []

    async def _guarded(self, run: Run, epoch: int) -> None:
        keeper = asyncio.create_task(self._keep(run.number, epoch))
        try:
            await (self._plan(run, epoch) if run.state == "planning" else self._execute(run, epoch))
        except Fenced:
            log.warning("run_taken_over", run_id=run.id)
        except _AWAY as error:
            log.error("run_left_to_its_journal", run_id=run.id, error=str(error))
        except Exception as error:
            log.exception("run_broke", run_id=run.id)
            with suppress(Fenced, *_AWAY):
                await self._give_up(run, epoch, f"internal error: {type(error).__name__}: {error}")
        finally:
            keeper.cancel()

    async def _give_up(self, run: Run, epoch: int, error: str) -> None:
        sent = [a for a in await self.journal.attempts(run.number, "do") if a.state == "intent"]
        for attempt in sent:
            await self.journal.settle(attempt, epoch, "unknown", error=error)
        await self.journal.end(run.number, epoch, "unknown" if sent else "failed", error)

    async def _keep(self, run_id: int, epoch: int) -> None:
        with suppress(Fenced):
            while True:
                await asyncio.sleep(LEASE.total_seconds() / 3)
                try:
                    await self.journal.renew(run_id, epoch)
                except _AWAY as error:
                    log.warning("lease_not_renewed", run_id=run_id, error=str(error))

    async def _plan(self, run: Run, epoch: int) -> None:
        try:
            runbook = pinned(run)
            plan = await self.planner.plan(runbook, run.inputs)
        except (JacklineError, OSError) as error:
            if not await self.journal.aborted(run.number):
                await self.journal.end(run.number, epoch, "failed", f"cannot be planned: {error}")
            return
        async with self.journal.fenced(run.number, epoch) as (session, fresh):
            if fresh.state != "planning":
                return
            fresh.plan, fresh.plan_digest = plan, digest(plan, run.digest)
            fresh.state, fresh.lease_until = ("waiting" if run.requester else "proposed"), None
            if run.requester and not plan["approvals"]["count"]:
                fresh.state = "approved"
            data = {"steps": plan["steps"], "digest": fresh.plan_digest}
            await self.journal.record(
                session, fresh, "run_planned", f"Plan made: {run.title}", data
            )

    async def _execute(self, run: Run, epoch: int) -> None:
        if not await self._begin(run, epoch):
            return
        runbook = pinned(run)
        if run.undo_requested:
            await self._undo(runbook, run, epoch, run.error)
            return
        steps: dict[str, Any] = {}
        names = {"inputs": run.inputs, "steps": steps}
        runner = StepRunner(self.journal, self.planner, run.number, epoch)
        for written in runbook.steps:
            step = written.step
            earlier = await self._attempts(run.number, step.id)
            if earlier and earlier[-1].state == "done":
                steps[step.id] = earlier[-1].output
                continue
            if await self.journal.aborted(run.number):
                await self.journal.end(run.number, epoch, "aborted", step=step.id)
                return
            outcome = await runner.do(runbook, step, names, earlier)
            steps[step.id] = outcome.out
            if outcome.state == "unknown":
                await self.journal.end(run.number, epoch, "unknown", outcome.error, step.id)
                return
            if outcome.state == "failed" and step.on_failure != "continue":
                if step.on_failure == "undo":
                    failed = f"{step.id}: {outcome.error}"
                    await self._turn_back(run, epoch, failed)
                    await self._undo(runbook, run, epoch, failed)
                elif await self.journal.aborted(run.number):
                    await self.journal.end(run.number, epoch, "aborted", outcome.error, step.id)
                else:
                    await self.journal.end(run.number, epoch, "failed", outcome.error, step.id)
                return
        await self.journal.end(run.number, epoch, "succeeded")

    async def _begin(self, run: Run, epoch: int) -> bool:
        async with self.journal.fenced(run.number, epoch) as (session, fresh):
            undoing = fresh.undo_requested
            if not (fresh.started_at or undoing or await is_approved(session, fresh)):
                fresh.state, fresh.approved_at, fresh.lease_until = "waiting", None, None
                text = f"The approval has expired before the run could begin: {run.title}"
                await self.journal.record(session, fresh, "approval_expired", text, {})
                return False
            taken = await self.journal.lock_targets(session, fresh)
            if taken:
                fresh.lease_until = now() + _BUSY
                log.info("run_waits_for_target", run_id=run.id, target=taken)
            elif fresh.state == "approved":
                resumed = fresh.started_at is not None
                fresh.state = "running"
                fresh.started_at = fresh.started_at or now()
                if not resumed:
                    data = {"runbook": run.runbook_id, "title": run.title}
                    await self.journal.record(
                        session, fresh, "run_started", f"Running: {run.title}", data
                    )
        return not taken

    async def _turn_back(self, run: Run, epoch: int, failed: str) -> None:
        """From here on the run only goes backwards, whoever takes it over."""
        async with self.journal.fenced(run.number, epoch) as (_, fresh):
            fresh.undo_requested, fresh.error = True, failed

    async def _attempts(self, run_id: int, step: str) -> list[StepAttempt]:
        return [a for a in await self.journal.attempts(run_id, "do") if a.step == step]

    async def _undo(self, runbook: Runbook, run: Run, epoch: int, failed: str = "") -> None:
        """Takes the done steps back, last first; each failure is reported on its own."""
        attempts = await self.journal.attempts(run.number, "do")
        done = [a for a in attempts if a.state == "done"]
        # An attempt whose answer was lost may have taken effect: what a later one read before
        # itself is then this step's own doing, so the first reading is the one to go back to.
        before = {a.step: a.before for a in reversed(attempts) if a.state != "not_sent"}
        undone = {
            a.step for a in await self.journal.attempts(run.number, "undo") if a.state == "done"
        }
        by_id = {w.step.id: w.step for w in runbook.steps}
        outputs = {a.step: a.output for a in done}
        names = {"inputs": run.inputs, "steps": outputs}
        problems = []
        back = StepUndoer(self.journal, self.planner, run.number, epoch)
        for attempt in reversed(done):
            if attempt.step in undone:
                continue
            problem = await back.take_back(by_id[attempt.step], before[attempt.step], names)
            if problem:
                problems.append(f"{attempt.step}: {problem}")
        error = "; ".join([failed, *problems] if failed else problems)
        if problems:
            error = f"not taken back: {error}"
        await self.journal.end(run.number, epoch, "failed" if error else "aborted", error)


def pinned(run: Run) -> Runbook:
    """The runbook as it was when the run was asked for. Raises `BadInput`."""
    runbook, problems = read(run.text, run.path)
    if runbook is None:
        raise BadInput("\n".join(map(str, problems)))
    return runbook

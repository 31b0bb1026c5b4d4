"""Drives runs: plans what is to be planned, runs what is approved, resumes what was left.

Any process may die at any line: another one takes the run over when its lease is out, reads the
journal, and goes on from there.
"""

import asyncio
from contextlib import suppress
from typing import Any

from bot.errors import BadInput, JacklineError, NotFound, NotSent, TargetError
from bot.log import get
from bot.runbooks.journal import LEASE, Fenced, Journal
from bot.runbooks.model import NoUndo, Runbook, Step, Undo
from bot.runbooks.plan import Planner, arguments, digest, validated
from bot.runbooks.read import read
from bot.runbooks.steps import StepRunner
from bot.runbooks.tables import Run, StepAttempt
from bot.store import now

log = get("runbooks")
_BUSY = 2.0  # seconds until a run whose target is taken asks again


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
                seen = store.version
                for run, epoch in await self.journal.claim():
                    task = asyncio.create_task(self._guarded(run, epoch))
                    self._busy.add(task)
                    task.add_done_callback(self._busy.discard)
                await store.wait(seen, 0.5)
        finally:
            for task in self._busy:
                task.cancel()

    async def _guarded(self, run: Run, epoch: int) -> None:
        keeper = asyncio.create_task(self._keep(run.number, epoch))
        try:
            await (self._plan(run, epoch) if run.state == "planning" else self._execute(run, epoch))
        except Fenced:
            log.warning("run_taken_over", run_id=run.id)
        finally:
            keeper.cancel()

    async def _keep(self, run_id: int, epoch: int) -> None:
        with suppress(Fenced):
            while True:
                await asyncio.sleep(LEASE.total_seconds() / 3)
                await self.journal.renew(run_id, epoch)

    async def _plan(self, run: Run, epoch: int) -> None:
        try:
            runbook = pinned(run)
            plan = await self.planner.plan(runbook, run.inputs)
        except (JacklineError, TimeoutError) as error:
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
            await self._undo(runbook, run, epoch)
            return
        steps: dict[str, Any] = {}
        names = {"inputs": run.inputs, "steps": steps}
        runner = StepRunner(self.journal, self.planner, run.number, epoch)
        for written in runbook.steps:
            step = written.step
            last = await self._last(run.number, step.id)
            if last is not None and last.state == "done":
                steps[step.id] = last.output
                continue
            if await self._aborted(run.number):
                await self.journal.end(run.number, epoch, "aborted", step=step.id)
                return
            outcome = await runner.do(runbook, step, names, last)
            steps[step.id] = outcome.out
            if outcome.state == "unknown":
                await self.journal.end(run.number, epoch, "unknown", outcome.error, step.id)
                return
            if outcome.state == "failed" and step.on_failure != "continue":
                if step.on_failure == "undo":
                    await self._undo(runbook, run, epoch, failed=f"{step.id}: {outcome.error}")
                else:
                    await self.journal.end(run.number, epoch, "failed", outcome.error, step.id)
                return
        await self.journal.end(run.number, epoch, "succeeded")

    async def _begin(self, run: Run, epoch: int) -> bool:
        async with self.journal.fenced(run.number, epoch) as (session, fresh):
            taken = await self.journal.lock_targets(session, fresh)
            if taken:
                fresh.lease_until = now()
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
        if taken:
            await asyncio.sleep(_BUSY)
        return not taken

    async def _last(self, run_id: int, step: str) -> StepAttempt | None:
        found = [a for a in await self.journal.attempts(run_id, "do") if a.step == step]
        return found[-1] if found else None

    async def _aborted(self, run_id: int) -> bool:
        async with self.journal.store.read() as session:
            run = await session.get_one(Run, run_id)
            return run.abort

    async def _undo(self, runbook: Runbook, run: Run, epoch: int, failed: str = "") -> None:
        """Takes the done steps back, last first; each failure is reported on its own."""
        done = [a for a in await self.journal.attempts(run.number, "do") if a.state == "done"]
        undone = {
            a.step for a in await self.journal.attempts(run.number, "undo") if a.state == "done"
        }
        by_id = {w.step.id: w.step for w in runbook.steps}
        outputs = {a.step: a.output for a in done}
        names = {"inputs": run.inputs, "steps": outputs}
        problems = []
        for attempt in reversed(done):
            if attempt.step in undone:
                continue
            problem = await self._take_back(by_id[attempt.step], attempt, names, run, epoch)
            if problem:
                problems.append(f"{attempt.step}: {problem}")
        error = "; ".join([failed, *problems] if failed else problems)
        if problems:
            error = f"not taken back: {error}"
        await self.journal.end(run.number, epoch, "failed" if error else "aborted", error)

    async def _take_back(
        self, step: Step, attempt: StepAttempt, names: dict[str, Any], run: Run, epoch: int
    ) -> str:
        """'' when the step is taken back or has nothing to take back; else what is wrong."""
        if isinstance(step.undo, NoUndo):
            return step.undo.none
        try:
            name, params = self._undo_call(step, attempt, names)
        except (BadInput, NotFound) as error:
            return error.message
        if not name:
            return ""
        action = self.planner.registry.action(name)
        target, last = action.target(params), "no access path works"
        for path in self.planner.dialer.paths(target, step.via):
            intent = await self.journal.intend(
                run.number, epoch, step.id, "undo", action=name, target=target, access_path=path
            )
            try:
                async with (
                    asyncio.timeout(step.timeout),
                    self.planner.dialer.connect(target, path) as link,
                ):
                    out = await action.apply(params, link)
            except NotSent as error:
                last = error.message
                await self.journal.settle(intent, epoch, "not_sent", error=last)
                continue
            except (TargetError, TimeoutError) as error:
                await self.journal.settle(intent, epoch, "failed", error=str(error))
                return str(error)
            await self.journal.settle(intent, epoch, "done", output=out)
            return ""
        return last

    def _undo_call(
        self, step: Step, attempt: StepAttempt, names: dict[str, Any]
    ) -> tuple[str, Any]:
        if isinstance(step.undo, Undo):
            action = self.planner.registry.action(step.undo.action)
            return step.undo.action, arguments(action, step.undo, names)
        action = self.planner.registry.action(step.action)
        params = arguments(action, step, names)
        call = action.undo(params, attempt.before)
        if call is None:
            return "", None
        return call.action, validated(
            self.planner.registry.action(call.action), call.params, step.id
        )


def pinned(run: Run) -> Runbook:
    """The runbook as it was when the run was asked for. Raises `BadInput`."""
    runbook, problems = read(run.text, run.path)
    if runbook is None:
        raise BadInput("\n".join(map(str, problems)))
    return runbook

"""Drives runs: plans what is to be planned, runs what is approved, resumes what was left.

Any process may die at any line: another one takes the run over when its lease is out, reads the
journal, and goes on from there.
"""

import asyncio
from contextlib import suppress
from datetime import timedelta

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from bot.errors import BadInput, JacklineError
from bot.log import get
from bot.runbooks.called import called_stop
from bot.runbooks.execute import Execution
from bot.runbooks.journal import LEASE, Fenced, Journal
from bot.runbooks.model import Runbook
from bot.runbooks.plan import Planner, digest, exceeds
from bot.runbooks.read import read
from bot.runbooks.tables import Run
from bot.runbooks.units import limits
from bot.store import YIELDING, now

log = get("runbooks")
_GATHER = 0.03  # seconds in which the outbox goes first: people wait for it
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
                await asyncio.sleep(_GATHER)
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
        if not sent:
            await called_stop(self.journal, run.number, epoch)
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
            runbook = self._pinned(run)
            plan = await self.planner.plan(runbook, run.inputs)
            earlier = await self.journal.durations(run.runbook_id)
        except (JacklineError, OSError) as error:
            await self.journal.end(run.number, epoch, "failed", f"cannot be planned: {error}")
            return
        async with self.journal.fenced(run.number, epoch) as (session, fresh):
            if fresh.state != "planning":
                return
            fresh.plan_digest = digest(plan, run.digest)
            fresh.plan = {**plan, "earlier": earlier}
            fresh.state, fresh.lease_until = ("waiting" if run.requester else "proposed"), None
            if run.requester and not plan["approvals"]["count"]:
                fresh.state = "approved"
            data = {"steps": plan["steps"], "digest": fresh.plan_digest, "earlier": earlier,
                    "limits": limits(runbook)}  # fmt: skip
            await self.journal.record(
                session, fresh, "run_planned", f"Plan made: {run.title}", data
            )

    async def _execute(self, run: Run, epoch: int) -> None:
        runbook = self._pinned(run)
        if run.started_at is None and not run.undo_requested:
            if not await self._still(runbook, run, epoch):
                return
            await self._note_an_edit(run, epoch)
        if await self._begin(run, epoch):
            await Execution(self.journal, self.planner, runbook, run, epoch).go()

    async def _still(self, runbook: Runbook, run: Run, epoch: int) -> bool:
        """Whether the run would still do no more than was approved; else it waits again."""
        if not run.plan["approvals"]["count"] and not run.approved_at:
            return True  # nobody agreed to anything that could have changed
        try:
            plan = await self.planner.plan(runbook, run.inputs)
        except JacklineError as error:
            await self.journal.end(run.number, epoch, "failed", f"cannot be planned: {error}")
            return False
        more = exceeds(run.plan, plan)
        if not more:
            return True
        async with self.journal.fenced(run.number, epoch) as (session, fresh):
            if fresh.state != "approved":
                return False  # a person has ended it meanwhile
            fresh.plan, fresh.plan_digest = plan, digest(plan, run.digest)
            fresh.state, fresh.approved_at, fresh.lease_until = "waiting", None, None
            text = f"Since the approval the plan has changed ({more}): {run.title}"
            data = {"steps": plan["steps"], "digest": fresh.plan_digest}
            await self.journal.record(session, fresh, "approval_void", text, data)
        return False

    async def _note_an_edit(self, run: Run, epoch: int) -> None:
        """A run goes on with the version that was approved, and says so when the file differs."""
        current = self.journal.runs.library.runbooks.get(run.runbook_id)
        if current is None or current.digest == run.digest:
            return
        async with self.journal.fenced(run.number, epoch) as (_, fresh):
            fresh.note = "The runbook's file was edited since; this run keeps its own version"

    async def _begin(self, run: Run, epoch: int) -> bool:
        """Whether the run may go on now: agreed to, not frozen, its targets its own."""
        async with self.journal.fenced(run.number, epoch, whole=True) as (session, fresh):
            if fresh.state not in ("approved", "running", "held"):
                return False  # a person has ended it meanwhile
            first = not (fresh.started_at or fresh.undo_requested)
            reason = await self.journal.runs.forbids(session, fresh) if first else ""
            if reason:
                fresh.state, fresh.approved_at, fresh.lease_until = "waiting", None, None
                await self.journal.record(
                    session, fresh, "approval_void", f"{reason}: {run.title}", {}
                )
                return False
            taken = await self.journal.lock_targets(session, fresh)
            if taken:
                fresh.lease_until = await self.journal.store.until(session, _BUSY)
                log.info("run_waits_for_target", run_id=run.id, target=taken)
                return False
            await self._resume(session, fresh)
        return True

    async def _resume(self, session: AsyncSession, fresh: Run) -> None:
        """From approved, held or paused to running; time that the run did not run is kept."""
        if fresh.held_at is not None:
            fresh.held_seconds += (now() - fresh.held_at).total_seconds()
        fresh.held_at = fresh.wake_at = None
        fresh.state = "running"
        if fresh.started_at is None:
            fresh.started_at = now()
            data = {"runbook": fresh.runbook_id, "title": fresh.title, "note": fresh.note}
            text = f"Running: {fresh.title}" + (f". {fresh.note}" if fresh.note else "")
            await self.journal.record(session, fresh, "run_started", text, data)

    def _pinned(self, run: Run) -> Runbook:
        """The runbook as it was when the run was asked for. Raises `BadInput`."""
        current = self.journal.runs.library.runbooks.get(run.runbook_id)
        if current is not None and current.digest == run.digest:
            return current
        runbook, problems = read(run.text, run.path)
        if runbook is None:
            raise BadInput("\n".join(map(str, problems)))
        return runbook

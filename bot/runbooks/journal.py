"""The journal's transitions: who owns a run, what was intended, what came of it.

Every write of an owner checks its epoch first: an owner that was paused past its lease finds
that the run has another epoch, and its late outcome is refused.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from sqlalchemy import Connection, Row, and_, delete, func, or_, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import defer
from sqlmodel import col, select

from bot.log import redact_text
from bot.runbooks import statements
from bot.runbooks.holds import lent
from bot.runbooks.output import is_long
from bot.runbooks.requests import Runs
from bot.runbooks.tables import ENDED, Run, StepAttempt, TargetLock
from bot.store import Store, now

LEASE = timedelta(seconds=15)
WORK = ("planning", "approved", "running")
_LARGE = tuple(defer(getattr(Run, name)) for name in ("plan", "text", "inputs"))


class Fenced(Exception):
    """The run has another owner by now."""


class TargetTaken(Exception):
    """Another run acts on the target; ``run_id`` is that run."""

    def __init__(self, run_id: int) -> None:
        super().__init__(run_id)
        self.run_id = run_id


class Journal:
    """One per engine; ``owner`` names this process."""

    def __init__(self, store: Store, runs: Runs, owner: str) -> None:
        self.store = store
        self.runs = runs
        self.owner = owner

    async def claim(self) -> list[tuple[Run, int]]:
        """Runs with work and no living owner, with the epoch under which they are now ours."""
        due = and_(col(Run.state) == "held", col(Run.wake_at) <= now())
        work = or_(col(Run.state).in_(WORK), due)
        free = or_(col(Run.lease_until).is_(None), col(Run.lease_until) < self.store.clock())
        waiting = select(Run).where(work, free).order_by(col(Run.id)).limit(20)
        async with self.store.read() as session:
            if (await session.execute(waiting)).first() is None:
                return []
        claimed = []
        async with self.store.write() as session:
            locked = waiting.with_for_update(skip_locked=True)
            found = (await session.execute(locked)).scalars().all()
            until = await self.store.until(session, LEASE)
            for run in found:
                run.owner, run.epoch, run.lease_until = self.owner, run.epoch + 1, until
                claimed.append((run, run.epoch))
        return claimed

    @asynccontextmanager
    async def fenced(
        self, run_id: int, epoch: int, *, whole: bool = False
    ) -> AsyncIterator[tuple[AsyncSession, Run]]:
        """A transaction that is only ours under this epoch; it renews the lease.

        Plan, text and inputs are read only for ``whole``: they are large, and most writes are
        about something else. Raises `Fenced`.
        """
        query = select(Run).where(Run.id == run_id).with_for_update()
        async with self.store.write() as session:
            light = () if whole else _LARGE
            run = (await session.execute(query.options(*light))).scalar_one()
            if run.epoch != epoch:
                raise Fenced
            run.lease_until = await self.store.until(session, LEASE)
            yield session, run

    async def renew(self, run_id: int, epoch: int) -> None:
        """Keeps the lease while a step takes long. Raises `Fenced`."""
        async with self.store.write() as session:
            renewed = await session.execute(
                update(Run)
                .where(col(Run.id) == run_id, col(Run.epoch) == epoch)
                .values(lease_until=await self.store.until(session, LEASE))
            )
            if not renewed.rowcount:  # type: ignore[attr-defined]  # an UPDATE's CursorResult
                raise Fenced

    async def lock_targets(self, session: AsyncSession, run: Run) -> str:
        """Takes the run's targets; returns the first one that another run holds, or ''."""
        wanted = sorted(run.plan.get("targets", []))
        held = select(TargetLock).where(col(TargetLock.target).in_(wanted))
        holders = {lock.target: lock.run_id for lock in (await session.execute(held)).scalars()}
        for target in wanted:
            holder = holders.get(target, run.number)
            if holder != run.number and not await session.run_sync(lent, holder, run.parent_id):
                return str(target)
        for target in wanted:
            if target not in holders:
                session.add(TargetLock(target=target, run_id=run.number))
        await session.flush()
        return ""

    async def unlock_targets(self, session: AsyncSession, run: Run) -> None:
        """Lets the run's targets go."""
        await session.execute(delete(TargetLock).where(col(TargetLock.run_id) == run.number))

    async def aborted(self, run_id: int) -> bool:
        """Whether a person has asked for the run's end."""
        return bool((await self.asked(run_id)).abort)

    async def asked(self, run_id: int) -> Row[Any]:
        """Whether a person has asked for the run's end (``abort``) or a ``pause``, and its times."""
        (row,) = await self.store.look(statements.ASKED, {"of": run_id})
        return row

    async def calls(self, run_id: int) -> set[str]:
        """The states of the runs that this one called and that have not ended."""
        return {row.state for row in await self.store.look(statements.CALLED, {"of": run_id})}

    async def dead_paths(self, run_id: int) -> set[str]:
        """Access paths over which nothing got through in this run's incident so far."""
        rows = await self.store.look(statements.DEAD, {"of": run_id})
        return {row.access_path for row in rows}

    async def fresh(self, run_id: int) -> Run:
        """The run as it stands now."""
        async with self.store.read() as session:
            return await session.get_one(Run, run_id)

    async def attempts(self, run_id: int, phase: str = "") -> list[StepAttempt]:
        """A run's attempts in order, of one phase or of all."""
        query = select(StepAttempt).where(StepAttempt.run_id == run_id)
        if phase:
            query = query.where(StepAttempt.phase == phase)
        async with self.store.read() as session:
            return list((await session.execute(query.order_by(col(StepAttempt.id)))).scalars())

    async def durations(self, runbook_id: str) -> dict[str, float]:
        """Seconds that each unit took in the last runs of the runbook: their median."""
        query = (
            select(StepAttempt.step, StepAttempt.started_at, StepAttempt.ended_at)
            .join(Run, col(Run.id) == col(StepAttempt.run_id))
            .where(Run.runbook_id == runbook_id, StepAttempt.phase == "do")
            .where(StepAttempt.state == "done", col(StepAttempt.action) != "manual")
            .order_by(col(StepAttempt.id).desc())
            .limit(200)
        )
        took: dict[str, list[float]] = {}
        async with self.store.read() as session:
            for step, began, ended in await session.execute(query):
                if ended is not None:
                    took.setdefault(step, []).append((ended - began).total_seconds())
        return {step: round(median(times), 1) for step, times in took.items()}

    async def intend(
        self,
        run_id: int,
        epoch: int,
        step: str,
        phase: str,
        *,
        lock: bool = False,
        **facts: Any,  # noqa: ANN401 - columns of StepAttempt
    ) -> StepAttempt:
        """Commits that an action is about to be sent.

        ``lock``: the target becomes the run's, if it is not yet: some are known only by now.
        Raises `Fenced`, and `TargetTaken` when another run has it.
        """

        def write(connection: Connection) -> StepAttempt:
            run = self._ours(connection, run_id, epoch)
            if lock:
                _lock(connection, run, facts["target"])
            row = {"run_id": run_id, "step": step, "phase": phase, "state": "intent",
                   "epoch": epoch, "target": "", "access_path": "", "before": {}, "output": {},
                   "error": "", "started_at": now(), **facts}  # fmt: skip
            key = {"of_run": run_id, "of_step": step, "of_phase": phase}
            added = connection.execute(statements.ADD, row | key).one()
            attempt = StepAttempt(id=added.id, attempt=added.attempt, **row)
            kind = "undo_started" if phase == "undo" else "step_started"
            word = {"do": "", "undo": "Undo of ", "gate": "Gate after "}[phase]
            data = {"step": step, "action": attempt.action, "target": attempt.target,
                    "path": attempt.access_path, "attempt": attempt.attempt}  # fmt: skip
            what = f"{attempt.action} on {attempt.target}" if attempt.target else attempt.action
            self._note(connection, run, kind, f"{word}{step}: {what}", data)
            return attempt

        return await self.store.transact(write)

    @asynccontextmanager
    async def noting(
        self,
        run_id: int,
        epoch: int,
        step: str,
        phase: str,
        *,
        kind: str,
        text: str,
        **facts: Any,  # noqa: ANN401 - columns of StepAttempt
    ) -> AsyncIterator[tuple[AsyncSession, Run, StepAttempt]]:
        """Commits a row that is no call of an action, such as one that waits. Raises `Fenced`."""
        async with self.fenced(run_id, epoch) as (session, run):
            attempt = await added(session, run, epoch, step, phase, facts)
            if attempt.state == "done":
                attempt.ended_at = now()
            yield session, run, attempt
            data = {"step": step, "action": attempt.action, "out": attempt.output}
            await self.record(session, run, kind, text, data)

    async def held_back(self, run_id: int, epoch: int, step: str, reason: str) -> None:
        """Commits that a guard kept a step from beginning. Raises `Fenced`."""

        def write(connection: Connection) -> None:
            data = {"step": step, "reason": reason}
            run = self._ours(connection, run_id, epoch)
            self._note(connection, run, "guard_failed", f"{step} held back: {reason}", data)

        await self.store.transact(write)

    async def hold(
        self, run_id: int, epoch: int, state: str, wake_at: datetime | None = None
    ) -> None:
        """Lets go of a run that is ``held`` or ``paused``; its targets stay locked.

        A person who answered since the owner last looked has left a ``wake_at``, and one who
        asked for its end or a pause a flag: neither must be lost, or nobody would ever take the
        run up again.
        """
        async with self.fenced(run_id, epoch) as (session, run):
            if run.abort or (run.pause and state == "held"):
                state, wake_at = "held", now()
            run.state, run.lease_until, run.held_at = state, None, now()
            said = run.wake_at if state == "held" else None
            run.wake_at = min(filter(None, (wake_at, said)), default=None)
            if state == "paused":
                await self.record(session, run, "run_paused", f"Paused: {run.title}", {})
            else:
                await self.runs.show(session, run)

    async def settle(
        self,
        attempt: StepAttempt,
        epoch: int,
        state: str,
        *,
        output: dict[str, Any] | None = None,
        error: str = "",
        again: bool = False,
    ) -> None:
        """Commits what came of an attempt; ``again``: it failed, and another one follows.

        ``done``, ``failed``, ``not_sent`` or ``unknown``; ``interrupted`` where a crash ended it
        and it may be made again, which is no failure of the step.
        """

        out, why = output or {}, redact_text(error)

        def write(connection: Connection) -> None:
            run = self._ours(connection, attempt.run_id, epoch)
            ended = now()
            values = {"state": state, "output": out, "error": why, "ended_at": ended}
            connection.execute(statements.SETTLE, {"of": attempt.id, **values})
            seconds = round((ended - attempt.started_at).total_seconds(), 3)
            kind, text = _outcome(attempt, state, why, seconds)
            if again:
                kind, text = "step_retried", f"{attempt.step}: {why} It is tried again."
            data = {"step": attempt.step, "action": attempt.action, "path": attempt.access_path,
                    "attempt": attempt.attempt, "seconds": seconds, "error": why,
                    "out": out}  # fmt: skip
            self._note(connection, run, kind, text, data)
            if attempt.phase in ("do", "undo") and is_long(out):
                self._fold(connection, run, attempt)

        await self.store.transact(write)

    def _fold(self, connection: Connection, run: statements.Ours, attempt: StepAttempt) -> None:
        """What the step gave back, in the thread of the run's message."""
        self.runs.incidents.outbox.put(
            connection, run.incident_id, f"output-{attempt.id}", "output",
            {"attempt": attempt.id}, thread=f"run-{run.id}",
        )  # fmt: skip

    def _ours(self, connection: Connection, run_id: int, epoch: int) -> statements.Ours:
        """The run's row locked, its lease renewed. Raises `Fenced` under another epoch."""
        until = self.store.moment(connection) + LEASE
        key = {"of": run_id, "under": epoch, "until": until}
        run = connection.execute(statements.RENEW, key).first()
        if run is None:
            raise Fenced
        return run

    def _note(
        self,
        connection: Connection,
        run: statements.Ours,
        kind: str,
        text: str,
        data: dict[str, Any],
    ) -> None:
        """As `record`, in a plain transaction."""
        incidents = self.runs.incidents
        data = {"run_id": run.id, **data}
        incidents.ledger.put(connection, run.incident_id, kind, "jackline", text, data=data)
        incidents.outbox.put(
            connection, run.incident_id, f"run-{run.id}", "run", {"run_id": run.id}
        )
        if kind == "step_started":  # the card says at which step it is
            incidents.outbox.put(connection, run.incident_id, "card", "card")

    async def end(
        self, run_id: int, epoch: int, state: str, error: str = "", step: str = ""
    ) -> None:
        """Commits the end of a run (or its stop at *unknown*) and lets its targets go.

        One that a person has ended meanwhile stays as it is.
        """
        async with self.fenced(run_id, epoch) as (session, run):
            if run.state in ENDED:
                return
            run.state, run.error, run.lease_until = state, redact_text(error), None
            run.wake_at = None
            run.held_at = now() if state == "unknown" else None  # a person's time is no run time
            if state != "unknown":
                run.ended_at, run.undo_requested = now(), False
                await self.unlock_targets(session, run)
            seconds = (now() - run.started_at).total_seconds() if run.started_at else 0.0
            data = {"step": step, "error": error, "seconds": round(seconds, 3)}
            where, why = f" at {step}" if step else "", f": {error}" if error else ""
            text = f"{run.title}: {state}{where}{why}"
            await self.record(session, run, f"run_{state}", text, data)

    async def record(
        self, session: AsyncSession, run: Run, kind: str, text: str, data: dict[str, Any]
    ) -> None:
        """A timeline row of Jackline's, and the run's message redrawn."""
        await self.runs.incidents.ledger.append(
            session, run.incident_id, kind, "jackline", text, data={"run_id": run.id, **data}
        )
        await self.runs.show(session, run)


def _lock(connection: Connection, run: statements.Ours, target: str) -> None:
    holder = connection.execute(statements.HOLDER, {"of": target}).scalar()
    if holder is None:
        connection.execute(statements.LOCK, {"target": target, "run": run.id})
        holder = connection.execute(statements.HOLDER, {"of": target}).scalar_one()
    if holder != run.id and not lent(connection, holder, run.parent_id):
        raise TargetTaken(holder)


async def added(
    session: AsyncSession, run: Run, epoch: int, step: str, phase: str, facts: dict[str, Any]
) -> StepAttempt:
    """A row that is no call of an action, flushed, as the next attempt of its phase."""
    query = select(func.max(StepAttempt.attempt)).where(
        StepAttempt.run_id == run.number, StepAttempt.step == step, StepAttempt.phase == phase
    )
    number = ((await session.execute(query)).scalar() or 0) + 1
    attempt = StepAttempt(
        run_id=run.number, step=step, phase=phase, attempt=number, epoch=epoch,
        **{"target": "", **facts},
    )  # fmt: skip
    session.add(attempt)
    await session.flush()
    return attempt


def _outcome(row: StepAttempt, state: str, error: str, seconds: float) -> tuple[str, str]:
    name = {"undo": "Undo of ", "gate": "Gate after "}.get(row.phase, "") + row.step
    if row.phase == "gate":
        held = state == "done"
        said = f"{name}: holds" if held else f"{name}: {error}"
        return ("gate_passed" if held else "gate_failed"), said
    if state == "done":
        kind = "step_undone" if row.phase == "undo" else "step_succeeded"
        return kind, f"{name}: done in {seconds:.1f} s"
    if state == "not_sent":
        return "access_failed", f"{name}: no way in over {row.access_path}: {error}"
    if state == "unknown":
        return "step_unknown", f"{name}: outcome unknown: {error}"
    if state == "interrupted":
        return "step_interrupted", f"{name}: interrupted by a crash; {error}"
    return "step_failed", f"{name}: {error}"

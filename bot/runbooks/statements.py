"""The statements that the journal runs twice for each step, on the tables themselves.

Built once: SQLAlchemy takes longer to compose one than SQLite or PostgreSQL take to run it.
"""

from sqlalchemy import Row, Table, bindparam, func, insert, select, text, update

from bot.runbooks.tables import ENDED, Run, StepAttempt, TargetLock

Ours = Row[tuple[int, int, int | None]]  # a run's id, its incident's, its caller's

_run: Table = Run.__table__  # type: ignore[attr-defined]  # SQLModel does not declare it
_step: Table = StepAttempt.__table__  # type: ignore[attr-defined]  # same
_locks: Table = TargetLock.__table__  # type: ignore[attr-defined]  # same
RENEW = (
    update(_run)
    .where(_run.c.id == bindparam("of"), _run.c.epoch == bindparam("under"))
    .values(lease_until=bindparam("until"))
    .returning(_run.c.id, _run.c.incident_id, _run.c.parent_id)
)
ASKED = select(_run.c.abort, _run.c.pause, _run.c.started_at, _run.c.held_seconds).where(
    _run.c.id == bindparam("of")
)
PARENT = select(_run.c.parent_id).where(_run.c.id == bindparam("of"))
CALLED = (
    select(_run.c.state)
    .distinct()
    .where(_run.c.parent_id == bindparam("of"), _run.c.state.not_in(ENDED))
)
_mine = _run.alias("mine")
DEAD = (
    select(_step.c.access_path)
    .distinct()
    .join(_run, _run.c.id == _step.c.run_id)
    .where(_step.c.state == "not_sent")
    .where(
        _run.c.incident_id
        == select(_mine.c.incident_id).where(_mine.c.id == bindparam("of")).scalar_subquery()
    )
)
_BEFORE = (
    select(func.coalesce(func.max(_step.c.attempt), 0) + 1)
    .where(_step.c.run_id == bindparam("of_run"))
    .where(_step.c.step == bindparam("of_step"), _step.c.phase == bindparam("of_phase"))
)
ADD = insert(_step).values(attempt=_BEFORE.scalar_subquery()).returning(_step.c.id, _step.c.attempt)
HOLDER = select(_locks.c.run_id).where(_locks.c.target == bindparam("of"))
LOCK = text(
    "INSERT INTO target_lock (target, run_id) VALUES (:target, :run) ON CONFLICT DO NOTHING"
)
SETTLE = update(_step).where(_step.c.id == bindparam("of"))

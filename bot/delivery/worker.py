"""Takes deliveries from the outbox and gets them to their surface, in order per lane."""

import asyncio
import random
from collections.abc import Awaitable
from datetime import timedelta
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, func, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from bot.delivery.surface import Job, Surface
from bot.delivery.tables import Binding, Delivery, Message
from bot.errors import AuthFailed, NotSent, Rejected, Retryable, TargetError, Unknown
from bot.log import get
from bot.store import Store, now

log = get("delivery")
_T = TypeVar("_T")
LEASE = timedelta(seconds=30)
OPEN = ("pending", "sending")
SLOWEST_RETRY = 30.0
BROKEN_TRIES = 3


class DeliveryWorker:
    """One per surface and process; any number of processes may run one."""

    def __init__(self, store: Store, surface: Surface, owner: str) -> None:
        self.store = store
        self.surface = surface
        self.owner = owner
        self._busy: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Works until cancelled; survives the database being away."""
        try:
            while True:
                seen = self.store.version
                try:
                    claimed = await self.claim()
                except (SQLAlchemyError, OSError) as error:
                    log.error("outbox_not_read", error=str(error))
                    claimed = []
                for job, resumed in claimed:
                    task = asyncio.create_task(self._guarded(job, resumed))
                    self._busy.add(task)
                    task.add_done_callback(self._busy.discard)
                await self.store.wait(seen, 0.5)
        finally:
            for task in self._busy:
                task.cancel()

    async def claim(self) -> list[tuple[Job, bool]]:
        """The heads of all lanes that may go now, marked as being sent.

        The flag says that somebody began it before: it must be looked for first.
        """
        async with self.store.read() as session:
            if not await self._heads(session):
                return []
        async with self.store.write() as session:
            jobs = []
            for row in await self._heads(session, lock=True):
                resumed = row.state == "sending"
                if await self._take(session, row):
                    jobs.append((await self._job(session, row), resumed))
            return jobs

    async def _heads(self, session: AsyncSession, *, lock: bool = False) -> list[Delivery]:
        first = (
            select(func.min(Delivery.id))
            .where(Delivery.surface == self.surface.name, col(Delivery.state).in_(OPEN))
            .group_by(Delivery.lane)
        )
        query = select(Delivery).where(col(Delivery.id).in_(first))
        if lock:  # what another worker takes, or a writer is about to edit, is left alone
            query = query.with_for_update(skip_locked=True)
        rows = (await session.execute(query)).scalars()
        moment = now()
        due = [
            row
            for row in rows
            if (row.state == "pending" and row.next_at <= moment)
            or (row.state == "sending" and row.lease_until and row.lease_until < moment)
        ]
        return [row for row in due if await self._ready(session, row)]

    async def _ready(self, session: AsyncSession, row: Delivery) -> bool:
        if row.op not in ("open_channel", "digest") and not await self._bound(
            session, f"channel:{row.incident_id}"
        ):
            return False
        return row.op != "pin" or bool(await self._bound(session, f"message:{row.message_id}"))

    async def _take(self, session: AsyncSession, row: Delivery) -> bool:
        taken = await session.execute(
            update(Delivery)
            .where(col(Delivery.id) == row.id, col(Delivery.state) == row.state)
            .where(col(Delivery.attempts) == row.attempts)
            .values(
                state="sending",
                owner=self.owner,
                lease_until=now() + LEASE,
                attempts=row.attempts + 1,
            )
        )
        return bool(taken.rowcount)  # type: ignore[attr-defined]  # Result of an UPDATE is a CursorResult

    async def _job(self, session: AsyncSession, row: Delivery) -> Job:
        message = await session.get(Message, row.message_id) if row.message_id else None
        return Job(
            id=row.id or 0,
            op=row.op,
            incident_id=row.incident_id,
            payload=row.payload,
            message=message,
            channel=await self._bound(session, f"channel:{row.incident_id}"),
            posted=await self._bound(session, f"message:{row.message_id}"),
            attempt=row.attempts,
        )

    async def _bound(self, session: AsyncSession, key: str) -> dict[str, Any]:
        row = await session.get(Binding, (self.surface.name, key))
        return row.value if row else {}

    async def _guarded(self, job: Job, resumed: bool) -> None:
        try:
            await self._work(job, resumed)
        except (SQLAlchemyError, OSError) as error:  # looked for and taken up again after its lease
            log.error("delivery_not_recorded", op=job.op, error=str(error))

    async def _work(self, job: Job, resumed: bool) -> None:
        known = not resumed  # whether we know that it was not sent before
        until = asyncio.get_running_loop().time() + 0.8 * LEASE.total_seconds()
        try:
            value = await self._ask(self.surface.find(job), job, until) if resumed else None
            known = True
            if value is None:
                value = await self._ask(self.surface.deliver(job), job, until)
        except Unknown as error:
            await self._later(job, error, state="sending", seconds=1.0)
        except (NotSent, Retryable, AuthFailed) as error:
            state = "pending" if known else "sending"  # to be looked for again, not sent again
            await self._later(job, error, state=state, seconds=await self._pause(job, error))
        except TargetError as error:
            log.error("delivery_refused", op=job.op, incident_id=job.incident_id, error=str(error))
            await self._settle(job, "failed", {}, str(error))
        else:
            await self._settle(job, "sent", value, "")

    async def _ask(self, call: Awaitable[_T], job: Job, until: float) -> _T:
        """What the surface says, within the lease: past it, another worker may begin."""
        try:
            async with asyncio.timeout_at(until):
                return await call
        except TimeoutError as error:
            raise Unknown(f"{self.surface.name} took too long over {job.op}.") from error
        except (TargetError, SQLAlchemyError, ConnectionError):
            raise
        except Exception as error:  # our own fault with one message must not stop its channel
            log.exception("delivery_broke", op=job.op, incident_id=job.incident_id)
            kind = Unknown if job.attempt < BROKEN_TRIES else Rejected
            raise kind(f"{type(error).__name__}: {error}") from error

    async def _pause(self, job: Job, error: TargetError) -> float:
        if isinstance(error, Retryable) and error.retry_after is not None:
            return error.retry_after
        async with self.store.read() as session:
            row = await session.get(Delivery, job.id)
        attempts = row.attempts if row else 1
        return float(min(SLOWEST_RETRY, 0.25 * 2 ** min(attempts, 10)) * random.uniform(0.7, 1.3))  # noqa: S311 - jitter

    async def _later(self, job: Job, error: TargetError, *, state: str, seconds: float) -> None:
        log.warning("delivery_postponed", op=job.op, incident_id=job.incident_id, error=str(error))
        at = now() + timedelta(seconds=seconds)
        async with self.store.write() as session:
            await session.execute(
                update(Delivery)
                .where(*_still_ours(job))
                .values(state=state, next_at=at, lease_until=at, error=str(error)[:500])
            )

    async def _settle(self, job: Job, state: str, value: dict[str, Any], error: str) -> None:
        async with self.store.write() as session:
            await session.execute(
                update(Delivery)
                .where(*_still_ours(job))
                .values(state=state, sent_at=now(), lease_until=None, error=error[:500])
            )
            key = _binding_key(job)
            if value and key and await session.get(Binding, (self.surface.name, key)) is None:
                session.add(Binding(surface=self.surface.name, key=key, value=value))


def _still_ours(job: Job) -> tuple[ColumnElement[bool], ...]:
    return (
        col(Delivery.id) == job.id,
        col(Delivery.state) == "sending",
        col(Delivery.attempts) == job.attempt,
    )


def _binding_key(job: Job) -> str:
    if job.op == "open_channel":
        return f"channel:{job.incident_id}"
    return f"message:{job.message.id}" if job.op in ("say", "digest") and job.message else ""

"""Takes deliveries from the outbox and gets them to their surface, in order per lane."""

import asyncio
import random
from collections.abc import Awaitable
from datetime import timedelta
from typing import Any, TypeVar

from sqlalchemy import (
    ColumnElement,
    Select,
    String,
    and_,
    cast,
    func,
    literal,
    null,
    or_,
    update,
)
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased
from sqlmodel import col, select

from bot.delivery.surface import Job, Surface
from bot.delivery.tables import Binding, Delivery, Message
from bot.errors import AuthFailed, NotSent, Rejected, Retryable, TargetError, Unknown
from bot.log import get
from bot.store import YIELDING, Store, now

log = get("delivery")
_T = TypeVar("_T")
LEASE = timedelta(seconds=30)
OPEN = ("pending", "sending")
UNBOUND = (  # needs no channel of the incident
    "open_channel", "leave", "digest", "notify", "confirm", "page", "page_ack", "page_resolve", "publish",
    "file", "paper",
    "read_page",
)  # fmt: skip
_Found = tuple[Delivery, Message | None, Binding | None, Binding | None, str, str]
SLOWEST_RETRY = 30.0
BROKEN_TRIES = 3


class DeliveryWorker:
    """One per surface and process; any number of processes may run one.

    ``severity`` is the expression for the severity of a delivery's incident: of what may go at the
    same time, the most severe begins first. ``workspace`` is the one for where it lives. ``lease`` is
    how long one delivery may take, after which another worker looks for it: `LEASE` if left out.
    """

    def __init__(
        self,
        store: Store,
        surface: Surface,
        owner: str,
        severity: ColumnElement[str] | None = None,
        workspace: ColumnElement[str] | None = None,
        lease: timedelta | None = None,
    ) -> None:
        self.store = store
        self.lease = LEASE if lease is None else lease
        self.surface = surface
        self.owner = owner
        self.severity = func.coalesce(severity if severity is not None else null(), "")
        self.workspace = func.coalesce(workspace if workspace is not None else null(), "")
        self._busy: set[asyncio.Task[None]] = set()
        self._query = self._heads_query()  # made once: it is asked after each delivery

    async def run(self) -> None:
        """Works until cancelled; survives the database being away."""
        try:
            while True:
                await self.store.quiet(YIELDING)
                seen = self.store.version
                try:
                    claimed = await self.claim()
                except (SQLAlchemyError, OSError) as error:
                    log.error("outbox_not_read", error=str(error))
                    claimed = []
                self.begin(claimed)
                await self.store.wait(seen, 0.5)
        finally:
            for task in self._busy:
                task.cancel()

    async def once(self) -> None:
        """Does what may go now, and ends when that is done."""
        self.begin(await self.claim())
        while self._busy:
            await asyncio.wait(self._busy)

    async def claim(self) -> list[tuple[Job, bool]]:
        """The heads of all lanes that may go now, marked as being sent.

        The flag says that somebody began it before: it must be looked for first.
        """
        async with self.store.write(silent=True) as session:
            return await self.take(session)

    def begin(self, claimed: list[tuple[Job, bool]]) -> None:
        """Sends what was claimed, once that is committed."""
        for job, resumed in claimed:
            task = asyncio.create_task(self._guarded(job, resumed))
            self._busy.add(task)
            task.add_done_callback(self._busy.discard)

    async def take(self, session: AsyncSession) -> list[tuple[Job, bool]]:
        """The same in somebody's transaction: what they have just stored need not be looked for."""
        heads = await self._heads(session)
        if not heads:
            return []
        resumed = [row.state == "sending" for row, *_ in heads]
        await session.execute(
            update(Delivery)
            .where(col(Delivery.id).in_([row.id for row, *_ in heads]))
            .values(
                state="sending",
                owner=self.owner,
                lease_until=await self.store.until(session, self.lease),
                attempts=Delivery.attempts + 1,
            )
        )
        return [(_job(*head), begun) for head, begun in zip(heads, resumed, strict=True)]

    async def _heads(self, session: AsyncSession) -> list[_Found]:
        """What may go now, locked: each with its message, its channel's binding and its own."""
        found = (await session.execute(self._query)).all()
        if not found:
            return []
        moment, clock = now(), await session.run_sync(self.store.moment)
        return [
            (row, *more)
            for row, *more in found
            if (row.state == "pending" and row.next_at <= moment)
            or (row.state == "sending" and row.lease_until and row.lease_until < clock)
        ]

    def _heads_query(self) -> Select[Any]:
        channel, posted = aliased(Binding), aliased(Binding)
        first = (
            select(func.min(Delivery.id))
            .where(Delivery.surface == self.surface.name, col(Delivery.state).in_(OPEN))
            .group_by(Delivery.lane)
        )
        query = (
            select(Delivery, Message, channel, posted)
            .add_columns(self.severity, self.workspace)
            .outerjoin(Message, col(Message.id) == col(Delivery.message_id))
            .outerjoin(channel, self._named(channel, "channel:", Delivery.incident_id))
            .outerjoin(posted, self._named(posted, "message:", Delivery.message_id))
            .where(col(Delivery.id).in_(first))
            .where(or_(col(Delivery.op).in_(UNBOUND), col(channel.key).is_not(None)))
            .where(or_(col(Delivery.op) != "pin", col(posted.key).is_not(None)))
            .order_by(self.severity, col(Delivery.id))
        )
        # what another worker takes, or a writer is about to edit, is left alone
        return query.with_for_update(of=Delivery, skip_locked=True)

    def _named(self, binding: type[Binding], prefix: str, number: Any) -> ColumnElement[bool]:  # noqa: ANN401 - a column, which SQLModel types as its value
        key = literal(prefix) + cast(number, String)
        return and_(col(binding.surface) == self.surface.name, col(binding.key) == key)

    async def _guarded(self, job: Job, resumed: bool) -> None:
        try:
            await self._work(job, resumed)
        except (SQLAlchemyError, OSError) as error:  # looked for and taken up again after its lease
            log.error("delivery_not_recorded", op=job.op, error=str(error))

    async def _work(self, job: Job, resumed: bool) -> None:
        known = not resumed  # whether we know that it was not sent before
        until = asyncio.get_running_loop().time() + 0.8 * self.lease.total_seconds()
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
            self.begin(await self._settle(job, "failed", {}, str(error)))
        else:
            self.begin(await self._settle(job, "sent", value, ""))

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
        pause = timedelta(seconds=seconds)
        async with self.store.write() as session:
            until = await self.store.until(session, pause)
            await session.execute(
                update(Delivery)
                .where(*_still_ours(job))
                .values(
                    state=state,
                    next_at=now() + pause,
                    lease_until=until,
                    error=str(error)[:500],
                )
            )

    async def _settle(
        self, job: Job, state: str, value: dict[str, Any], error: str
    ) -> list[tuple[Job, bool]]:
        """Records what became of a job, and claims in the same commit what waited for it."""
        async with self.store.write(silent=True) as session:
            await session.execute(
                update(Delivery)
                .where(*_still_ours(job))
                .values(state=state, sent_at=now(), lease_until=None, error=error[:500])
            )
            key = _binding_key(job)
            if value and key:
                await self._bind(session, job, key, value)
            return await self.take(session)

    async def _bind(self, session: AsyncSession, job: Job, key: str, value: dict[str, Any]) -> None:
        """The first one stays, but a message that is posted again in a new channel is there now."""
        found = await session.get(Binding, (self.surface.name, key))
        if found is None:
            session.add(Binding(surface=self.surface.name, key=key, value=value))
        elif job.op == "say" and found.value.get("channel") != value.get("channel"):
            found.value = value


def _job(
    row: Delivery,
    message: Message | None,
    channel: Binding | None,
    posted: Binding | None,
    severity: str,
    workspace: str,
) -> Job:
    return Job(
        id=row.id or 0,
        op=row.op,
        incident_id=row.incident_id,
        payload=row.payload,
        message=message,
        channel=channel.value if channel else {},
        posted=posted.value if posted and not _elsewhere(row, channel, posted) else {},
        attempt=row.attempts,
        severity=severity,
        workspace=workspace,
        asked_at=row.created_at,
    )


def _elsewhere(row: Delivery, channel: Binding | None, posted: Binding) -> bool:
    """Posted in a channel that the incident has left: nothing is edited or pinned there."""
    here = channel.value.get("channel") if channel else None
    return row.op in ("say", "pin") and posted.value.get("channel", here) != here


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

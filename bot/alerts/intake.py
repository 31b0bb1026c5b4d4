"""Accepts alerts: on disk before they are acknowledged.

One writer per process commits whatever has queued up since its last commit (group commit), with
Core inserts: the ORM and one commit an alert would be the bottleneck, not the disk.
"""

import asyncio
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Insert
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.exc import SQLAlchemyError

from bot.alerts.tables import StoredAlert
from bot.contract import Alert
from bot.errors import Unavailable
from bot.log import get
from bot.store import Store, now

log = get("alerts")
_QUEUE_LIMIT = 2_000
_BATCH_LIMIT = 5_000


@dataclass
class _Waiting:
    rows: list[dict[str, Any]]
    stored: "asyncio.Future[None]"

    def answer(self, error: Unavailable | None = None) -> None:
        """Tells the one who waits, unless they have given up."""
        if self.stored.done():
            return
        if error is None:
            self.stored.set_result(None)
        else:
            self.stored.set_exception(error)


class Intake:
    """``accept`` returns only after the commit; ``run`` is the writer."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._queue: asyncio.Queue[_Waiting] = asyncio.Queue(_QUEUE_LIMIT)

    async def accept(self, alerts: list[Alert]) -> None:
        """Stores the alerts. Raises `Unavailable` when that cannot be promised now."""
        if not alerts:
            return
        waiting = _Waiting([_row(a) for a in alerts], asyncio.get_running_loop().create_future())
        try:
            self._queue.put_nowait(waiting)
        except asyncio.QueueFull:
            raise Unavailable(
                "Too many alerts are waiting to be stored.", hint="Send again."
            ) from None
        await waiting.stored

    async def run(self) -> None:
        """Writes until cancelled; what is waiting then is refused, never lost silently."""
        try:
            while True:
                batch = [await self._queue.get()]
                while not self._queue.empty() and sum(len(w.rows) for w in batch) < _BATCH_LIMIT:
                    batch.append(self._queue.get_nowait())
                await self._commit(batch)
        finally:
            while not self._queue.empty():
                self._queue.get_nowait().answer(Unavailable("Shutting down."))

    async def _commit(self, batch: list[_Waiting]) -> None:
        rows = [row for waiting in batch for row in waiting.rows]
        try:
            async with self.store.write() as session:
                await session.execute(self._insert(), rows)
        except (SQLAlchemyError, OSError) as error:
            log.error("alerts_not_stored", count=len(rows), error=str(error))
            for waiting in batch:
                waiting.answer(Unavailable("The database did not take the alerts."))
            return
        except asyncio.CancelledError:
            for waiting in batch:  # perhaps stored, perhaps not: sent again it is stored once
                waiting.answer(Unavailable("Shutting down."))
            raise
        for waiting in batch:
            waiting.answer()

    def _insert(self) -> Insert:
        table = StoredAlert.__table__  # type: ignore[attr-defined]  # SQLModel sets it on table classes
        if self.store.is_sqlite:
            return sqlite_insert(table).on_conflict_do_nothing()
        return postgresql_insert(table).on_conflict_do_nothing()


def _row(alert: Alert) -> dict[str, Any]:
    return {
        "source": alert.source,
        "fingerprint": alert.fingerprint,
        "status": alert.status,
        "starts_at": alert.starts_at,
        "ends_at": alert.ends_at,
        "name": alert.name,
        "labels": alert.labels,
        "annotations": alert.annotations,
        "link": alert.link,
        "received_at": now(),
        "state": "new",
        "decision": {},
    }

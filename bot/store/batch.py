"""Group commit: many small things put on disk together, each sender told when its own is there.

One writer a process commits whatever has queued up since its last commit, with Core inserts: the
ORM and one commit a thing would be the bottleneck, not the disk.
"""

import asyncio
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Insert, Table
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.exc import SQLAlchemyError

from bot.errors import Unavailable
from bot.log import get
from bot.store.engine import Store

log = get("store")
QUEUE_LIMIT = 2_000
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


class Batch:
    """Inserts into one table. ``accept`` returns only after the commit; ``run`` is the writer.

    A row that is there already, by any of the table's unique keys, is left as it is.
    ``what`` names the rows in errors: "alerts". ``silent``: as in `Store.write`.
    """

    def __init__(self, store: Store, table: Table, what: str, *, silent: bool = False) -> None:
        self.store = store
        self.silent = silent
        self.what = what
        self._insert = _insert(store, table)
        self._queue: asyncio.Queue[_Waiting] = asyncio.Queue(QUEUE_LIMIT)

    async def accept(self, rows: list[dict[str, Any]]) -> None:
        """Stores the rows. Raises `Unavailable` when that cannot be promised now."""
        if not rows:
            return
        waiting = _Waiting(rows, asyncio.get_running_loop().create_future())
        try:
            self._queue.put_nowait(waiting)
        except asyncio.QueueFull:
            raise Unavailable(
                f"Too many {self.what} are waiting to be stored.", hint="Send again."
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
            async with self.store.write(silent=self.silent) as session:
                await session.execute(self._insert, rows)
        except (SQLAlchemyError, OSError) as error:
            log.error("not_stored", what=self.what, count=len(rows), error=str(error))
            for waiting in batch:
                waiting.answer(Unavailable(f"The database did not take the {self.what}."))
            return
        except asyncio.CancelledError:
            for waiting in batch:  # perhaps stored, perhaps not: sent again it is stored once
                waiting.answer(Unavailable("Shutting down."))
            raise
        for waiting in batch:
            waiting.answer()


def _insert(store: Store, table: Table) -> Insert:
    if store.is_sqlite:
        return sqlite_insert(table).on_conflict_do_nothing()
    return postgresql_insert(table).on_conflict_do_nothing()

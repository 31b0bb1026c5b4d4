"""Group commit: many small things put on disk together, each sender told when its own is there.

One writer a process commits whatever has queued up since its last commit, with Core inserts: the
ORM and one commit a thing would be the bottleneck, not the disk. Where there is a spool, it takes
over while the database is away, and is drained in order when that is back.
"""

import asyncio
from collections import deque
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Insert, Table
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.exc import DataError, SQLAlchemyError

from bot.errors import BadInput, JacklineError, Unavailable
from bot.log import get
from bot.store.engine import Store
from bot.store.spool import Row, Spool

log = get("store")
ROOM = 20_000  # things that may wait
_OF_ONE, _OF_MOST = 0.5, 0.8  # parts of that room for one sender, and for all but the urgent
_BATCH_LIMIT = 5_000  # things of one commit
_GATHER = 0.002  # seconds at most that a commit waits to be as full as the last one
_PATIENCE = 3.0  # seconds for a commit, where a spool can take over
_LONG = 30.0  # seconds for one commit of what was spooled
_PAUSE = 0.5  # seconds until a database that was away is tried again


@dataclass(slots=True)
class _Waiting:
    rows: Sequence[Row]
    sender: str
    weight: int
    stored: "asyncio.Future[None]"

    def answer(self, error: JacklineError | None = None) -> None:
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

    def __init__(
        self, store: Store, table: Table, what: str, *, silent: bool = False,
        spool: Spool | None = None,
    ) -> None:  # fmt: skip
        self.store = store
        self.silent = silent
        self.what = what
        self.spool = spool
        self._insert = _insert(store, table)
        self._queue: deque[_Waiting] = deque()
        self._came = asyncio.Event()  # the first, and as many as are expected
        self._expected = 1
        self._taken: dict[str, int] = {}  # rows that wait, by sender
        self._all = 0
        self._filled = asyncio.Event()  # the spool holds something
        self._at_spool = asyncio.Lock()

    async def accept(
        self, rows: Sequence[Row], *, sender: str = "", urgent: bool = False, weight: int = 0
    ) -> None:
        """Stores the rows. Raises `Unavailable` when that cannot be promised now, and `BadInput`
        for what the database will never take.

        No sender takes all of the room, and the last of it is for what is ``urgent``. ``weight``
        is how many things the rows hold, where that is not one each.
        """
        if not rows:
            return
        weight = weight or len(rows)
        mine = self._taken.get(sender, 0)
        if self._all:  # what is asked for when nothing waits fits always, however much it is
            self._require_room(weight, mine, sender, urgent=urgent)
        stored = asyncio.get_running_loop().create_future()
        self._taken[sender] = mine + weight
        self._all += weight
        try:
            self._queue.append(_Waiting(rows, sender, weight, stored))
            if len(self._queue) == 1 or len(self._queue) >= self._expected:
                self._came.set()
            await stored
        finally:
            self._taken[sender] -= weight
            self._all -= weight

    def _require_room(self, count: int, mine: int, sender: str, *, urgent: bool) -> None:
        full = self._all + count > ROOM * (1 if urgent else _OF_MOST)
        if full or (mine and not urgent and sender and mine + count > ROOM * _OF_ONE):
            whose = "" if full else f" of {sender}"
            raise Unavailable(
                f"Too many {self.what}{whose} are waiting to be stored.", hint="Send again."
            )

    async def run(self) -> None:
        """Writes until cancelled; what is waiting then is refused, never lost silently."""
        batch: list[_Waiting] = []
        draining = None
        if self.spool is not None:
            await asyncio.to_thread(self.spool.open)
            draining = asyncio.create_task(self._drain(self.spool))
        try:
            while True:
                batch = await self._next()
                await self._keep(batch)
                self._expected = len(batch)
        finally:
            # perhaps stored, perhaps not: sent again it is stored once
            _answer([*batch, *self._queue], Unavailable("Shutting down."))
            self._queue.clear()
            if draining is not None:
                draining.cancel()
                await asyncio.gather(draining, return_exceptions=True)

    async def _next(self) -> list[_Waiting]:
        """All that wait, once they are as many as the last commit had, or after a moment.

        Who floods us sends again at once, and a commit costs about the same for one as for all.
        """
        if not self._queue:
            await self._arrival()
        if len(self._queue) < self._expected and self._all < _BATCH_LIMIT:
            with suppress(TimeoutError):
                async with asyncio.timeout(_GATHER):
                    await self._arrival()
        batch, weight = [], 0
        while self._queue and weight < _BATCH_LIMIT:
            batch.append(self._queue.popleft())
            weight += batch[-1].weight
        return batch

    async def _arrival(self) -> None:
        self._came.clear()
        await self._came.wait()

    async def _keep(self, batch: list[_Waiting]) -> None:
        """In the database or, while that is away, in the spool; else everyone is told."""
        rows = [row for waiting in batch for row in waiting.rows]
        try:
            if self.spool is None:
                await self._commit(rows)
            elif not await self._spooled(self.spool, rows):
                await _within(_PATIENCE, self._commit(rows))
        except (SQLAlchemyError, OSError) as error:  # a TimeoutError is one
            if not_taken(error):
                await self._refused(batch, error)
                return
            log.error("not_stored", what=self.what, count=len(rows), error=str(error))
            _answer(batch, await self._put_by(rows))
        else:
            _answer(batch)

    async def _spooled(self, spool: Spool, rows: Sequence[Row]) -> bool:
        """Behind what waits in the spool, if anything does: the order is kept."""
        async with self._at_spool:
            if not spool:
                return False
            await asyncio.to_thread(spool.put, rows)
        return True

    async def _put_by(self, rows: Sequence[Row]) -> Unavailable | None:
        """Into the spool, if there is one that takes them."""
        refusal = Unavailable(f"The database did not take the {self.what}.")
        if self.spool is None:
            return refusal
        try:
            async with self._at_spool:
                await asyncio.to_thread(self.spool.put, rows)
        except OSError as error:
            log.error("not_spooled", what=self.what, count=len(rows), error=str(error))
            return refusal
        self._filled.set()
        return None

    async def _refused(self, batch: list[_Waiting], error: Exception) -> None:
        """One of them holds what the database will never take: each on its own."""
        if len(batch) == 1:
            log.error("data_refused", what=self.what, error=str(error))
            _answer(batch, BadInput(f"The database cannot hold these {self.what}."))
            return
        for waiting in batch:
            await self._keep([waiting])

    async def _drain(self, spool: Spool) -> None:
        """Takes what is in the spool to the database, as soon as that is back."""
        if spool:
            self._filled.set()
        while True:
            await self._filled.wait()
            try:
                await self._drain_some(spool)
            except (SQLAlchemyError, OSError):  # the database is away still
                await asyncio.sleep(_PAUSE)
            except Exception:  # else what was acknowledged would wait for the next start
                log.exception("spool_waits", what=self.what)
                await asyncio.sleep(_PAUSE)

    async def _drain_some(self, spool: Spool) -> None:
        async with self._at_spool:
            rows, mark = await asyncio.to_thread(spool.first, _BATCH_LIMIT)
        await _within(_LONG, self._put_in(spool, rows))
        async with self._at_spool:
            await asyncio.to_thread(spool.drained, mark)
            if not spool:
                self._filled.clear()
                log.info("spool_drained", what=self.what)

    async def _put_in(self, spool: Spool, rows: Sequence[Row]) -> None:
        """All but those that the database will never take: they are kept beside the spool."""
        try:
            if rows:
                await self._commit(rows)
        except SQLAlchemyError as error:
            if not not_taken(error):
                raise
            if len(rows) > 1:
                half = len(rows) // 2
                await self._put_in(spool, rows[:half])
                await self._put_in(spool, rows[half:])
            else:
                log.error("data_refused", what=self.what, error=str(error), kept=str(spool.refused))
                await asyncio.to_thread(spool.refuse, rows[0])

    async def _commit(self, rows: Sequence[Row]) -> None:
        def work(connection: Connection) -> None:
            connection.execute(self._insert, rows)

        await self.store.transact(work, silent=self.silent)


async def _within(seconds: float, work: Coroutine[Any, Any, None]) -> None:
    """Raises `TimeoutError` then, whatever the driver does.

    Cancelled in the middle of its ping, it waits for the answer to a ROLLBACK, for as long as the
    database stands still; so nobody waits for it. What it stores all the same is stored once.
    """
    task = asyncio.create_task(work)
    task.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
    try:
        if not (await asyncio.wait({task}, timeout=seconds))[0]:
            raise TimeoutError(f"no answer of the database within {seconds:g} s")
        task.result()
    finally:
        if task.cancel():  # and that ROLLBACK once more
            asyncio.get_running_loop().call_later(_PATIENCE, task.cancel)


def not_taken(error: Exception) -> bool:
    """Whether the database is there and will never take that data (SQLSTATE class 22)."""
    state = str(
        getattr(getattr(error, "orig", None), "sqlstate", None) or ""
    )  # asyncpg's is not always a DataError
    return isinstance(error, DataError) or state.startswith("22")


def _answer(batch: Sequence[_Waiting], error: JacklineError | None = None) -> None:
    for waiting in batch:
        waiting.answer(error)


def _insert(store: Store, table: Table) -> Insert:
    if store.is_sqlite:
        return sqlite_insert(table).on_conflict_do_nothing()
    return postgresql_insert(table).on_conflict_do_nothing()

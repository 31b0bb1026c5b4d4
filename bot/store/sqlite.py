"""SQLite's driver without a change of threads for each statement.

aiosqlite hands every call to a thread of the connection's: two wake-ups that cost more than most
statements do. Here only what may wait (the write lock, the disk, many rows at once) goes there.
"""

import sqlite3
import threading
from collections.abc import Callable
from typing import Any, TypeVar

import aiosqlite

BUSY = 15.0  # seconds that a writer waits for its turn
BEGIN = "BEGIN IMMEDIATE"
_FEW = 100  # rows that are written sooner than a thread would have been woken for them
T = TypeVar("T")


class InPlace(aiosqlite.Connection):
    """A connection whose short statements run where they are asked for."""

    _last: threading.Event | None = None  # set once what was last given to the thread is done

    async def _execute(self, fn: Callable[..., T], *args: Any, **kwargs: Any) -> T:  # noqa: ANN401 - any call of sqlite3's
        """One call of sqlite3's. Behind one that a cancelled task has left, it queues."""
        if self._last is None or self._last.is_set():
            if args[:1] == (BEGIN,) and self._begun(fn):
                return fn.__self__  # type: ignore[attr-defined, no-any-return]  # the cursor, as execute gives it
            if not self._waits(fn, args):
                return fn(*args, **kwargs)
        self._last = done = threading.Event()

        def call() -> T:
            try:
                return fn(*args, **kwargs)
            finally:
                done.set()

        result: T = await super()._execute(call)  # type: ignore[no-untyped-call]  # not annotated there
        return result

    def _begun(self, execute: Callable[..., Any]) -> bool:
        """Takes the write lock if it is free this moment; waiting for it is for the thread."""
        self._conn.execute("PRAGMA busy_timeout=0")
        try:
            execute(BEGIN)
        except sqlite3.OperationalError:
            return False
        finally:
            self._conn.execute(f"PRAGMA busy_timeout={BUSY * 1000:.0f}")
        return True

    def _waits(self, fn: Callable[..., Any], args: tuple[Any, ...]) -> bool:
        if fn in (self._conn.commit, self._conn.close):
            return True
        if fn.__name__ == "executemany":
            return len(args[1]) > _FEW
        return args[:1] == (BEGIN,)


def connect(database: str, **more: Any) -> aiosqlite.Connection:  # noqa: ANN401 - sqlite3's own arguments
    """Opens the file when awaited; its thread does not keep the process from ending."""
    connection = InPlace(lambda: sqlite3.connect(database, timeout=BUSY, **more), 64)
    connection._thread.daemon = True  # noqa: SLF001 - as SQLAlchemy does for aiosqlite's own
    return connection

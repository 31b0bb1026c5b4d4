"""Opens the database and hands out transactions.

On SQLite every writing transaction begins IMMEDIATE, so that two writers queue instead of
failing half-way with "database is locked"; WAL with ``synchronous=FULL`` keeps what was
acknowledged through a power cut.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import (
    AbstractAsyncContextManager,
    asynccontextmanager,
    contextmanager,
    nullcontext,
    suppress,
)
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from alembic import command
from alembic.config import Config
from alembic.util.exc import CommandError
from sqlalchemy import (
    ColumnElement,
    Connection,
    DateTime,
    Executable,
    Row,
    event,
    func,
    literal,
    select,
    text,
)
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import Session
from sqlalchemy.util import greenlet_spawn

from bot.errors import Unavailable
from bot.store import postgresql
from bot.store.sqlite import BEGIN, connect
from bot.store.types import UtcDateTime, now

_TRIES = 3
_GAVE_WAY = ("40001", "40P01")  # serialization_failure, deadlock_detected
# classes of SQLSTATE: no connection, no resources, an operator's doing (a shutdown, a start), the system
_NOT_NOW = ("08", "53", "57", "58")
_READ_ONLY = "25006"  # what is spoken to became a replica
YIELDING = 0.2  # seconds that a worker lets people write first
_CLOCK = func.clock_timestamp(type_=DateTime(timezone=True))  # PostgreSQL's
T = TypeVar("T")
MIGRATIONS = Path(__file__).parent / "migrations"
_MIGRATION_LOCK = 7_225_511  # any constant: it names our advisory lock on PostgreSQL


class Store:
    """The database of one process.

    ``write()`` commits on leaving the block and rolls back on an error; ``read()`` never writes.
    ``version`` counts this process's commits: a worker notes it, looks for work, and waits for
    the next one, so that no commit between the look and the wait is missed.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.is_sqlite = url.startswith("sqlite")
        self.version = 0
        self._changed = asyncio.Event()  # set once, by the next commit that is not silent
        self._quiet = asyncio.Event()  # nobody writes
        # SQLite lets one write at a time and has the others poll, up to 100 ms between two looks;
        # queueing here is fair and without pauses. Other processes still meet its own lock.
        self._turn: AbstractAsyncContextManager[None] = (
            asyncio.Lock() if self.is_sqlite else nullcontext()
        )
        self._writers = 0  # under way or queueing
        self.engine = _create(url)

    @asynccontextmanager
    async def write(self, *, silent: bool = False) -> AsyncIterator[AsyncSession]:
        """A transaction that commits when the block ends without an error.

        ``silent``: no worker has anything to do about it, so none is woken.
        """
        with self._writing():
            async with self._turn, AsyncSession(self.engine, expire_on_commit=False) as session:
                if self.is_sqlite:
                    await (await session.connection()).exec_driver_sql(BEGIN)
                yield session
                await session.commit()
        if not silent:
            self.announce()

    async def transact(self, work: Callable[[Connection], T], *, silent: bool = False) -> T:
        """A writing transaction of a few statements that need no objects: a plain function.

        It costs a fifth of `write`: the engine's journal is written so, twice for each step, and
        what alerts bring. Called again where the transaction gave way to another one.
        """
        with self._writing():
            async with self._turn:
                result = await self._done(work)
        if not silent:
            self.announce()
        return result

    def announce(self) -> None:
        """Wakes the workers about a commit that was silent until something else had been begun."""
        self.version += 1
        self._changed.set()
        self._changed = asyncio.Event()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        self._writers += 1
        self._quiet.clear()
        try:
            yield
        finally:
            self._writers -= 1
            if not self._writers:
                self._quiet.set()

    async def _done(self, work: Callable[[Connection], T]) -> T:
        tried = 0
        while True:
            try:
                result: T = await greenlet_spawn(self._transact, work)
            except DBAPIError as error:
                tried += 1
                if tried == _TRIES or not gave_way(error):
                    raise
            else:
                return result

    def _transact(self, work: Callable[[Connection], T]) -> T:
        with self.engine.sync_engine.connect() as connection:
            if self.is_sqlite:
                connection.exec_driver_sql(BEGIN)
            result = work(connection)
            connection.commit()
            return result

    async def look(
        self, query: Executable, values: Mapping[str, Any]
    ) -> Sequence[Row[*tuple[Any, ...]]]:
        """The rows of one query, read by itself."""

        def read() -> Sequence[Row[*tuple[Any, ...]]]:
            with self.engine.sync_engine.connect() as connection:
                return connection.execute(query, values).all()

        return await greenlet_spawn(read)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """A snapshot to read from: two queries see the same moment."""
        async with AsyncSession(self.engine, expire_on_commit=False, autoflush=False) as session:
            if self.is_sqlite:
                await (await session.connection()).exec_driver_sql("BEGIN")
            else:
                await session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
            yield session
            session.expunge_all()  # what was read stays readable: a rollback would expire it
            await session.rollback()

    def moment(self, asked: Connection | Session) -> datetime:
        """Now, by the clock that all replicas share: one of their own may be wrong. For leases."""
        if self.is_sqlite:  # one machine
            return now()
        found: datetime = asked.execute(select(_CLOCK)).scalar_one()
        return found

    async def until(self, session: AsyncSession, wait: timedelta) -> datetime:
        """When a lease of that length ends that begins now."""
        return await session.run_sync(self.moment) + wait

    def clock(self) -> ColumnElement[datetime]:
        """`moment`, to be compared within a query."""
        return literal(now(), UtcDateTime) if self.is_sqlite else _CLOCK

    async def wait(self, seen: int, seconds: float) -> None:
        """Returns once ``version`` is past ``seen``, or after ``seconds`` (for other replicas)."""
        with suppress(TimeoutError):
            # not wait_for: on Python 3.11 it can swallow a cancellation, and no stop would end
            async with asyncio.timeout(seconds):
                while self.version <= seen:
                    await self._changed.wait()

    async def quiet(self, seconds: float) -> None:
        """Returns when nobody writes on SQLite, at the latest after ``seconds``.

        Workers wait here before they look for work: in a burst, people's writes go first, and
        one look afterwards finds what each of them left.
        """
        if self.is_sqlite:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    while self._writers:
                        await self._quiet.wait()

    async def migrate(self) -> None:
        """Brings the tables to this version; several replicas may start at once."""
        async with self.engine.connect() as connection:
            if self.is_sqlite:
                await connection.exec_driver_sql(BEGIN)
            else:
                await _lock(connection)
            try:
                await connection.run_sync(_upgrade)
            except CommandError as error:
                raise Unavailable(
                    f"The database's tables are not of this version of Jackline: {error}.",
                    hint="It may have been used by a newer one.",
                ) from error
            await connection.commit()

    async def close(self) -> None:
        """Closes all connections; who comes later opens new ones."""
        await self.engine.dispose()
        if self.is_sqlite:  # aiosqlite's threads report once more to this loop when they end
            await asyncio.sleep(0.02)


def gave_way(error: Exception) -> bool:
    """Whether PostgreSQL took a transaction back for the sake of another: done again, it goes through."""
    return isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", "") in _GAVE_WAY


def is_away(error: Exception) -> bool:
    """Whether the database could not just then, whatever it was asked: the same may work later.

    asyncpg's errors come unwrapped while it connects, and wrapped have no class of their own.
    """
    if isinstance(error, OSError | OperationalError | InterfaceError | PoolTimeout):
        return True
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    state = str(getattr(getattr(error, "orig", error), "sqlstate", None) or "")
    return state.startswith(_NOT_NOW) or state == _READ_ONLY


def _create(url: str) -> AsyncEngine:
    if not url.startswith("sqlite"):
        return create_async_engine(
            url, pool_pre_ping=True, pool_size=10, max_overflow=10,
            connect_args={"async_creator_fn": postgresql.connect},
        )  # fmt: skip
    database = make_url(url).database
    if database:
        _make_folder(Path(database).parent)
    engine = create_async_engine(
        url, pool_size=8, max_overflow=8, connect_args={"async_creator_fn": connect}
    )

    @event.listens_for(engine.sync_engine, "connect")
    def _pragmas(connection: Any, _: object) -> None:  # noqa: ANN401 - the DBAPI's own object
        connection.isolation_level = None  # we say BEGIN ourselves
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

    return engine


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Unavailable(
            f"Cannot make the database's folder {folder}: {error.strerror}.",
            hint="Set JACKLINE_DATA_DIR to a writable folder.",
        ) from error


async def _lock(connection: AsyncConnection) -> None:
    await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})


def _upgrade(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")

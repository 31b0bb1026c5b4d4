"""A transaction is whole or nothing; a reader sees one moment; a waiter misses no commit."""

import asyncio
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlmodel import select

import bot.store.sqlite
from bot.delivery import Binding
from bot.errors import Unavailable
from bot.store import Store

_CHANGE = text("UPDATE binding SET value = :value WHERE key = :key")


async def put(store: Store, key: str, **value: Any) -> None:
    async with store.write() as session:
        session.add(Binding(surface="test", key=key, value=value))


async def keys(store: Store) -> set[str]:
    async with store.read() as session:
        return set((await session.execute(text("SELECT key FROM binding"))).scalars())


async def test_a_block_that_ends_well_is_committed(store: Store, database_url: str) -> None:
    """Seen by another process at once."""
    await put(store, "a", x=1)
    other = Store(database_url)
    assert await keys(other) == {"a"}
    await other.close()


@pytest.mark.parametrize("error", [RuntimeError, asyncio.CancelledError, KeyboardInterrupt])
async def test_an_error_takes_all_of_it_back(store: Store, error: type[BaseException]) -> None:
    """Also what was flushed already; the error goes on to the caller, and nobody is woken."""
    before = store.version

    async def fails() -> None:
        async with store.write() as session:
            session.add(Binding(surface="test", key="a"))
            await session.flush()
            raise error

    with pytest.raises(error):
        await fails()
    assert await keys(store) == set()
    assert store.version == before
    await put(store, "b")
    assert await keys(store) == {"b"}


async def test_a_refused_row_takes_its_neighbours_back(store: Store) -> None:
    await put(store, "a")

    async def adds(*names: str) -> None:
        async with store.write() as session:
            session.add_all([Binding(surface="test", key=name) for name in names])

    with pytest.raises(IntegrityError):
        await adds("b", "a")
    assert await keys(store) == {"a"}


async def test_a_reader_writes_nothing(store: Store) -> None:
    """What a reading block adds by mistake is not committed."""
    async with store.read() as session:
        session.add(Binding(surface="test", key="a"))
    assert await keys(store) == set()


async def test_what_was_read_stays_readable(store: Store) -> None:
    await put(store, "a", x=1)
    async with store.read() as session:
        found = await session.get_one(Binding, ("test", "a"))
    assert found.value == {"x": 1}


async def test_a_reader_sees_one_moment(store: Store) -> None:
    """A commit between two queries of one block is not seen by the second."""
    await put(store, "a")
    async with store.read() as session:
        query = text("SELECT count(*) FROM binding")
        assert (await session.execute(query)).scalar_one() == 1
        await put(store, "b")
        assert (await session.execute(query)).scalar_one() == 1
    assert await keys(store) == {"a", "b"}


async def test_readers_do_not_stop_a_writer(store: Store) -> None:
    async with store.read() as session:
        await session.execute(text("SELECT count(*) FROM binding"))
        await asyncio.wait_for(put(store, "a"), 5)


async def test_many_writers_queue(store: Store, database_url: str) -> None:
    """Two processes, forty transactions at once: none fails half-way, none is lost."""
    other = Store(database_url)
    await asyncio.gather(*(put((store, other)[n % 2], f"k{n}") for n in range(40)))
    await other.close()
    assert await keys(store) == {f"k{n}" for n in range(40)}
    assert store.version == 20


async def test_no_commit_between_look_and_wait_is_missed(store: Store) -> None:
    """Noted, then committed, then waited for: the wait is over before it begins."""
    seen = store.version
    await put(store, "a")
    await asyncio.wait_for(store.wait(seen, 60), 1)


async def test_a_commit_wakes_every_waiter(store: Store) -> None:
    seen = store.version
    waiting = [asyncio.create_task(store.wait(seen, 60)) for _ in range(5)]
    await asyncio.sleep(0)
    await put(store, "a")
    await asyncio.wait_for(asyncio.gather(*waiting), 1)


async def test_a_worker_that_waits_sees_all_of_a_burst(store: Store) -> None:
    """A consumer in the pattern of every worker, against a producer: nothing is left over."""
    found: set[str] = set()

    async def work() -> None:
        while len(found) < 30:
            seen = store.version
            found.update(await keys(store))
            if len(found) < 30:
                await store.wait(seen, 60)

    worker = asyncio.create_task(work())
    for number in range(30):
        await put(store, f"k{number}")
    await asyncio.wait_for(worker, 10)


async def test_a_wait_ends_without_a_commit(store: Store) -> None:
    """For what other replicas did, which nobody tells this process."""
    await asyncio.wait_for(store.wait(store.version, 0.01), 1)


async def test_closed_and_used_again(store: Store) -> None:
    """A late writer after the close is not refused and loses nothing: it opens anew."""
    await put(store, "a")
    await store.close()
    await put(store, "b")
    assert await keys(store) == {"a", "b"}


async def test_a_locked_sqlite_file_is_said_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another program holds the file: the writer gives up with the reason, and goes on later."""
    monkeypatch.setattr(bot.store.sqlite, "BUSY", 0.2)
    store = Store(f"sqlite+aiosqlite:///{tmp_path}/j.db")
    await store.migrate()
    holder = sqlite3.connect(tmp_path / "j.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(OperationalError, match="database is locked"):
        await put(store, "a")
    assert await keys(store) == set()
    holder.close()
    await put(store, "a")
    assert await keys(store) == {"a"}
    await store.close()


@pytest.mark.usefixtures("durable")
async def test_sqlite_survives_a_power_cut_of_what_it_acknowledged(tmp_path: Path) -> None:
    """WAL alone would lose acknowledged commits: `synchronous` is FULL (2) on every connection."""
    store = Store(f"sqlite+aiosqlite:///{tmp_path}/j.db")
    async with store.read() as one, store.read() as two:
        for session in (one, two):
            pragmas = [
                (await session.execute(text(f"PRAGMA {name}"))).scalar_one()
                for name in ("journal_mode", "synchronous", "foreign_keys")
            ]
            assert pragmas == ["wal", 2, 1]
    await store.close()


async def test_what_gave_way_to_another_is_done_again(store: Store) -> None:
    """Two that lock the same rows the other way round: PostgreSQL ends one of them, and both are done."""
    await put(store, "a", by=[])
    await put(store, "b", by=[])
    begun: list[str] = []

    def changing(first: str, second: str) -> Callable[[Connection], None]:
        def work(connection: Connection) -> None:
            begun.append(first)
            for key in (first, second):
                value = json.dumps({"by": first})
                connection.execute(_CHANGE, {"key": key, "value": value})
                if not store.is_sqlite:
                    connection.execute(text("SELECT pg_sleep(0.3)"))

        return work

    one, two = changing("a", "b"), changing("b", "a")
    await asyncio.gather(store.transact(one), store.transact(two))
    assert len(begun) == (2 if store.is_sqlite else 3)
    async with store.read() as session:
        values = [b.value["by"] for b in (await session.execute(select(Binding))).scalars()]
    assert values[0] == values[1] == begun[-1]  # the last one's, whole


async def test_the_folder_of_the_file_is_made(tmp_path: Path) -> None:
    store = Store(f"sqlite+aiosqlite:///{tmp_path}/deep/er/j.db")
    await store.migrate()
    await store.close()
    assert (tmp_path / "deep" / "er" / "j.db").is_file()


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(Unavailable, match="Cannot make the database's folder"):
        Store(f"sqlite+aiosqlite:///{tmp_path}/file/j.db")


async def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    """It is refused and left as it was."""
    (tmp_path / "j.db").write_text("not a database, but somebody's notes")
    store = Store(f"sqlite+aiosqlite:///{tmp_path}/j.db")
    with pytest.raises(DBAPIError, match="not a database"):
        await store.migrate()
    await store.close()
    assert (tmp_path / "j.db").read_text() == "not a database, but somebody's notes"

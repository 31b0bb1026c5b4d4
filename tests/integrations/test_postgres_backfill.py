"""Backfills on a real PostgreSQL: a counter in each row shows that none is done twice."""

import asyncio
import json
import os
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from pydantic import ValidationError

from bot.errors import NotSent, Rejected, Retryable, Unknown
from bot.registry import Registry
from tests.integrations.direct import direct
from tests.integrations.doing import Doing
from tests.integrations.test_postgres import SETTINGS, holding, link
from tests.servers.fixtures import Start
from tests.servers.postgres import Postgres, standby
from tests.servers.process import HOST, free_port, wait_for

pytestmark = pytest.mark.server
ORDERS = """
CREATE TABLE orders (id bigint PRIMARY KEY, total numeric NOT NULL, cents bigint,
                     touched int NOT NULL DEFAULT 0);
INSERT INTO orders (id, total) SELECT i * 3, i / 100.0 FROM generate_series(1, 1000) AS i;
UPDATE orders SET cents = 7 WHERE id = 9"""
JOBS = {
    "cents": {
        "table": "orders",
        "set": "cents = round(total * 100), touched = touched + 1",
        "where": "cents IS NULL",
        "undo": "cents-away",
    },
    "cents-away": {"table": "orders", "set": "cents = NULL", "where": "cents IS NOT NULL"},
    "again": {"table": "orders", "set": "touched = touched + 1", "where": "touched >= 0"},
    "total": {"table": "orders", "key": "total", "set": "cents = 1", "where": "cents IS NULL"},
    "wrong": {"table": "orders", "set": "nothing = 1", "where": "cents IS NULL"},
    "one-way": {"table": "orders", "set": "cents = 1", "where": "cents IS NULL"},
}
SESSION = "SELECT pid FROM pg_stat_activity WHERE application_name = 'jackline'"
CALL: dict[str, Any] = {
    "server": "orders", "job": "cents", "batch": 100, "rate": 100_000, "max_lag_mb": None,
}  # fmt: skip


class Orders:
    """The table, read past Jackline."""

    def __init__(self, server: Postgres, database: str) -> None:
        self.server, self.database = server, database

    def sql(self, statement: str) -> str:
        return self.server.sql(statement, self.database)

    @property
    def left(self) -> int:
        return int(self.sql("SELECT count(*) FROM orders WHERE cents IS NULL"))

    @property
    def done(self) -> int:
        return int(self.sql("SELECT count(*) FROM orders WHERE touched > 0"))

    def assert_each_once(self) -> None:
        assert self.left == 0
        assert self.sql("SELECT min(touched), max(touched) FROM orders WHERE id <> 9") == "1|1"
        assert self.sql("SELECT cents, touched FROM orders WHERE id = 9") == "7|0"
        assert self.sql("SELECT bool_and(cents = total * 100) FROM orders WHERE id <> 9") == "t"


@contextmanager
def ordered(server: Postgres) -> Iterator[Orders]:
    """A database of its own with the orders."""
    name = server.create_database().rpartition("/")[2]
    found = Orders(server, name)
    found.sql(ORDERS)
    yield found
    server.drop_database(name)


@pytest.fixture
def orders(postgres_server: Postgres) -> Iterator[Orders]:
    with ordered(postgres_server) as found:
        yield found


@pytest.fixture
async def on_orders(registry: Registry, orders: Orders) -> AsyncIterator[Doing]:
    settings = {"database": orders.database, "backfills": json.dumps(JOBS)}
    async with link(orders.server, **settings) as connection:
        yield Doing(registry, connection)


async def test_preview_apply_verify_undo(on_orders: Doing, orders: Orders) -> None:
    """Each row once; one that had a value keeps it; a second time there is nothing to do."""
    preview = await on_orders.preview("postgres.backfill", **{**CALL, "rate": 300})
    (change,) = preview.changes
    assert change.what == "backfill cents of public.orders"
    assert change.before == "999 rows lack it"
    assert change.after == "none, in 3 s at 300 rows per second"
    assert orders.sql("SELECT to_regclass('jackline_backfill')") == "", "a preview only reads"
    assert await on_orders.verify("postgres.backfill", **CALL) is False
    out = await on_orders.apply("postgres.backfill", **CALL)
    assert (out["done"], out["done_in_all"], out["left"]) == (999, 999, 0)
    orders.assert_each_once()
    assert await on_orders.verify("postgres.backfill", **CALL) is True
    assert (await on_orders.preview("postgres.backfill", **CALL)).changes == []
    again = await on_orders.apply("postgres.backfill", **CALL)
    assert (again["done"], again["done_in_all"]) == (0, 999)
    await on_orders.take_back(preview, "postgres.backfill", **CALL)
    assert orders.left == 1000, "as the list's own undo says"


async def test_without_an_undo_there_is_none(on_orders: Doing) -> None:
    call = {**CALL, "job": "one-way"}
    preview = await on_orders.preview("postgres.backfill", **call)
    assert on_orders.undo(preview, "postgres.backfill", **call) is None


async def test_it_goes_on_where_it_was(on_orders: Doing, orders: Orders) -> None:
    """When its time is up it says so; the next attempt begins after the checkpoint."""
    short = {**CALL, "batch": 50, "rate": 500, "max_seconds": 0.35}
    with pytest.raises(Retryable, match=r"cents: \d+ rows in 0 s, and some are left"):
        await on_orders.apply("postgres.backfill", **short)
    done = orders.done
    assert 50 <= done < 999
    last = int(orders.sql("SELECT last_key FROM jackline_backfill WHERE job = 'cents'"))
    assert orders.sql(f"SELECT count(*) FROM orders WHERE id <= {last} AND cents IS NULL") == "0"
    out = await on_orders.apply("postgres.backfill", **CALL)
    assert (out["done"], out["done_in_all"]) == (999 - done, 999)
    orders.assert_each_once()


@pytest.mark.parametrize(
    ("type_", "values"),
    [
        ("bigint", "i"),
        ("text", "'k' || i"),
        ("uuid", "gen_random_uuid()"),
        ("timestamptz", "timestamptz '2026-03-29 00:00+00' + i * interval '0.123457 s'"),
        ("numeric(9,3)", "i / 7.0"),
    ],
)
async def test_keys_of_any_type(
    registry: Registry, orders: Orders, type_: str, values: str
) -> None:
    """In the order of that type, in one pass; also where the column is called `key`."""
    orders.sql(
        f"CREATE TABLE kv (key {type_} PRIMARY KEY, v int, n serial);"
        f"INSERT INTO kv (key) SELECT {values} FROM generate_series(1, 500) AS i"
    )
    jobs = {"kv": {"table": "kv", "key": "key", "set": "v = n", "where": "v IS NULL"}}
    call = {**CALL, "job": "kv", "batch": 60}
    async with link(
        orders.server, database=orders.database, backfills=json.dumps(jobs)
    ) as connection:
        doing = Doing(registry, connection)
        with pytest.raises(Retryable):
            await doing.apply("postgres.backfill", **{**call, "rate": 600, "max_seconds": 0.25})
        first = "(SELECT last_key FROM jackline_backfill)"
        assert (
            orders.sql(f"SELECT count(*) FROM kv WHERE v IS NULL AND key <= {first}::{type_}")
            == "0"
        )
        assert orders.sql(f"SELECT count(*) FROM kv WHERE v > 0 AND key > {first}::{type_}") == "0"
        out = await doing.apply("postgres.backfill", **call)
    assert (out["done_in_all"], out["left"]) == (500, 0)


async def test_rows_that_came_behind_it(on_orders: Doing, orders: Orders) -> None:
    """A row with a smaller key than the checkpoint is found before the end, and nobody's twice."""
    with pytest.raises(Retryable):
        await on_orders.apply(
            "postgres.backfill", **{**CALL, "batch": 50, "rate": 500, "max_seconds": 0.2}
        )
    orders.sql("INSERT INTO orders (id, total) VALUES (1, 1), (2, 2)")
    out = await on_orders.apply("postgres.backfill", **CALL)
    assert out["left"] == 0
    orders.assert_each_once()


async def test_the_rate_is_kept(on_orders: Doing, orders: Orders) -> None:
    """Also from one attempt to the next."""
    started = time.monotonic()
    with pytest.raises(Retryable):
        await on_orders.apply("postgres.backfill", **{**CALL, "rate": 400, "max_seconds": 1})
    out = await on_orders.apply("postgres.backfill", **{**CALL, "rate": 400})
    took = time.monotonic() - started
    assert out["done_in_all"] == 999
    assert 999 / 400 <= took < 2.5 * 999 / 400
    orders.assert_each_once()


async def test_the_session_is_killed_in_the_middle_of_a_batch(
    on_orders: Doing, orders: Orders
) -> None:
    """Nobody knows what became of it; the batch is gone with its checkpoint, and is done then."""
    short = {**CALL, "batch": 10, "rate": 500}
    working = asyncio.create_task(on_orders.apply("postgres.backfill", **short))
    await asyncio.to_thread(wait_for, lambda: orders.done > 30)
    async with holding(orders.server, "LOCK TABLE orders", orders.database):
        await asyncio.to_thread(wait_for, lambda: kill(orders, waiting=True) == "t")
        with pytest.raises(Unknown, match="did not answer"):
            await working
    assert await on_orders.verify("postgres.backfill", **CALL) is False
    await on_orders.apply("postgres.backfill", **CALL)
    orders.assert_each_once()


def kill(orders: Orders, *, waiting: bool) -> str:
    lock = "wait_event_type = 'Lock'" if waiting else "true"
    return orders.sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        f"WHERE application_name = 'jackline' AND datname = '{orders.database}' AND {lock}"
    )


async def test_killed_over_and_over(on_orders: Doing, orders: Orders) -> None:
    """Wherever the session dies, also while it commits, each row is done once in the end."""
    for _ in range(8):
        working = asyncio.create_task(
            on_orders.apply("postgres.backfill", **{**CALL, "batch": 7, "rate": 700})
        )
        before = orders.done
        await asyncio.to_thread(wait_for, lambda before=before: orders.done > before)
        kill(orders, waiting=False)
        with pytest.raises(Unknown):
            await working
    await on_orders.apply("postgres.backfill", **CALL)
    orders.assert_each_once()


async def test_locked_rows_are_waited_for(on_orders: Doing, orders: Orders) -> None:
    """For a moment each time, so that nobody queues up behind it; then it says so."""
    call = {**CALL, "lock_seconds": 0.1, "max_seconds": 1.5}
    async with holding(
        orders.server, "UPDATE orders SET total = 0 WHERE id = 600", orders.database
    ):
        with pytest.raises(Retryable, match=r"others hold what it needs: .* lock timeout"):
            await on_orders.apply("postgres.backfill", **call)
        assert orders.done == 100, "the batch before them"
    out = await on_orders.apply("postgres.backfill", **CALL)
    assert out["left"] == 0


async def test_the_newest_attempt_has_the_job(on_orders: Doing, orders: Orders) -> None:
    """One that was paused past its lease stops as soon as it goes on."""
    slow = {**CALL, "batch": 10, "rate": 100}
    old = asyncio.create_task(on_orders.apply("postgres.backfill", **slow))
    await asyncio.to_thread(wait_for, lambda: orders.done > 0)
    await on_orders.apply("postgres.backfill", **CALL)
    with pytest.raises(Rejected, match="Another attempt has taken cents over"):
        await old
    orders.assert_each_once()


async def test_it_waits_for_the_replicas(
    registry: Registry, postgres_factory: Start[Postgres]
) -> None:
    """While a standby is too far behind, or none is there, nothing is written."""
    primary = postgres_factory()
    orders = Orders(primary, "postgres")
    orders.sql(ORDERS)
    settings = {"backfills": json.dumps(JOBS)}
    call = {**CALL, "max_lag_mb": 1, "max_seconds": 1.2}
    async with link(primary, **settings) as connection:
        doing = Doing(registry, connection)
        with pytest.raises(Retryable, match="It waits: 0 standbys stream, 1 must"):
            await doing.apply("postgres.backfill", **call)
        with standby(primary) as replica:
            replica.sql("SELECT pg_wal_replay_pause()")
            orders.sql(
                "CREATE TABLE noise AS SELECT repeat('x', 900) FROM generate_series(1, 4000)"
            )
            with pytest.raises(Retryable, match=r"It waits: a standby is [34][.\d]* MB behind"):
                await doing.apply("postgres.backfill", **call)
            assert orders.done == 0
            going = asyncio.create_task(
                doing.apply("postgres.backfill", **{**call, "max_seconds": 30})
            )
            replica.sql("SELECT pg_wal_replay_resume()")
            assert (await going)["left"] == 0
            orders.assert_each_once()


@pytest.mark.parametrize(
    ("job", "said"),
    [
        ("again", "sets rows that its `where` still finds, such as id 3: "),
        ("total", "total does not tell the rows of public.orders apart"),
        ("wrong", 'column "nothing" of relation "orders" does not exist'),
        ("elsewhere", "allows no backfill 'elsewhere'. It allows again, cents"),
    ],
)
async def test_what_is_wrong_with_a_job(
    on_orders: Doing, orders: Orders, job: str, said: str
) -> None:
    """It is said, and nothing is changed."""
    with pytest.raises(Rejected, match=said):
        await on_orders.apply("postgres.backfill", **{**CALL, "job": job})
    assert (orders.left, orders.done) == (999, 0)


@pytest.mark.parametrize(
    ("jobs", "said"),
    [
        ("{", "The list of backfills is wrong at"),
        ('{"cents": {"table": "a b", "set": "x = 1", "where": "true"}}', r"wrong at cents\.table"),
        ('{"cents": {"table": "a", "set": "x = 1"}}', r"wrong at cents\.where"),
        (
            '{"cents": {"table": "a", "set": "x = 1", "where": "true", "undo": "gone"}}',
            "undone by 'gone', which is not on the list",
        ),
    ],
)
async def test_a_wrong_list(registry: Registry, orders: Orders, jobs: str, said: str) -> None:
    async with link(orders.server, database=orders.database, backfills=jobs) as connection:
        with pytest.raises(Rejected, match=said):
            await Doing(registry, connection).preview("postgres.backfill", **CALL)


@pytest.mark.parametrize(
    "more",
    [
        {"job": "-x"},
        {"job": "a; DROP TABLE orders"},
        {"batch": 0},
        {"batch": 10_001},
        {"batch": 1000, "rate": 1, "max_seconds": 40},
        {"rate": 0},
        {"max_lag_mb": -1},
        {"sql": "UPDATE orders SET cents = 0"},
    ],
)
def test_what_is_refused_before_it_is_sent(registry: Registry, more: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        registry.action("postgres.backfill").Params.model_validate({**CALL, **more})


async def test_a_role_without_rights(registry: Registry, orders: Orders) -> None:
    """In the server's words, with where to read on."""
    orders.sql("CREATE ROLE reader LOGIN PASSWORD 'r'; GRANT SELECT ON orders TO reader")
    settings = {"user": "reader", "password": "r", "database": orders.database,
                "backfills": json.dumps(JOBS)}  # fmt: skip
    try:
        async with link(orders.server, **settings) as connection:
            doing = Doing(registry, connection)
            assert (await doing.preview("postgres.backfill", **CALL)).state["left"] == 999
            with pytest.raises(Rejected, match=r"permission denied .* README names the rights"):
                await doing.apply("postgres.backfill", **CALL)
    finally:
        orders.sql("DROP OWNED BY reader; DROP ROLE reader")


async def test_nobody_there_and_no_answer(
    registry: Registry, postgres_factory: Start[Postgres]
) -> None:
    """Not sent; and where it freezes in the middle, nobody knows."""
    settings = {**SETTINGS, "backfills": json.dumps(JOBS)}
    url = f"tcp://{HOST}:{free_port()}"
    async with direct("postgres/orders", url, settings=settings) as connection:
        with pytest.raises(NotSent):
            await Doing(registry, connection).apply("postgres.backfill", **CALL)
    orders = Orders(postgres_factory(), "postgres")
    orders.sql(ORDERS)
    async with link(orders.server, backfills=json.dumps(JOBS)) as connection:
        doing = Doing(registry, connection)
        call = {**CALL, "batch": 10, "rate": 100, "statement_seconds": 0.5}
        working = asyncio.create_task(doing.apply("postgres.backfill", **call))
        await asyncio.to_thread(wait_for, lambda: orders.done > 0)
        session = int(orders.sql(SESSION))
        os.kill(session, signal.SIGSTOP)
        try:
            with pytest.raises(Unknown, match="no answer in time"):
                await working
        finally:
            os.kill(session, signal.SIGCONT)
        await doing.apply("postgres.backfill", **CALL)
    orders.assert_each_once()

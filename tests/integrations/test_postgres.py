"""What a real PostgreSQL says of itself, and rows counted on it."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from pydantic import ValidationError

from bot.access.dialer import Link
from bot.errors import AuthFailed, NotSent, Rejected, Retryable
from bot.registry import Registry
from tests.integrations.direct import direct
from tests.integrations.doing import Doing
from tests.servers.authority import Authority
from tests.servers.fixtures import Start
from tests.servers.postgres import PASSWORD, USER, Postgres, standby
from tests.servers.process import HOST, free_port, wait_for

pytestmark = pytest.mark.server
SETTINGS = {"user": USER, "password": PASSWORD}
STATUS = {"server": "orders"}
COUNT: dict[str, Any] = {"server": "orders", "table": "Items"}


def link(server: Postgres, **settings: str) -> Any:
    url = f"tcp://{HOST}:{server.port}"
    return direct("postgres/orders", url, settings=SETTINGS | settings)


@pytest.fixture
def database(postgres_server: Postgres) -> Iterator[str]:
    """A database of the test's own on the shared server."""
    name = postgres_server.create_database().rpartition("/")[2]
    yield name
    postgres_server.drop_database(name)


@pytest.fixture
async def on_postgres(
    registry: Registry, postgres_server: Postgres, database: str
) -> AsyncIterator[Doing]:
    async with link(postgres_server, database=database) as connection:
        yield Doing(registry, connection)


@pytest.fixture
def items(postgres_server: Postgres, database: str) -> None:
    """Names that would be wrong unless they are quoted."""
    postgres_server.sql(
        "CREATE SCHEMA old; CREATE TABLE old.select (id int); INSERT INTO old.select VALUES (1);"
        'CREATE TABLE "Items" (id int, "order" text, at timestamptz, paid bool, code char(4));'
        "INSERT INTO \"Items\" VALUES (1, 'a', '2026-01-01', true, 'abcd'), "
        "(2, 'b', '2026-02-01', false, 'abc'), (3, NULL, NULL, NULL, NULL)",
        database,
    )


async def test_a_lone_primary(on_postgres: Doing) -> None:
    """It has no standby, so how far one is behind is not known: None, not 0."""
    out = await on_postgres.apply("postgres.status", **STATUS)
    assert (out["role"], out["writable"]) == ("primary", True)
    assert out["version"][0].isdigit()
    assert out["uptime_seconds"] > 0
    assert 1 <= out["connections"] <= out["max_connections"] == 100
    assert 0 < out["connections_used"] <= 1
    assert (out["standbys"], out["streaming"]) == ([], 0)
    assert (out["lag_bytes"], out["lag_mb"], out["lag_seconds"]) == (None, None, None)


async def test_a_role_without_rights_is_told_nothing(
    registry: Registry, postgres_server: Postgres
) -> None:
    """Then nobody knows: a guard on it does not pass."""
    postgres_server.sql("CREATE ROLE plain LOGIN PASSWORD 'plain'")
    try:
        async with link(postgres_server, user="plain", password="plain") as connection:
            out = await Doing(registry, connection).apply("postgres.status", **STATUS)
    finally:
        postgres_server.sql("DROP ROLE plain")
    assert out["role"] == "primary"
    assert (out["connections"], out["connections_used"]) == (None, None)


async def test_lag_seen_from_both_sides(
    registry: Registry, postgres_factory: Start[Postgres]
) -> None:
    """By bytes and by time; a standby that is gone leaves nobody who knows."""
    primary = postgres_factory()
    primary.sql("CREATE TABLE t (x text)")
    with standby(primary, "reader") as replica:
        async with link(primary) as here, link(replica) as there:
            above, below = Doing(registry, here), Doing(registry, there)

            async def look(doing: Doing) -> dict[str, Any]:
                return await doing.apply("postgres.status", **STATUS)

            async def until(doing: Doing, holds: Callable[[dict[str, Any]], bool]) -> Any:
                async with asyncio.timeout(20):
                    while not holds(out := await look(doing)):
                        await asyncio.sleep(0.1)
                return out

            out = await until(above, lambda o: o["lag_bytes"] == 0)
            assert out["streaming"] == 1
            assert out["standbys"][0]["name"] == "reader"
            assert out["lag_seconds"] == 0
            own = await until(below, lambda o: o["lag_bytes"] == 0)
            assert (own["role"], own["writable"], own["streaming"]) == ("replica", False, 1)
            assert own["heard_seconds"] is not None

            primary.sql("INSERT INTO t VALUES ('a commit that it has replayed')")
            await until(below, lambda o: o["lag_bytes"] == 0)
            replica.sql("SELECT pg_wal_replay_pause()")
            primary.sql("INSERT INTO t SELECT repeat('x', 900) FROM generate_series(1, 4000)")
            out = await until(above, lambda o: (o["lag_mb"] or 0) > 2)
            own = await until(below, lambda o: (o["lag_mb"] or 0) > 2)
            assert own["lag_seconds"] > 0
            replica.sql("SELECT pg_wal_replay_resume()")
            await until(below, lambda o: o["lag_bytes"] == 0)

            ignoring = link(primary, ignore_standbys="x, reader")
            async with ignoring as connection:
                out = await look(Doing(registry, connection))
            assert (out["standbys"], out["lag_mb"]) == ([], None)

            primary.stop()
            own = await until(below, lambda o: o["streaming"] == 0)
            assert (own["lag_bytes"], own["lag_seconds"]) == (None, None)


@pytest.mark.parametrize(
    ("where", "rows"),
    [
        ([], 3),
        ([{"column": "order", "op": "eq", "value": "a"}], 1),
        ([{"column": "order", "op": "eq", "value": "a' OR 'a'='a"}], 0),
        ([{"column": "order", "op": "missing"}], 1),
        ([{"column": "id", "op": "ge", "value": 2}, {"column": "order", "op": "present"}], 1),
        ([{"column": "at", "op": "lt", "value": "2026-01-15"}], 1),
        ([{"column": "paid", "op": "eq", "value": True}], 1),
        ([{"column": "code", "op": "eq", "value": "abc"}], 1),
        ([{"column": "code", "op": "eq", "value": "abcdefgh"}], 0),
        ([{"column": "id", "op": "ne", "value": 1}], 2),
    ],
)
async def test_count(items: None, on_postgres: Doing, where: list[Any], rows: int) -> None:
    """Values are read as the column's own type, and are never SQL."""
    out = await on_postgres.apply("postgres.count", **COUNT, where=where)
    assert out == {"rows": rows, "more": False}


async def test_count_stops_where_it_is_told(items: None, on_postgres: Doing) -> None:
    out = await on_postgres.apply("postgres.count", **COUNT, up_to=2)
    assert out == {"rows": 2, "more": True}
    out = await on_postgres.apply("postgres.count", server="orders", table="old.select")
    assert out["rows"] == 1


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"table": "items"}, "no table items"),
        ({"table": "pg_stat_activity"}, "no table pg_stat_activity"),
        ({"where": [{"column": "Order", "op": "missing"}]}, "has no column Order"),
        ({"where": [{"column": "id", "op": "eq", "value": "x"}]}, "invalid input syntax"),
    ],
)
async def test_what_the_server_refuses(
    items: None, on_postgres: Doing, more: dict[str, Any], said: str
) -> None:
    with pytest.raises(Rejected, match=said):
        await on_postgres.apply("postgres.count", **{**COUNT, **more})


async def test_a_count_that_takes_too_long(
    on_postgres: Doing, postgres_server: Postgres, database: str
) -> None:
    """It is cancelled by the server, not left running there."""
    postgres_server.sql("CREATE TABLE big AS SELECT generate_series(1, 400000) AS id", database)
    with pytest.raises(Rejected, match=r"took longer than 0\.001 s. Give up_to"):
        await on_postgres.apply("postgres.count", server="orders", table="big", seconds=0.001)


@pytest.mark.parametrize(
    "more",
    [
        {"table": "-items"},
        {"table": "items; DROP TABLE items"},
        {"table": 'a"b'},
        {"table": "a.b.c"},
        {"server": "-x"},
        {"where": [{"column": "a b", "op": "missing"}]},
        {"where": [{"column": "a", "op": "= 1 OR"}]},
        {"where": [{"column": "a", "op": "eq"}]},
        {"where": [{"column": "a", "op": "missing", "value": 1}]},
        {"where": [{"column": "a", "op": "eq", "value": "\0"}]},
        {"where": "true"},
        {"seconds": 0},
        {"sql": "SELECT 1"},
    ],
)
def test_what_is_refused_before_it_is_sent(registry: Registry, more: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        registry.action("postgres.count").Params.model_validate({**COUNT, **more})


async def test_a_wrong_password(registry: Registry, postgres_server: Postgres) -> None:
    async with link(postgres_server, password="wrong-one") as connection:
        with pytest.raises(AuthFailed, match="password authentication failed") as caught:
            await Doing(registry, connection).apply("postgres.status", **STATUS)
    assert "wrong-one" not in str(caught.value)


async def test_no_such_database(registry: Registry, postgres_server: Postgres) -> None:
    async with link(postgres_server, database="nowhere") as connection:
        with pytest.raises(Rejected, match='database "nowhere" does not exist'):
            await Doing(registry, connection).apply("postgres.status", **STATUS)


async def test_nobody_there_and_no_answer(
    registry: Registry, postgres_factory: Start[Postgres]
) -> None:
    """Nothing was asked before the login: another path may be tried. After it, a read may be
    asked again."""
    nowhere = direct("postgres/orders", f"tcp://{HOST}:{free_port()}", settings=SETTINGS)
    async with nowhere as connection:
        with pytest.raises(NotSent):
            await Doing(registry, connection).apply("postgres.status", **STATUS)
    server = postgres_factory()
    server.sql("CREATE TABLE locked (id int)")
    async with link(server) as connection:
        doing = Doing(registry, connection)
        async with holding(server, "LOCK TABLE locked"):
            counting = asyncio.create_task(
                doing.apply("postgres.count", server="orders", table="locked", seconds=1)
            )
            await asyncio.to_thread(
                wait_for,
                lambda: "Lock" in server.sql("SELECT wait_event_type FROM pg_stat_activity"),
            )
            server.sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE application_name = 'jackline'"
            )
            with pytest.raises(Retryable, match="did not answer"):
                await counting
        server.process.freeze()
        with pytest.raises(NotSent, match="no answer in time"):
            await doing.apply("postgres.status", **STATUS)
        server.process.thaw()


@asynccontextmanager
async def holding(
    server: Postgres, statement: str, database: str = "postgres"
) -> AsyncIterator[None]:
    """Another session has done the statement and does not commit for the time of the block."""
    session = await asyncpg.connect(server.dsn_of(database))
    try:
        async with session.transaction():
            await session.execute(statement)
            yield
    finally:
        await session.close()


async def test_tls_checks_the_servers_own_name(
    registry: Registry, postgres_factory: Start[Postgres], tmp_path: Path
) -> None:
    """Though the driver connects to a forward; without TLS at the server it does not go on."""
    server = postgres_factory()
    authority = Authority(tmp_path)
    tls = {"tls": "verify", "tls_ca": authority.certificate.read_text(), "tls_name": "db1.test"}
    async with link(server, **tls) as connection:
        with pytest.raises(AuthFailed, match="does not speak TLS"):
            await Doing(registry, connection).apply("postgres.status", **STATUS)

    authority.server("db1.test")
    for part in ("pem", "key"):
        copied = server.folder / f"db1.{part}"
        copied.write_text((tmp_path / f"db1.test.{part}").read_text())
        copied.chmod(0o600)
        owner = server.folder.stat()
        os.chown(copied, owner.st_uid, owner.st_gid)
    server.stop()
    server.more = {"ssl": "on", "ssl_cert_file": f"{server.folder}/db1.pem",
                   "ssl_key_file": f"{server.folder}/db1.key"}  # fmt: skip
    server.start()

    def status(connection: Link) -> Any:
        return Doing(registry, connection).apply("postgres.status", **STATUS)

    async with link(server, **tls) as connection:
        assert (await status(connection))["writable"]
    async with link(server, **{**tls, "tls_name": "db2.test"}) as connection:
        with pytest.raises(AuthFailed, match="Hostname mismatch"):
            await status(connection)
    async with link(server, tls="verify", tls_name="db1.test") as connection:
        with pytest.raises(AuthFailed, match="unable to get local issuer"):
            await status(connection)

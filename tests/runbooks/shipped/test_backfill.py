"""`backfill` on a real PostgreSQL with a streaming replica; a trigger counts how often a row is set."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.registry import Registry
from bot.runbooks.decisions import Decisions
from bot.store import Store
from tests.runbooks.room import Room, running, until
from tests.runbooks.shipped.room import SHIPPED, on_both, shipped
from tests.servers.postgres import PASSWORD, USER, Postgres, postgres, standby
from tests.servers.process import HOST, wait_for

pytestmark = pytest.mark.server
ROOT = Path(__file__).parents[3]
ROWS = 2000
ORDERS = f"""
DROP TABLE IF EXISTS orders, noise, jackline_backfill;
CREATE TABLE orders (id bigint PRIMARY KEY, total numeric NOT NULL, total_cents bigint,
                     touched int NOT NULL DEFAULT 0);
INSERT INTO orders (id, total) SELECT i, i / 100.0 FROM generate_series(1, {ROWS}) AS i;
UPDATE orders SET total_cents = 7 WHERE id = 1000;
CREATE OR REPLACE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS
  'BEGIN NEW.touched = OLD.touched + 1; RETURN NEW; END';
CREATE TRIGGER touch BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION touch()"""


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[Postgres, Postgres]]:
    with postgres() as primary, standby(primary) as replica:
        yield primary, replica


@pytest.fixture
def primary(servers: tuple[Postgres, Postgres]) -> Postgres:
    """With orders that lack it; its replica has them too."""
    servers[0].sql(ORDERS)
    wait_for(lambda: lag(servers[0]) == 0, what="the replica")
    return servers[0]


@pytest.fixture
def replica(servers: tuple[Postgres, Postgres]) -> Postgres:
    return servers[1]


def lag(primary: Postgres) -> float:
    found = primary.sql(
        "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn) FROM pg_stat_replication"
    )
    return float(found or "inf")


def done(primary: Postgres) -> int:
    return int(primary.sql("SELECT count(*) FROM orders WHERE touched > 0"))


def assert_each_once(primary: Postgres) -> None:
    assert primary.sql("SELECT min(touched), max(touched) FROM orders WHERE id <> 1000") == "1|1"
    assert primary.sql("SELECT total_cents, touched FROM orders WHERE id = 1000") == "7|0"
    wrong = "SELECT count(*) FROM orders WHERE id <> 1000 AND total_cents IS DISTINCT FROM id"
    assert primary.sql(wrong) == "0"


@pytest.fixture
def made(store: Store, registry: Registry, tmp_path: Path, primary: Postgres) -> Any:
    """The runbook with the shipped list of jobs."""
    catalog = yaml.safe_load((SHIPPED / "catalog" / "databases.yaml").read_text("utf-8"))
    entry = next(t for t in catalog["targets"] if t["name"] == "postgres/orders")
    settings = {**entry["settings"], "user": USER, "password": PASSWORD, "database": "postgres"}
    target = {"url": f"tcp://{HOST}:{primary.port}", "settings": settings}

    def make(**instead: str) -> Room:
        return shipped(
            "backfill", store, registry, tmp_path, {"postgres/orders": target}, **instead
        )

    return make


@on_both
async def test_every_order_is_filled_once(made: Any, primary: Postgres) -> None:
    """The plan says how long it takes; that it cannot be taken back was said, and is said again."""
    room = made()
    number = await room.approved(name="backfill", rate=2000)
    step = (await room.run(number)).plan["steps"][2]
    assert "1999 rows lack it" in str(step)
    assert "none, in 1 s at 2000 rows per second" in str(step)
    assert "cannot be undone" in step["undo"]
    await room.work()
    run = await room.run(number)
    assert (run.state, run.error) == ("succeeded", "")
    assert_each_once(primary)
    await room.ask("undo", number)
    await room.work()
    assert "not taken back: fill: Nobody could tell" in (await room.run(number)).error
    assert_each_once(primary)


@on_both
async def test_killed_in_the_middle(made: Any, primary: Postgres) -> None:
    """SIGKILL of the engine between two batches: another one goes on at the checkpoint."""
    room = made()
    number = await room.approved(name="backfill", rate=500)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.runbooks.engine_process", room.store.url,
        str(room.library.folder), cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    try:
        await asyncio.to_thread(wait_for, lambda: done(primary) > 0, timeout=30)
    finally:
        process.send_signal(signal.SIGKILL)
        await process.wait()
    before = done(primary)
    assert 0 < before < ROWS - 1
    async with asyncio.timeout(40):
        while (await room.run(number)).state not in ("succeeded", "failed", "unknown", "held"):
            await room.work(1, room.another("second"))
            await asyncio.sleep(0.1)
    run = await room.run(number)
    assert (run.state, run.error) == ("succeeded", "")
    fills = [a for a in await room.attempts(number) if a.step == "fill"]
    assert [a.state for a in fills] == ["interrupted", "done"]
    assert fills[-1].output["done"] <= ROWS - 1 - before
    assert fills[-1].output["done_in_all"] == ROWS - 1
    assert_each_once(primary)


async def test_long_work_goes_on_by_attempts(made: Any, primary: Postgres) -> None:
    """Each ends at its time and the next goes on; after the last one a person is asked."""
    instead = {"max_seconds: 40": "max_seconds: 0.5", "backoff: 5s, max: 5s": "backoff: 10ms",
               "attempts: 10": "attempts: 2"}  # fmt: skip
    room = made(**instead)
    number = await room.approved(name="backfill", rate=1000)
    rounds = 0
    await room.work()
    while (await room.run(number)).state == "held":
        rounds += 1
        async with room.store.write() as session:
            ben = room.person("ben")
            await Decisions(room.runs).decide(session, number, "fill", ben, "retry")
        await room.work()
    run = await room.run(number)
    assert (run.state, run.error) == ("succeeded", "")
    assert rounds >= 1
    fills = [a for a in await room.attempts(number) if a.step == "fill" and a.phase == "do"]
    assert "some are left" in fills[0].error
    assert_each_once(primary)


async def test_aborted_and_started_again(made: Any, primary: Postgres) -> None:
    """An abort is heard when the attempt ends; a new run does what is left."""
    room = made(**{"max_seconds: 40": "max_seconds: 0.5", "backoff: 5s, max: 5s": "backoff: 10ms"})
    number = await room.approved(name="backfill", rate=500)
    async with running(room.engine):
        await asyncio.to_thread(wait_for, lambda: done(primary) > 0, timeout=30)
        await room.ask("abort", number)
        await until(room, number, "aborted")
    before = done(primary)
    assert 0 < before < ROWS - 1
    again = await room.approved(name="backfill", origin="again", rate=5000)
    await room.work()
    assert (await room.run(again)).state == "succeeded"
    assert_each_once(primary)


async def test_a_change_freeze_holds_it_back(made: Any, primary: Postgres) -> None:
    room = made()
    catalog = {"freezes": [{"name": "Sale", "since": "2020-01-01", "until": "2099-01-01"}]}
    (room.library.folder / "catalog" / "freezes.yaml").write_text(json.dumps(catalog))
    room.library.reload()
    number = await room.approved(name="backfill")
    await room.work()
    assert (await room.run(number)).state == "waiting"
    assert done(primary) == 0


async def test_replicas_that_are_behind_are_left_alone(
    made: Any, primary: Postgres, replica: Postgres
) -> None:
    room = made()
    number = await room.approved(name="backfill")
    replica.sql("SELECT pg_wal_replay_pause()")
    try:
        primary.sql("CREATE TABLE noise AS SELECT repeat('x', 900) FROM generate_series(1, 22000)")
        await room.work()
    finally:
        replica.sql("SELECT pg_wal_replay_resume()")
    run = await room.run(number)
    assert run.state == "failed"
    assert run.error.startswith("A replica is behind, or nobody knows how far")
    assert done(primary) == 0


async def test_nothing_to_do_is_said(made: Any, primary: Postgres) -> None:
    primary.sql("UPDATE orders SET total_cents = 7")
    room = made()
    number = await room.approved(name="backfill")
    await room.work()
    run = await room.run(number)
    assert run.state == "failed"
    assert run.error.startswith("No order lacks it: there is nothing to do")

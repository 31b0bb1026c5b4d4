"""`restore-drill` on a real pgBackRest and a real restic, over a real OpenSSH."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.registry import Registry
from bot.store import Store
from tests.runbooks.room import Room
from tests.runbooks.shipped.room import shipped
from tests.servers.pgbackrest import PgBackRest, pgbackrest
from tests.servers.restic import Restic, restic
from tests.servers.sshd import Sshd

pytestmark = pytest.mark.server
ORDERS = """CREATE TABLE orders AS SELECT generate_series(1, 4000) AS id, now() AS created_at"""


@pytest.fixture(scope="module")
def backups() -> Iterator[tuple[PgBackRest, Restic]]:
    """A shop with 4,000 orders, backed up in both ways."""
    with pgbackrest() as physical, restic() as logical:
        physical.postgres.create_database("shop")
        physical.postgres.sql(ORDERS, "shop")
        physical.backup()
        logical.dump(physical.postgres, database="shop")
        logical.backup()
        yield physical, logical


@pytest.fixture
def room(
    store: Store,
    registry: Registry,
    tmp_path: Path,
    backups: tuple[PgBackRest, Restic],
    sshd_server: Sshd,
) -> Room:
    return drill_room(store, registry, tmp_path, *backups, sshd_server)


def drill_room(
    store: Store,
    registry: Registry,
    folder: Path,
    physical: PgBackRest,
    logical: Restic,
    sshd: Sshd,
) -> Room:
    """The file as it ships, but for the folder of the dumps."""
    targets: dict[str, str | dict[str, Any]] = {
        "pgbackrest/orders": {"url": sshd.url, "settings": {**sshd.settings, **physical.settings}},
        "restic/dumps": {"url": sshd.url, "settings": {**sshd.settings, **logical.settings}},
    }
    instead = {"/srv/dumps": str(logical.dumps)}
    return shipped("restore-drill", store, registry, folder, targets, **instead)


async def test_both_are_restored_and_told(room: Room, backups: tuple[PgBackRest, Restic]) -> None:
    """With the figures; nothing is left on the host, and nothing has to be taken back."""
    physical, logical = backups
    number = await room.approved(name="restore-drill", least_orders=4000)
    await room.work()
    run = await room.run(number)
    assert (run.state, run.error) == ("succeeded", "")
    done = {attempt.step: attempt.output for attempt in await room.attempts(number)}
    assert done["database_drill"]["counts"] == {"public.orders": 4000}
    assert done["dumps_drill"]["counts"] == {"public.orders": 4000}
    assert "newest_at" in done["database_drill"]
    label = physical.info()["backup"][-1]["label"]
    told = [row.text for row in await room.rows() if "restored and counted" in row.text]
    assert f"Database {label}: 4000 orders" in told[0]
    for folder in (physical.scratch, logical.scratch):
        assert all(path.name.endswith(".verified.json") for path in folder.iterdir())

    await room.ask("undo", number)
    await room.work()
    assert (await room.run(number)).state == "aborted"
    assert physical.postgres.sql("SELECT count(*) FROM orders", "shop") == "4000"


async def test_more_is_expected_than_there_is(
    room: Room, backups: tuple[PgBackRest, Restic]
) -> None:
    """The drill fails in words, and the backups do not count as proven any more."""
    physical, _ = backups
    number = await room.approved(name="restore-drill", least_orders=5000)
    await room.work()
    run = await room.run(number)
    assert run.state == "failed"
    assert "public.orders has 4000 rows, and should have 5000 at least" in run.error
    assert list(physical.scratch.iterdir()) == []


async def test_without_a_backup_nothing_is_drilled(
    room: Room, backups: tuple[PgBackRest, Restic]
) -> None:
    """It ends at the first look: no scratch instance was ever begun."""
    physical, _ = backups
    hidden = physical.repo / "backup"
    hidden.rename(hidden.with_name("hidden"))
    try:
        number = await room.approved(name="restore-drill")
        await room.work()
        run = await room.run(number)
    finally:
        hidden.with_name("hidden").rename(hidden)
    assert run.state == "failed"
    assert "There is no backup of the database at all" in run.error
    assert "database_drill" not in {a.step for a in await room.attempts(number)}
    assert list(physical.scratch.glob("jackline-orders")) == []

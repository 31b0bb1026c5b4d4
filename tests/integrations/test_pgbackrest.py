"""A real pgBackRest on a real PostgreSQL over a real OpenSSH: what counts as a backup."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from bot.errors import AuthFailed, NotSent, Rejected, Retryable, Unknown
from bot.registry import Registry
from tests.integrations.direct import direct
from tests.integrations.doing import Doing
from tests.servers.damage import flip
from tests.servers.pgbackrest import PgBackRest, pgbackrest
from tests.servers.process import HOST, free_port, wait_for
from tests.servers.sshd import Sshd, sshd

pytestmark = pytest.mark.server
INFO, DRILL = "pgbackrest.info", "pgbackrest.restore_drill"
DRILLED: dict[str, Any] = {"repository": "orders", "tables": {"orders": 1}, "amcheck": False}


@pytest.fixture(scope="module")
def server() -> Iterator[PgBackRest]:
    """One backup with 5,000 orders; 1,000 more are in the archive only.

    Its configuration would harm a copy that obeyed it, and a table lies in a tablespace.
    """
    with pgbackrest() as found:
        space = found.folder / "space"
        space.mkdir()
        _same_owner(found.repo, space)
        found.postgres.sql(f"CREATE TABLESPACE old LOCATION '{space}'")
        found.postgres.sql("CREATE TABLE history TABLESPACE old AS SELECT generate_series(1, 9)")
        found.postgres.sql("ALTER SYSTEM SET shared_preload_libraries = 'nowhere'")
        found.postgres.sql("CREATE TABLE orders (id int PRIMARY KEY, at timestamptz DEFAULT now())")
        found.postgres.sql("INSERT INTO orders SELECT generate_series(1, 5000)")
        found.backup()
        found.postgres.sql("INSERT INTO orders SELECT generate_series(5001, 6000)")
        found.switch_wal()
        yield found


@pytest.fixture
async def on_host(
    registry: Registry, server: PgBackRest, sshd_server: Sshd
) -> AsyncIterator[Doing]:
    async with reached(registry, server, sshd_server) as doing:
        yield doing


@asynccontextmanager
async def reached(
    registry: Registry, server: PgBackRest, sshd: Sshd, **instead: str
) -> AsyncIterator[Doing]:
    settings = {**sshd.settings, **server.settings, **instead}
    async with direct("pgbackrest/orders", sshd.url, settings=settings) as connection:
        yield Doing(registry, connection)


async def test_a_backup_is_restored_and_its_rows_counted(
    on_host: Doing, server: PgBackRest
) -> None:
    """To the end of the archive: what was written after the backup is there as well.

    The copy obeys nothing that the original's configuration says, such as to archive.
    """
    before = await on_host.apply(INFO, repository="orders")
    assert (before["found"], before["type"], before["backups"]) == (True, "full", 1)
    assert (before["error"], before["complete"]) == (False, True)
    assert before["age_seconds"] < 600
    assert "verified_age_seconds" not in before  # nobody can tell, so a guard does not pass

    tables = {"orders": 6000, "public.history": 9}
    call = {**DRILLED, "tables": tables, "newest": "public.orders.at", "amcheck": True}
    preview = await on_host.preview(DRILL, **call)
    assert preview.changes[0].before.startswith(f"none; {before['label']} would be restored")
    out = await on_host.apply(DRILL, **call)

    assert (out["label"], out["counts"]) == (before["label"], tables)
    assert out["size"] > 10_000_000
    assert out["newest_age_seconds"] < 600
    assert list(server.scratch.glob("jackline-orders")) == []
    assert await on_host.verify(DRILL, **call) is None
    assert on_host.undo(preview, DRILL, **call) is None
    after = await on_host.apply(INFO, repository="orders")
    assert after["verified_label"] == before["label"]
    assert after["verified_counts"] == tables
    assert list((server.repo / "archive").rglob("00000002*")) == []  # a copy's own history
    assert after["verified_age_seconds"] < 60


async def test_to_a_point_in_time(on_host: Doing, server: PgBackRest) -> None:
    """To before somebody emptied the table; after it the drill says that it is empty."""
    sql = server.postgres.sql
    moment = sql("SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.USZ')")
    sql("UPDATE orders SET at = now()")  # a time is only reached when something came after it
    sql("DELETE FROM orders")
    server.switch_wal()
    try:
        out = await on_host.apply(DRILL, **DRILLED, until=moment)
        assert out["counts"] == {"orders": 6000}
        with pytest.raises(Rejected, match="The drill failed: orders is empty, and should have 1"):
            await on_host.apply(DRILL, **DRILLED)
    finally:
        sql("INSERT INTO orders SELECT generate_series(1, 6000)")
        server.switch_wal()


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"tables": {"orders": 7000}}, "orders has 5000 rows, and should have 7000 at least"),
        ({"tables": {"gone": 1}}, 'ERROR:  relation "gone" does not exist'),
    ],
)
async def test_what_is_missing_fails_the_drill(
    on_host: Doing, server: PgBackRest, more: dict[str, Any], said: str
) -> None:
    """In words; what was proven before is not proven any more, and nothing is left."""
    (server.scratch / "jackline-orders.verified.json").write_text("{}")
    with pytest.raises(Rejected) as caught:
        await on_host.apply(DRILL, **{**DRILLED, "until": "consistent", **more})
    assert said in str(caught.value)
    assert list(server.scratch.iterdir()) == []


async def test_a_damaged_backup(on_host: Doing, server: PgBackRest) -> None:
    """pgBackRest's own list goes on saying that all is well; restoring it does not."""
    label = server.backup()
    held = server.corrupt("orders", label).parent
    try:
        out = await on_host.apply(INFO, repository="orders")
        assert (out["label"], out["error"], out["complete"]) == (label, False, True)
        with pytest.raises(
            Rejected, match=r"The drill failed: the restore: ended with \d+: .*ERROR"
        ):
            await on_host.apply(DRILL, **DRILLED)
        assert list(server.scratch.iterdir()) == []
        older = server.info()["backup"][0]["label"]
        preview = await on_host.preview(DRILL, **DRILLED, backup=older)
        assert preview.state["label"] == older
    finally:
        assert held.is_dir()
        server.run("expire", f"--set={label}")


async def test_a_backup_without_its_wal_does_not_start(on_host: Doing, server: PgBackRest) -> None:
    """The list tells it by `complete`, the drill by the server's own words."""
    label = server.backup()
    archive = server.repo / "archive"
    lost = archive.rename(archive.with_name("lost"))
    shutil.copytree(lost, archive)
    _same_owner(lost, archive)
    needed = server.info()["backup"][-1]["archive"]["start"]
    for segment in archive.rglob("0*-*.gz"):
        if segment.name >= needed:
            segment.unlink()
    try:
        assert (await on_host.apply(INFO, repository="orders"))["complete"] is False
        with pytest.raises(
            Rejected, match=r"the restored server (gave up|does not start): .*FATAL"
        ):
            await on_host.apply(DRILL, **DRILLED)
    finally:
        shutil.rmtree(archive)
        lost.rename(archive)
        server.run("expire", f"--set={label}")


async def test_damage_that_was_backed_up_faithfully(on_host: Doing, server: PgBackRest) -> None:
    """The backup is as broken as the original: every row is there, and an index is wrong."""
    sql = server.postgres.sql
    sql("CREATE TABLE ledger AS SELECT generate_series(1, 5000) AS id")
    sql("ALTER TABLE ledger ADD PRIMARY KEY (id)")
    sql("CHECKPOINT")
    flip(server.postgres.folder / "data" / sql("SELECT pg_relation_filepath('ledger_pkey')"))
    label = server.backup()
    call = {**DRILLED, "tables": {"ledger": 5000}, "until": "consistent"}
    try:
        with pytest.raises(Rejected, match=r"pg_amcheck finds damage: ended with 2: .*ledger_pkey"):
            await on_host.apply(DRILL, **{**call, "amcheck": True})
    finally:
        sql("DROP TABLE ledger")
        server.run("expire", f"--set={label}")


async def test_the_way_breaks_in_the_middle(
    registry: Registry, server: PgBackRest, sshd_server: Sshd
) -> None:
    """Nobody knows how it ended, the server is left running: the next drill clears it away."""
    cut = {**DRILLED, "until": "consistent"}
    with sshd() as own:
        async with reached(registry, server, own) as doing:
            task = asyncio.create_task(doing.apply(DRILL, **cut))
            found = await asyncio.to_thread(wait_for, lambda: _started(server), timeout=30)
            own.cut()  # so that not even clearing up gets through
            with pytest.raises(Unknown):
                await task
    async with reached(registry, server, sshd_server) as doing:
        assert await doing.verify(DRILL, **cut) is False
        out = await doing.apply(DRILL, **cut)
        assert out["counts"] == {"orders": 5000}
        assert await doing.verify(DRILL, **cut) is None
    assert not (server.scratch / "jackline-orders").exists()
    with suppress(psutil.NoSuchProcess):
        psutil.Process(found).kill()  # it would end by itself within a minute


async def test_a_step_that_runs_out_of_time_clears_up(on_host: Doing, server: PgBackRest) -> None:
    """In the middle of the restore: the program that nobody waits for finds no folder any more."""
    task = asyncio.create_task(on_host.apply(DRILL, **DRILLED))
    await asyncio.to_thread(wait_for, lambda: _restoring(server), timeout=30)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.to_thread(wait_for, lambda: not _programs(server), what="the restore to end")
    assert list(server.scratch.glob("jackline-orders")) == []


async def test_who_is_not_there_or_not_let_in(
    registry: Registry, server: PgBackRest, sshd_server: Sshd, tmp_path: Path
) -> None:
    script = tmp_path / "cut"
    script.write_text("#!/bin/sh\nkill -9 $PPID\n")
    script.chmod(0o755)
    cut = {"program": str(script), "as_user": "[]"}
    async with reached(registry, server, sshd_server, **cut) as doing:
        with pytest.raises(Retryable):
            await doing.apply(INFO, repository="orders")
        with pytest.raises(Unknown):
            await doing.apply(DRILL, **DRILLED)
    async with reached(registry, server, sshd_server, key="rubbish") as doing:
        with pytest.raises(AuthFailed):
            await doing.apply(INFO, repository="orders")
    nobody = f"ssh://me@{HOST}:{free_port()}"
    async with direct(
        "pgbackrest/orders", nobody, settings={**sshd_server.settings, **server.settings}
    ) as connection:
        for name, call in ((INFO, {"repository": "orders"}), (DRILL, DRILLED)):
            with pytest.raises(NotSent):
                await Doing(registry, connection).apply(name, **call)


@pytest.mark.parametrize(
    ("instead", "said"),
    [
        ({"scratch": "/srv/../etc"}, "the setting `scratch` is wrong"),
        ({"scratch": "/"}, "the setting `scratch` is wrong"),
        ({"scratch": "/tmp/" + "x" * 60}, "the setting `scratch` is wrong"),
        ({"bin": "bin; id"}, "the setting `bin` is wrong"),
        ({"stanza": "--config=x"}, "the setting `stanza` is wrong"),
        ({"as_user": "sudo"}, "the setting `as_user` is wrong"),
        ({"as_user": '["-n"]'}, "the setting `as_user` is wrong"),
        ({"stanza": "other"}, "There is no backup"),
        ({"config": "/nowhere.conf"}, "pgBackRest cannot tell its backups: ended with 55"),
        ({"program": "/nowhere/pgbackrest"}, "pgBackRest cannot tell its backups: ended with 127"),
    ],
)
async def test_a_wrong_catalog(
    registry: Registry, server: PgBackRest, sshd_server: Sshd, instead: dict[str, str], said: str
) -> None:
    async with reached(registry, server, sshd_server, **instead) as doing:
        for verb in (doing.preview, doing.apply):
            with pytest.raises(Rejected) as caught:
                await verb(DRILL, **DRILLED)
            assert said in str(caught.value)


@pytest.mark.parametrize(
    "more",
    [
        {"tables": {}},
        {"tables": {"orders": 0}},
        {"tables": {"orders; DROP TABLE orders": 1}},
        {"tables": {'a"b': 1}},
        {"tables": {"a.b.c": 1}},
        {"tables": {"--x": 1}},
        {"database": "host=evil"},
        {"database": "-x"},
        {"backup": "--delta"},
        {"newest": "orders"},
        {"until": "yesterday"},
        {"until": "2026-01-31T17:20:00"},
        {"repository": "../x"},
        {"limit": 1},
    ],
)
def test_bad_input(registry: Registry, more: dict[str, Any]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - pydantic's error is one
        registry.action(DRILL).Params.model_validate({**DRILLED, **more})


async def test_a_note_that_is_none_or_from_the_future(on_host: Doing, server: PgBackRest) -> None:
    """It must not pass for a proof."""
    note = server.scratch / "jackline-orders.verified.json"
    try:
        note.write_text("half of it")
        with pytest.raises(Rejected, match="The note of the last drill cannot be read"):
            await on_host.apply(INFO, repository="orders")
        note.write_text(json.dumps({"label": "x", "at": 9e9, "counts": {}}))
        out = await on_host.apply(INFO, repository="orders")
        assert "verified_age_seconds" not in out
    finally:
        note.unlink()


def _restoring(server: PgBackRest) -> bool:
    return any(server.scratch.glob("jackline-orders/*/data/base/*"))


def _programs(server: PgBackRest) -> list[str]:
    """What still works in the scratch folder."""
    lines = [
        " ".join(process.info["cmdline"] or []) for process in psutil.process_iter(["cmdline"])
    ]
    return [line for line in lines if f"{server.scratch}/jackline-orders" in line]


def _started(server: PgBackRest) -> int:
    """The process id of a scratch server that is there, or 0."""
    for path in server.scratch.glob("jackline-orders/*/data/postmaster.pid"):
        with suppress(FileNotFoundError):  # it has ended meanwhile
            if words := path.read_text().split():
                return int(words[0])
    return 0


def _same_owner(like: Path, folder: Path) -> None:
    status = like.stat()
    for path in (folder, *folder.rglob("*")):
        shutil.chown(path, status.st_uid, status.st_gid)

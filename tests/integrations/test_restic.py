"""A real restic over a real OpenSSH, with real dumps: what counts as a backup."""

import asyncio
import json
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
from tests.servers.postgres import Postgres
from tests.servers.process import HOST, free_port, wait_for
from tests.servers.restic import PASSWORD, Restic, restic
from tests.servers.sshd import Sshd, sshd

pytestmark = pytest.mark.server
LIST, DRILL = "restic.snapshots", "restic.restore_drill"


@pytest.fixture(scope="module")
def shop(postgres_server: Postgres) -> Iterator[str]:
    """A database with 3,000 orders, and one more table."""
    postgres_server.create_database("restic_shop")
    sql = "CREATE TABLE orders AS SELECT generate_series(1, 3000) AS id; CREATE TABLE nothing (id int)"
    postgres_server.sql(sql, "restic_shop")
    yield "restic_shop"
    postgres_server.drop_database("restic_shop")


@pytest.fixture(scope="module")
def server(postgres_server: Postgres, shop: str) -> Iterator[Restic]:
    """One snapshot: a good dump, half of it, a link to it and an empty file."""
    with restic() as found:
        whole = found.dump(postgres_server, database=shop)
        (found.dumps / "half.dump").write_bytes(whole.read_bytes()[:-3000])
        (found.dumps / "link.dump").symlink_to(whole)
        (found.dumps / "empty.txt").touch()
        found.backup("--host=db1", "--tag=nightly")
        yield found


@pytest.fixture
async def on_host(registry: Registry, server: Restic, sshd_server: Sshd) -> AsyncIterator[Doing]:
    async with reached(registry, server, sshd_server) as doing:
        yield doing


@asynccontextmanager
async def reached(
    registry: Registry, server: Restic, sshd: Sshd, **instead: str
) -> AsyncIterator[Doing]:
    settings = {**sshd.settings, **server.settings, **instead}
    async with direct("restic/dumps", sshd.url, settings=settings) as connection:
        yield Doing(registry, connection)


def call(server: Restic, **more: Any) -> dict[str, Any]:
    return {"repository": "dumps", "files": {f"{server.dumps}/orders.dump": 1000}, **more}


def dump(server: Restic, name: str = "orders.dump", **tables: int) -> dict[str, Any]:
    return {"path": f"{server.dumps}/{name}", "tables": tables or {"orders": 3000}}


async def test_a_snapshot_is_restored_and_its_dump_counted(on_host: Doing, server: Restic) -> None:
    made = server.newest()
    before = await on_host.apply(LIST, repository="dumps")
    assert (before["label"], before["host"]) == (made["short_id"], "db1")
    assert (before["paths"], before["tags"]) == ([str(server.dumps)], ["nightly"])
    assert before["age_seconds"] < 600
    assert "verified_age_seconds" not in before  # nobody can tell, so a guard does not pass

    whole = call(server, dump=dump(server))
    preview = await on_host.preview(DRILL, **whole)
    assert preview.changes[0].before.startswith(f"none; {made['short_id']} would be restored")
    out = await on_host.apply(DRILL, **whole)

    assert (out["label"], out["counts"]) == (made["short_id"], {"orders": 3000})
    size = (server.dumps / "orders.dump").stat().st_size
    assert out["files"] == {f"{server.dumps}/orders.dump": size}
    assert out["size"] >= size
    assert await on_host.verify(DRILL, **whole) is None
    assert on_host.undo(preview, DRILL, **whole) is None
    after = await on_host.apply(LIST, repository="dumps")
    assert (after["verified_label"], after["verified_counts"]) == (
        made["short_id"],
        {"orders": 3000},
    )
    assert after["verified_age_seconds"] < 60
    assert [path.name for path in server.scratch.iterdir()] == [
        "jackline-restic-dumps.verified.json"
    ]


async def test_only_the_targets_own_snapshots(
    registry: Registry, server: Restic, sshd_server: Sshd
) -> None:
    """A younger snapshot of another host is not this one's backup."""
    mine = server.newest()
    other = server.backup("--host=db2")
    for host, label in (("db1", mine["short_id"]), ("db2", other["short_id"])):
        async with reached(registry, server, sshd_server, host=host) as doing:
            assert (await doing.apply(LIST, repository="dumps"))["label"] == label
    async with reached(registry, server, sshd_server, host="db1", tag="weekly") as doing:
        assert (await doing.apply(LIST, repository="dumps"))["found"] is False
        with pytest.raises(Rejected, match="There is no such snapshot"):
            await doing.apply(DRILL, **call(server))


async def test_what_is_missing_fails_the_drill(on_host: Doing, server: Restic) -> None:
    """In words; what was proven before is not proven any more, and nothing is left."""
    folder = server.dumps
    for more, said in (
        ({"files": {f"{folder}/empty.txt": 1}}, "empty.txt is empty, and should have 1 at least"),
        ({"files": {f"{folder}/orders.dump": 10**9}}, "bytes, and should have 1000000000 at least"),
        ({"files": {f"{folder}/link.dump": 1}}, "link.dump is not in the snapshot"),
        ({"dump": dump(server, "half.dump")}, "half.dump cannot be loaded: ended with 1: "),
        ({"dump": dump(server, nothing=1)}, "nothing is empty, and should have 1 at least"),
    ):
        (server.scratch / "jackline-restic-dumps.verified.json").write_text("{}")
        with pytest.raises(Rejected) as caught:
            await on_host.apply(DRILL, **call(server, **more))
        assert said in str(caught.value)
        assert list(server.scratch.iterdir()) == []


async def test_a_damaged_repository(registry: Registry, server: Restic, sshd_server: Sshd) -> None:
    """restic's list goes on saying that there is a fresh snapshot."""
    damaged = server.copied()
    damaged.corrupt()
    async with reached(registry, damaged, sshd_server) as doing:
        assert (await doing.apply(LIST, repository="dumps"))["age_seconds"] < 600
        with pytest.raises(Rejected, match="failed: the check of the repository: ended with"):
            await doing.apply(DRILL, **call(server))
    assert list(damaged.scratch.iterdir()) == []


async def test_the_way_breaks_in_the_middle(
    registry: Registry, server: Restic, sshd_server: Sshd
) -> None:
    """Nobody knows how it ended, the server is left running: the next drill clears it away."""
    whole = call(server, dump=dump(server))
    with sshd() as own:
        async with reached(registry, server, own) as doing:
            task = asyncio.create_task(doing.apply(DRILL, **whole))
            found = await asyncio.to_thread(wait_for, lambda: _started(server), timeout=30)
            own.cut()  # so that not even clearing up gets through
            with pytest.raises(Unknown):
                await task
    async with reached(registry, server, sshd_server) as doing:
        assert await doing.verify(DRILL, **whole) is False
        assert (await doing.apply(DRILL, **whole))["counts"] == {"orders": 3000}
        assert await doing.verify(DRILL, **whole) is None
    with suppress(psutil.NoSuchProcess):
        psutil.Process(found).kill()  # it would end by itself within a minute


async def test_who_is_not_there_or_not_let_in(
    registry: Registry, server: Restic, sshd_server: Sshd, tmp_path: Path
) -> None:
    script = tmp_path / "cut"
    script.write_text("#!/bin/sh\nkill -9 $PPID\n")
    script.chmod(0o755)
    cut = {"program": str(script), "as_user": "[]"}
    async with reached(registry, server, sshd_server, **cut) as doing:
        with pytest.raises(Retryable):
            await doing.apply(LIST, repository="dumps")
        with pytest.raises(Unknown):
            await doing.apply(DRILL, **call(server))
    async with reached(registry, server, sshd_server, key="rubbish") as doing:
        with pytest.raises(AuthFailed):
            await doing.apply(LIST, repository="dumps")
    settings = {**sshd_server.settings, **server.settings}
    async with direct("restic/dumps", f"ssh://me@{HOST}:{free_port()}", settings=settings) as link:
        for name, params in ((LIST, {"repository": "dumps"}), (DRILL, call(server))):
            with pytest.raises(NotSent):
                await Doing(registry, link).apply(name, **params)


async def test_a_wrong_catalog(
    registry: Registry, server: Restic, sshd_server: Sshd, tmp_path: Path
) -> None:
    """Said in words, and never with a secret."""
    wrong = server.folder / "wrong"
    wrong.write_text("not-the-password\n")
    away = server.folder / "away"
    away.write_text(f"rest:http://ops:{PASSWORD}@{HOST}:{free_port()}/x\n")
    for instead, said in (
        ({"scratch": "/srv/../etc"}, "the setting `scratch` is wrong"),
        ({"host": "--json"}, "the setting `host` is wrong"),
        ({"program": "restic; id"}, "the setting `program` is wrong"),
        ({"as_user": "sudo"}, "the setting `as_user` is wrong"),
        ({"password_file": str(wrong)}, "wrong password or no key found"),
        ({"password_file": "/nowhere"}, "/nowhere does not exist"),
        ({"repository_file": str(away)}, "unable to open config file"),
        ({"program": "/nowhere/restic"}, "ended with 127"),
    ):
        async with reached(registry, server, sshd_server, **instead) as doing:
            for verb in (doing.preview, doing.apply):
                with pytest.raises(Rejected) as caught:
                    await verb(DRILL, **call(server))
                assert said in str(caught.value)
                assert PASSWORD not in str(caught.value)
                assert "not-the-password" not in str(caught.value)


@pytest.mark.parametrize(
    "more",
    [
        {"files": {}},
        {"files": {"/a": 0}},
        {"files": {"a": 1}},
        {"files": {"/../etc/passwd": 1}},
        {"files": {"/a\n/b": 1}},
        {"dump": {"path": "/a", "tables": {}}},
        {"dump": {"path": "/a", "tables": {'x"; DROP TABLE y': 1}}},
        {"dump": {"path": "-x", "tables": {"a": 1}}},
        {"snapshot": "latest"},
        {"snapshot": "--host"},
        {"read_data": 0},
        {"repository": "../x"},
    ],
)
def test_bad_input(registry: Registry, more: dict[str, Any]) -> None:
    good = {"repository": "dumps", "files": {"/a": 1}}
    with pytest.raises(ValueError):  # noqa: PT011 - pydantic's error is one
        registry.action(DRILL).Params.model_validate({**good, **more})


async def test_a_note_that_is_none_or_from_the_future(on_host: Doing, server: Restic) -> None:
    """It must not pass for a proof."""
    note = server.scratch / "jackline-restic-dumps.verified.json"
    note.write_text("half of it")
    with pytest.raises(Rejected, match="The note of the last drill cannot be read"):
        await on_host.apply(LIST, repository="dumps")
    note.write_text(json.dumps({"label": "x", "at": 9e9, "counts": {}}))
    assert "verified_age_seconds" not in await on_host.apply(LIST, repository="dumps")
    note.unlink()


def _started(server: Restic) -> int:
    """The process id of a scratch server that is there, or 0."""
    for path in server.scratch.glob("jackline-restic-dumps/*/pg/postmaster.pid"):
        with suppress(FileNotFoundError):  # it has ended meanwhile
            if words := path.read_text().split():
                return max(0, int(words[0]))  # negative: initdb is still at work
    return 0

"""GitHub, 21 October 2018: 43 seconds without a link, and two coasts with writes of their own.

The automation was right about what it could see. Here the majority side sees a primary that does
not answer, and the runbook that ships does not promote anybody until the old one is fenced over a
way of its own; what answers nobody may still take writes.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.registry import Registry
from bot.runbooks import Decisions
from bot.store import Store
from tests.runbooks.room import Room
from tests.runbooks.shipped.room import shipped
from tests.servers.netns import network
from tests.servers.patroni import Member, Patroni, patroni
from tests.servers.process import HOST, free_port
from tests.servers.sshd import Sshd

pytestmark = [pytest.mark.server, pytest.mark.alone]
INPUTS = {"old_primary": "n1", "candidate": "n2"}
# What a host's own service manager would do; `fenced` exits 0 when nothing of the member runs.
FENCE = """\
import psutil, sys
all_of_them = psutil.process_iter(["cmdline"])
left = [p for p in all_of_them if {folder!r} in " ".join(p.info["cmdline"] or [])]
if sys.argv[1] == "fence":
    for process in left:
        process.kill()
    psutil.wait_procs(left, 5)
sys.exit(0 if sys.argv[1] == "fence" else bool(left))
"""


@pytest.fixture
def script(tmp_path: Path) -> Path:
    return tmp_path / "fence.py"


def management(sshd: Sshd, script: Path, old: Member, *, up: bool) -> dict[str, Any]:
    """The way to the old primary's host that does not go over the database's network."""
    script.write_text(FENCE.format(folder=str(old.folder)))
    commands = {
        word: {"argv": [sys.executable, str(script), word], "effect": effect}
        for word, effect in (("fence", "idempotent"), ("fenced", "read"))
    }
    url = sshd.url if up else f"ssh://ops@{HOST}:{free_port()}"
    return {"url": url, "settings": {**sshd.settings, "commands": json.dumps(commands)}}


async def ran(room: Room, click: str) -> Any:
    """A run asked for with one click, approved if it could be planned, and worked to its end."""
    number = await room.start(origin=click, name="postgres-failover", **INPUTS)
    await room.work(1)
    if (await room.run(number)).state == "waiting":
        await room.approve(number, "ben")
        await room.work()
    return await room.run(number)


@pytest.fixture
def partitioned() -> Iterator[tuple[Patroni, Any]]:
    """Three hosts of their own; failing over is left to people, so Patroni is paused."""
    with (
        network(3) as hosts,
        patroni(places=hosts.places, etcd_host=hosts.host) as whole,
    ):
        whole.pause()
        yield whole, hosts


async def test_behind_a_partition_the_old_primary_lives_and_nobody_is_promoted(
    store: Store,
    registry: Registry,
    tmp_path: Path,
    script: Path,
    sshd_server: Sshd,
    partitioned: tuple[Patroni, Any],
) -> None:
    """Not reached is not dead: it takes writes all the while. After fencing the run goes through."""
    whole, hosts = partitioned
    old, new = whole.member("n1"), whole.member("n2")
    old.query("CREATE TABLE orders (number int)")
    hosts.cut(0)
    whole.wait_unlocked()
    old.query("INSERT INTO orders VALUES (1)")  # the other coast goes on selling

    targets = {
        "patroni/orders": whole.target(1),
        "ssh/n1": management(sshd_server, script, old, up=False),
    }
    blind = shipped("postgres-failover", store, registry, tmp_path / "blind", targets)
    run = await ran(blind, "first")

    assert run.state == "held", run.error  # fenced by hand, or not at all
    assert not new.writable()
    assert old.writable()
    async with store.write() as session:
        await Decisions(blind.runs).confirm(
            session, run.number, "by_hand", blind.person("ana"), done=False
        )
    await blind.work()
    run = await blind.run(run.number)
    assert (run.state, run.error) == ("failed", "Ana says that it cannot be done")
    assert not new.writable()

    targets["ssh/n1"] = management(sshd_server, script, old, up=True)
    room = shipped("postgres-failover", store, registry, tmp_path / "seeing", targets)
    run = await ran(room, "second")

    assert (run.state, run.error) == ("succeeded", "")
    assert not old.writable()
    assert new.writable()

    hosts.mend(0)
    whole.pause(False)
    old.restart()
    whole.wait_settled("n2")
    assert [member.name for member in whole.members if member.writable()] == ["n2"]


async def test_a_primary_that_hangs_is_fenced_before_anybody_is_promoted(
    store: Store, registry: Registry, tmp_path: Path, script: Path, sshd_server: Sshd
) -> None:
    """A living primary is left alone. One that hangs could wake up and go on: it is killed first."""
    with patroni() as whole:
        old = whole.member("n1")
        targets = {
            "patroni/orders": whole.target(1),
            "ssh/n1": management(sshd_server, script, old, up=True),
        }
        room = shipped("postgres-failover", store, registry, tmp_path, targets)
        whole.pause()
        run = await ran(room, "first")
        assert (run.state, old.writable()) == ("failed", True)
        assert "A primary answers" in run.error

        old.freeze()
        whole.wait_unlocked()
        run = await ran(room, "second")
        old.thaw()  # what is left of it, if anything were

        assert (run.state, run.error) == ("succeeded", "")
        assert [member.name for member in whole.members if member.writable()] == ["n2"]


async def test_a_person_who_has_seen_the_machine_off_may_go_on(
    store: Store, registry: Registry, tmp_path: Path, script: Path, sshd_server: Sshd
) -> None:
    """No way to its host: somebody switches it off there, says so, and only then is one promoted."""
    with patroni() as whole:
        old = whole.member("n1")
        targets = {
            "patroni/orders": whole.target(1),
            "ssh/n1": management(sshd_server, script, old, up=False),
        }
        room = shipped("postgres-failover", store, registry, tmp_path, targets)
        whole.pause()
        old.freeze()
        whole.wait_unlocked()
        run = await ran(room, "first")
        assert run.state == "held"
        old.kill()
        async with store.write() as session:
            await Decisions(room.runs).confirm(
                session, run.number, "by_hand", room.person("ana"), done=True
            )
        await room.work()
        run = await room.run(run.number)
        assert (run.state, run.error) == ("succeeded", "")
        assert whole.member("n2").writable()
        steps = {row.kind: row.data.get("step") for row in await room.rows()}
        assert steps["step_skipped"] == "fenced"

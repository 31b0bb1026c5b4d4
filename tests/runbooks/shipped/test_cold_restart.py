"""`cold-restart` over a real OpenSSH, with three real processes."""

import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from unittest.mock import Mock

import pytest
import yaml

from bot.registry import Registry
from bot.store import Store
from tests.runbooks.room import expire
from tests.runbooks.shipped.room import SHIPPED, on_both, shipped
from tests.servers.process import wait_for
from tests.servers.sshd import Sshd

pytestmark = pytest.mark.server
SERVICES = ("db", "cache", "web")
# What systemctl does for the shipped catalog: one process for each service, and who began when.
CONTROL = """\
import os, signal, subprocess, sys
folder, verb, name = sys.argv[1:4]
pid = os.path.join(folder, name + '.pid')
def alive():
    try:
        os.kill(int(open(pid).read()), 0)
    except (OSError, ValueError):
        return False
    return True
if verb == 'healthy':
    sys.exit(0 if alive() else 3)
if alive():
    os.kill(int(open(pid).read()), signal.SIGKILL)
if os.path.exists(os.path.join(folder, name + '.broken')):
    os.remove(pid)
    sys.exit('cannot start ' + name)
child = subprocess.Popen(['sleep', '300'], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                         stderr=subprocess.DEVNULL, start_new_session=True)
open(pid, 'w').write(str(child.pid))
open(os.path.join(folder, 'order'), 'a').write(name + ' ')
"""


class Services:
    """Three services on the host, and what systemctl would say of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "control.py").write_text(CONTROL)

    def pids(self) -> dict[str, int]:
        return {name: int((self.folder / f"{name}.pid").read_text()) for name in SERVICES}

    def order(self) -> list[str]:
        return (self.folder / "order").read_text().split()

    def control(self, verb: str) -> list[str]:
        return [
            sys.executable,
            str(self.folder / "control.py"),
            str(self.folder),
            verb,
            "{service}",
        ]

    def commands(self) -> str:
        """The shipped list, with other programs."""
        (app1,) = yaml.safe_load((SHIPPED / "catalog" / "hosts.yaml").read_text())["targets"]
        listed = json.loads(app1["settings"]["commands"])
        argv = {
            "processes": ["ps", "-o", "pid,args", "-C", "sleep"],
            "logs": ["cat", str(self.folder / "order")],
            "healthy": self.control("healthy"),
            "restart": self.control("restart"),
        }
        assert listed.keys() == argv.keys()
        return json.dumps({name: {**listed[name], "argv": argv[name]} for name in listed})


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    found = Services(tmp_path)
    for name in SERVICES:
        argv = [word.replace("{service}", name) for word in found.control("restart")]
        assert os.spawnv(os.P_WAIT, argv[0], argv) == 0
    wait_for(lambda: len(found.pids()) == len(SERVICES), what="three services")
    (tmp_path / "order").write_text("")
    yield found
    for pid in found.pids().values():
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


@on_both
async def test_in_order_and_evidence_first(
    services: Services, sshd_server: Sshd, store: Store, registry: Registry, tmp_path: Path
) -> None:
    """What ran before stands in the record; each service is new, one after the other."""
    before = services.pids()
    entry = {"url": sshd_server.url,
             "settings": {**sshd_server.settings, "commands": services.commands()}}  # fmt: skip
    room = shipped("cold-restart", store, registry, tmp_path, {"ssh/app1": entry})
    number = await room.approved(name="cold-restart", host="app1")
    plan = (await room.run(number)).plan["steps"]
    assert [r["undo"] for r in plan[2:]] == ["cannot be undone: a restart stays a restart"] * 3
    await room.work()
    run = await room.run(number)
    assert (run.state, run.error) == ("succeeded", "")
    assert services.order() == list(SERVICES)
    after = services.pids()
    assert all(after[name] != before[name] for name in SERVICES)
    rows = {a.step: a for a in await room.attempts(number)}
    assert str(before["db"]) in rows["processes"].output["stdout"]
    captured = max(rows["processes"].ended_at, rows["logs"].ended_at)
    assert captured <= rows["database"].started_at


async def test_what_does_not_come_up_stops_the_rest(
    services: Services, sshd_server: Sshd, store: Store, registry: Registry, tmp_path: Path
) -> None:
    """The web is not restarted on top of a broken cache; a person is asked."""
    before = services.pids()
    (services.folder / "cache.broken").touch()
    entry = {"url": sshd_server.url,
             "settings": {**sshd_server.settings, "commands": services.commands()}}  # fmt: skip
    room = shipped("cold-restart", store, registry, tmp_path, {"ssh/app1": entry})
    number = await room.approved(name="cold-restart", host="app1")
    await room.work()
    run = await room.run(number)
    (asked,) = await room.attempts(number, "ask")
    assert (run.state, asked.step, asked.state) == ("held", "cache", "waiting")
    assert "restart ended with 1: cannot start cache" in asked.output["error"]
    assert services.order() == ["db"]
    (services.folder / "cache.pid").write_text(str(before["cache"]))
    assert services.pids()["web"] == before["web"]


async def test_a_restart_that_was_never_sent_does_not_pass_for_done(
    services: Services, sshd_server: Sshd, store: Store, registry: Registry, tmp_path: Path
) -> None:
    """Jackline dies just before. The database runs, as it did all the time: that shows nothing."""
    entry = {"url": sshd_server.url,
             "settings": {**sshd_server.settings, "commands": services.commands()}}  # fmt: skip
    room = shipped("cold-restart", store, registry, tmp_path, {"ssh/app1": entry})
    number = await room.approved(name="cold-restart", host="app1")

    class DiedError(BaseException):
        """The process is gone."""

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(registry.action("ssh.run"), "apply", Mock(side_effect=DiedError))
        with pytest.raises(DiedError):
            await room.work()
    await expire(room)
    await room.work(engine=room.another("second"))
    found = await room.run(number)
    assert (found.state, services.order()) == ("unknown", [])
    assert "Jackline stopped while this was being sent" in found.error

"""Programs that end badly on a real OpenSSH: nobody can tell what they did until then."""

import json
from pathlib import Path
from typing import Any

import pytest

from bot.registry import Registry
from bot.store import Store
from tests.runbooks.room import Room, runbook
from tests.runbooks.shipped.room import placed
from tests.servers.sshd import Sshd

pytestmark = pytest.mark.server
VERIFY = 'verify: [{expect: "out.status == 0"}]'


@pytest.fixture
def host(tmp_path: Path, sshd_server: Sshd, store: Store, registry: Registry) -> "Host":
    return Host(tmp_path, sshd_server, store, registry)


class Host:
    """A host whose commands write down that they ran, and what it takes them back by."""

    def __init__(self, folder: Path, sshd: Sshd, store: Store, registry: Registry) -> None:
        self.folder = folder
        self.sshd = sshd
        self.wired = store, registry
        self.ran = folder / "ran"
        self.ran.touch()

    def room(self, step: str, effect: str, after: str, **more: Any) -> Room:
        """``after`` is what `change` does once it has done its part."""
        commands = {
            "change": {"argv": self.shell(f"echo change >> {self.ran}; {after}"), "effect": effect,
                       "undo": "back", **more},
            "back": {"argv": self.shell(f"echo back >> {self.ran}"), "effect": effect},
        }  # fmt: skip
        settings = {**self.sshd.settings, "commands": json.dumps(commands)}
        entry = {"url": self.sshd.url, "settings": settings}
        return placed(runbook(step), "fix", *self.wired, self.folder, {"ssh/db1": entry})

    def shell(self, script: str) -> list[str]:
        return ["sh", "-c", script]

    def said(self) -> list[str]:
        return self.ran.read_text().split()


def step(verb: str, more: str) -> str:
    return f"action: ssh.{verb}\nwith: {{host: db1, command: change}}\nundo: auto\n{more}"


async def test_what_is_done_once_and_ends_badly_is_neither_repeated_nor_taken_back(
    host: Host,
) -> None:
    """It may have done a part, or nothing: a retry, or the way back, might do more than was done."""
    retry = "retry: {attempts: 3, backoff: 10ms}"
    room = host.room(step("run", f"{retry}\n{VERIFY}\non_failure: undo"), "once", "exit 3")
    number = await room.approved()
    await room.work()
    run = await room.run(number)
    assert host.said() == ["change"]
    assert run.state == "failed"
    assert run.error == (
        "not taken back: s1: change ended with 3: no words; s1: it failed once it had begun, "
        "and nobody can tell what it did until then"
    )


async def test_a_person_who_takes_it_back_is_told_so(host: Host) -> None:
    room = host.room(step("run", VERIFY), "once", "exit 3")
    number = await room.approved()
    await room.work()
    assert (await room.run(number)).error == "change ended with 3: no words"
    await room.ask("undo", number, "cleo")
    await room.work()
    run = await room.run(number)
    assert (run.state, host.said()) == ("failed", ["change"])
    assert run.error.startswith("not taken back: s1: it failed once it had begun")


async def test_what_may_be_repeated_and_ends_badly_is_taken_back(host: Host) -> None:
    """What it did in part goes back; where it did nothing, that does no harm."""
    retry = "retry: {attempts: 2, backoff: 10ms}"
    room = host.room(step("ensure", f"{retry}\non_failure: undo"), "idempotent", "exit 3")
    number = await room.approved()
    await room.work()
    run = await room.run(number)
    assert host.said() == ["change", "change", "back"]
    assert (run.state, run.error) == ("failed", "s1: change ended with 3: no words")


async def test_what_may_be_repeated_and_never_ends_is_taken_back(host: Host) -> None:
    """The host tells nothing of its state, so no look can show that nothing happened."""
    room = host.room(step("ensure", "on_failure: undo"), "idempotent", "sleep 9", timeout=0.5)
    number = await room.approved()
    await room.work()
    run = await room.run(number)
    assert host.said() == ["change", "back"]
    assert (run.state, run.error) == ("failed", "s1: sh on ssh/db1 did not end in 0 s.")

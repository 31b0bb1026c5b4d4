"""Commands of an allow-list on a real OpenSSH: what is refused never reaches the host."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bot.contract import Call
from bot.errors import Rejected, Unknown
from bot.registry import Registry
from tests.integrations.direct import direct
from tests.integrations.doing import Doing
from tests.servers.sshd import Sshd

pytestmark = pytest.mark.server


def commands(folder: Path) -> dict[str, Any]:
    name = {"name": "[a-z0-9]{1,20}"}
    return {
        "list": {"argv": ["ls", str(folder)], "effect": "read"},
        "state": {"argv": ["cat", "{name}"], "args": {"name": f"{folder}/[a-z]+"}, "effect": "read"},
        "make": {
            "argv": ["mkdir", f"{folder}/shop"], "effect": "once", "undo": "unmake",
            "verify": ["test", "-d", f"{folder}/shop"],
        },
        "unmake": {"argv": ["rmdir", f"{folder}/shop"], "effect": "once"},
        "touch": {"argv": ["touch", f"{folder}/there"], "effect": "idempotent"},
        "say": {"argv": ["printf", "%s", "{name}"], "args": name, "effect": "read"},
        "json": {"argv": ["printf", "%s", '[{"a": 1}]'], "effect": "read"},
        "quiet": {"argv": ["true"], "effect": "once", "verify": [f"{folder}/no-such-program"]},
        "cut": {"argv": ["true"], "effect": "once", "verify": ["sh", "-c", "kill -9 $$"]},
        "slow": {"argv": ["sleep", "9"], "effect": "once", "timeout": 0.3},
    }  # fmt: skip


@pytest.fixture
async def on_host(registry: Registry, sshd_server: Sshd, tmp_path: Path) -> AsyncIterator[Doing]:
    async with host(registry, sshd_server, commands(tmp_path)) as doing:
        yield doing


@asynccontextmanager
async def host(registry: Registry, sshd: Sshd, allowed: object) -> AsyncIterator[Doing]:
    settings = {**sshd.settings, "commands": json.dumps(allowed)}
    async with direct("ssh/db1", sshd.url, settings=settings) as connection:
        yield Doing(registry, connection)


async def test_a_command_and_its_output(on_host: Doing, tmp_path: Path) -> None:
    (tmp_path / "seen").touch()
    out = await on_host.apply("ssh.read", host="db1", command="list")
    assert (out["status"], out["stdout"], out["json"]) == (0, "seen\n", None)
    out = await on_host.apply("ssh.read", host="db1", command="json")
    assert out["json"] == [{"a": 1}]
    assert (await on_host.preview("ssh.read", host="db1", command="list")).changes == []


async def test_once_with_its_way_back(on_host: Doing, tmp_path: Path) -> None:
    """The plan shows the words; verify and undo are those of the list."""
    call: dict[str, Any] = {"host": "db1", "command": "make"}
    preview = await on_host.preview("ssh.run", **call)
    (change,) = preview.changes
    assert (change.before, change.after) == ("not run", f"mkdir {tmp_path}/shop")
    assert await on_host.verify("ssh.run", **call) is False
    await on_host.apply("ssh.run", **call)
    assert await on_host.verify("ssh.run", **call) is True
    back = on_host.undo(preview, "ssh.run", **call)
    assert back == Call(action="ssh.run", params={"host": "db1", "command": "unmake", "args": {}})
    await on_host.apply(back.action, **back.params)
    assert not (tmp_path / "shop").exists()


@pytest.mark.parametrize("command", ["quiet", "cut"])
async def test_a_verify_that_does_not_run_tells_nothing(on_host: Doing, command: str) -> None:
    """It is no "no": after a crash that would be leave to do it once more."""
    assert await on_host.verify("ssh.run", host="db1", command=command) is None


async def test_ensure_twice(on_host: Doing, tmp_path: Path) -> None:
    call: dict[str, Any] = {"host": "db1", "command": "touch"}
    preview = await on_host.preview("ssh.ensure", **call)
    for _ in range(2):
        await on_host.apply("ssh.ensure", **call)
    assert (tmp_path / "there").exists()
    assert await on_host.verify("ssh.ensure", **call) is None
    assert on_host.undo(preview, "ssh.ensure", **call) is None


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ({"command": "reboot"}, "allows no command 'reboot'. It allows cut, json, list, make"),
        ({"command": "say"}, "say takes name, and was given none"),
        ({"command": "list", "args": {"x": "y"}}, "list takes no arguments, and was given x"),
        ({"command": "say", "args": {"name": "--help"}}, 'name "--help" is refused'),
        ({"command": "say", "args": {"name": "$(id)"}}, r"name '$(id)' does not match"),
        ({"command": "say", "args": {"name": "{{ 7 }}"}}, "does not match"),
        ({"command": "say", "args": {"name": "a\nb"}}, "is refused"),
        ({"command": "say", "args": {"name": "a b"}}, "does not match"),
        ({"command": "make"}, "make is listed as once. Use ssh.run for it."),
        ({"command": "state", "args": {"name": "/etc/passwd"}}, "does not match"),
    ],
)
async def test_what_is_refused(on_host: Doing, call: dict[str, Any], said: str) -> None:
    """In the plan already, and again when it would be run."""
    for verb in (on_host.preview, on_host.apply):
        with pytest.raises(Rejected) as caught:
            await verb("ssh.read", host="db1", **call)
        assert said in str(caught.value)


async def test_a_failure_is_told_with_its_words(on_host: Doing, tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    with pytest.raises(Rejected, match=r"make ended with 1: mkdir: .*File exists"):
        await on_host.apply("ssh.run", host="db1", command="make")
    out = await on_host.apply("ssh.run", host="db1", command="make", ok_status=[0, 1])
    assert out["status"] == 1


async def test_no_end_in_time_is_unknown(on_host: Doing) -> None:
    with pytest.raises(Unknown):
        await on_host.apply("ssh.run", host="db1", command="slow")


@pytest.mark.parametrize(
    ("allowed", "said"),
    [
        ({"x": {"argv": []}}, "wrong at x.argv"),
        ({"x": {"argv": ["ls", "{a}"]}}, "{a} has no pattern in args"),
        ({"x": {"argv": ["ls", "--dir={a}"], "args": {"a": "b"}}}, "must be a whole word"),
        ({"-x": {"argv": ["ls"]}}, "wrong at -x"),
        ([], "wrong at"),
    ],
)
async def test_a_wrong_list(
    registry: Registry, sshd_server: Sshd, allowed: object, said: str
) -> None:
    """Said with its place; nothing of such a list may be run."""
    async with host(registry, sshd_server, allowed) as doing:
        with pytest.raises(Rejected) as caught:
            await doing.apply("ssh.read", host="db1", command="x")
    assert said in str(caught.value)

"""A host's serial console by ipmitool on a real jump host, against OpenIPMI's BMC."""

import asyncio
import contextlib
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import psutil
import pytest
from pydantic import ValidationError

from bot.errors import AuthFailed, NotSent, Rejected, Retryable
from bot.registry import Registry
from integrations.ipmi.console import readable
from tests.integrations.direct import direct
from tests.integrations.doing import Doing
from tests.servers.ipmi import by_hand, console_taken
from tests.servers.ipmi_sim import PASSWORD, IpmiSim, SerialLine, ipmi_sim
from tests.servers.process import HOST, free_port, wait_for
from tests.servers.sshd import Sshd, sshd

pytestmark = pytest.mark.server
DB1: dict[str, Any] = {"bmc": "db1"}
LISTEN: dict[str, Any] = {**DB1, "seconds": 2}
PANIC = b"\x1b[0;31mKernel panic - not syncing: VFS\x1b[0m\r\n"
SAID = "Kernel panic - not syncing: VFS"


@pytest.fixture
def bmc() -> Iterator[IpmiSim]:
    with ipmi_sim() as running:
        yield running


@pytest.fixture
def jump() -> Iterator[Sshd]:
    with sshd() as running:
        yield running


@asynccontextmanager
async def by_jump(
    registry: Registry, jump: Sshd, bmc: IpmiSim, **more: str
) -> AsyncIterator[Doing]:
    settings = {**jump.settings, **bmc.settings, **more}
    async with direct("ipmi/db1", jump.url, settings=settings) as connection:
        yield Doing(registry, connection)


@pytest.fixture
async def on_bmc(registry: Registry, jump: Sshd, bmc: IpmiSim) -> AsyncIterator[Doing]:
    async with by_jump(registry, jump, bmc) as doing:
        yield doing


@asynccontextmanager
async def printing(line: SerialLine, data: bytes = PANIC) -> AsyncIterator[None]:
    """The host prints it again and again, as one in a boot loop does."""

    async def again() -> None:
        while True:
            line.says(data)
            await asyncio.sleep(0.1)

    task = asyncio.create_task(again())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@asynccontextmanager
async def listening(doing: Doing, bmc: IpmiSim, **more: Any) -> AsyncIterator[asyncio.Task[Any]]:
    """A read under way that has heard something."""
    task = asyncio.create_task(doing.apply("ipmi.console", **DB1, **more))
    async with printing(bmc.line):
        await asyncio.sleep(1.5)
    yield task


async def test_what_the_host_prints(on_bmc: Doing, bmc: IpmiSim) -> None:
    """The last lines, as a person would read them; nothing is typed there, nor is it changed."""
    async with printing(bmc.line):
        out = await on_bmc.apply("ipmi.console", **LISTEN, lines=3)
    assert out["text"].splitlines() == [SAID] * 3
    assert out["bytes"] > 3 * len(PANIC)
    assert (out["seconds"], out["cut"]) == (2, False)
    assert (await on_bmc.preview("ipmi.console", **LISTEN)).changes == []
    assert await on_bmc.verify("ipmi.console", **LISTEN) is True
    assert bmc.line.heard == b""


async def test_a_line_at_the_wrong_speed(on_bmc: Doing, bmc: IpmiSim) -> None:
    """What is no text is shown as such, and counted."""
    async with printing(bmc.line, b"\xff\xfe\x00\n"):
        out = await on_bmc.apply("ipmi.console", **LISTEN)
    assert set(out["text"].splitlines()) == {"\ufffd\ufffd"}
    assert out["bytes"] == 4 * len(out["text"].splitlines())


async def test_a_silent_line_and_one_that_is_cut(on_bmc: Doing, bmc: IpmiSim) -> None:
    """It ends in time all the same, with what was heard."""
    began = time.monotonic()
    assert await on_bmc.apply("ipmi.console", **LISTEN) == {
        "text": "", "bytes": 0, "seconds": 2, "cut": False,
    }  # fmt: skip
    async with listening(on_bmc, bmc, seconds=3) as task:
        bmc.line.close()
        assert (await task)["text"].splitlines()[-1] == SAID
    assert time.monotonic() - began < 10


async def test_a_bmc_that_goes_away(on_bmc: Doing, bmc: IpmiSim) -> None:
    """What was heard until then is given, and that the silence after it proves nothing."""
    began = time.monotonic()
    async with listening(on_bmc, bmc, seconds=3) as task:
        bmc.process.freeze()
        out = await task
    assert out["text"].splitlines()[-1] == SAID
    assert out["cut"] is True
    assert time.monotonic() - began < 20


async def test_a_console_that_is_taken(on_bmc: Doing, bmc: IpmiSim) -> None:
    """Whoever has it keeps it, and is not disturbed."""
    with console_taken(bmc.settings) as person:
        with pytest.raises(Rejected, match="Somebody else has the console open"):
            await on_bmc.apply("ipmi.console", **LISTEN)
        bmc.line.says(PANIC)
        wait_for(lambda: SAID in person.sees, what="the person to see it")
    assert bmc.line.heard == b""


async def test_a_person_who_takes_it_over(on_bmc: Doing, bmc: IpmiSim) -> None:
    """They may; what was heard is given, and that it was cut."""
    async with listening(on_bmc, bmc, seconds=4) as task:
        by_person(bmc, "sol deactivate")
        out = await task
    assert (out["text"].splitlines()[-1], out["cut"]) == (SAID, True)


async def test_a_console_that_is_switched_off_or_not_there(
    registry: Registry, jump: Sshd, on_bmc: Doing, bmc: IpmiSim
) -> None:
    by_person(bmc, "sol set enabled false")
    with pytest.raises(Rejected, match="opens no console: SOL payload disabled"):
        await on_bmc.apply("ipmi.console", **LISTEN)
    with ipmi_sim(sol=False) as other:
        async with by_jump(registry, jump, other) as doing:
            with pytest.raises(Rejected, match="opens no console: SOL payload: Invalid command"):
                await doing.apply("ipmi.console", **LISTEN)


async def test_a_wrong_credential_and_no_bmc(registry: Registry, jump: Sshd, bmc: IpmiSim) -> None:
    """The error does not repeat what was tried."""
    for wrong in ({"password": "not-this-one"}, {"username": "nobody"}):
        async with by_jump(registry, jump, bmc, **wrong) as doing:
            with pytest.raises(AuthFailed, match="refuses the credential") as caught:
                await doing.apply("ipmi.console", **LISTEN)
        assert "not-this-one" not in str(caught.value)
    async with by_jump(registry, jump, bmc, address=f"{HOST}:{free_port()}") as doing:
        with pytest.raises(NotSent, match="begins no session"):
            await doing.apply("ipmi.console", **LISTEN)


async def test_the_password_is_in_no_argument(on_bmc: Doing, bmc: IpmiSim, jump: Sshd) -> None:
    """Whoever lists the jump host's processes does not see it; nor does the host, typed."""
    async with listening(on_bmc, bmc, seconds=3) as task:
        seen = [each.cmdline() for each in programs(jump)]
        out = await task
    assert "ipmitool" in {argv[0] for argv in seen}
    assert PASSWORD not in f"{seen}{out}"
    assert bmc.line.heard == b""


async def test_who_is_cancelled_leaves_the_console(on_bmc: Doing, bmc: IpmiSim) -> None:
    """The next one gets it at once."""
    async with listening(on_bmc, bmc, seconds=60) as task:
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    async with printing(bmc.line):
        assert SAID in (await on_bmc.apply("ipmi.console", **LISTEN))["text"]


async def test_a_jump_host_that_breaks_off(on_bmc: Doing, bmc: IpmiSim, jump: Sshd) -> None:
    """The console is left there too."""
    async with listening(on_bmc, bmc, seconds=60) as task:
        jump.cut()
        with pytest.raises(Retryable, match="jump host broke off"):
            await task
    jump.start()
    await on_bmc.apply("ipmi.console", **LISTEN)


async def test_a_jump_host_that_loses_us(
    on_bmc: Doing, bmc: IpmiSim, jump: Sshd, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without noticing: the program there ends by itself."""
    monkeypatch.setattr("integrations.ipmi.tool._LIMIT", 1)
    async with listening(on_bmc, bmc, seconds=3) as task:
        left = programs(jump)
        jump.freeze()
        for each in left:
            each.resume()
        with pytest.raises(Retryable, match="did not end in 4 s"):
            await task
    wait_for(lambda: not any(map(_runs, left)), what="the program to end")
    jump.thaw()


def by_person(bmc: IpmiSim, verb: str) -> None:
    words = f"{by_hand(bmc.settings)} {verb}".split()
    subprocess.run(words, input=f"{PASSWORD}\n", text=True, check=True)


def programs(jump: Sshd) -> list[psutil.Process]:
    """What runs on the jump host, besides its server."""
    every = psutil.Process(jump.process.popen.pid).children(recursive=True)
    return [each for each in every if each.name() != "sshd"]


def _runs(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.status() != psutil.STATUS_ZOMBIE
    return False


@pytest.mark.parametrize(
    ("heard", "lines"),
    [
        ("login: \x1b[?25h\x1b(B\x1b[m\r\n", ["login:"]),
        ("\x1b]0;db1\x07one\x1b]2;db1\x1b\\ two\n", ["one two"]),
        ("\x1b[2J\x1b[1;1HGRUB\x1b[3;5HLinux\x1b[4;5H\x1b[7mRescue\x1b[0m", ["GRUB", "Linux", "Rescue"]),
        ("10 %\r50 %\r100 %\r\n\n\r\ndone\r\r\n", ["100 %", "done"]),
        ("a\tb\x00\x08\x07 é\x9b \x1b", ["a\tb é"]),
        ("\x1b]P0evidence\nstays\x1bP\n", ["P0evidence", "stays"]),
        ("", []),
    ],
)  # fmt: skip
def test_what_a_person_reads(heard: str, lines: list[str]) -> None:
    """Colours, titles and the cursor's moves are gone; what stood elsewhere is its own line."""
    assert readable(heard) == lines


@pytest.mark.parametrize("wrong", [{"seconds": 0.5}, {"seconds": 61}, {"lines": 0}, {"lines": 201}])
def test_what_is_refused(registry: Registry, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        registry.action("ipmi.console").Params.model_validate({**DB1, **wrong})

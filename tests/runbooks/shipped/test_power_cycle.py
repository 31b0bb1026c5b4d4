"""`power-cycle` on a real Redfish service, and over IPMI by a jump host; the host is imagined."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.registry import Registry
from bot.store import Store
from tests.runbooks.room import Room
from tests.runbooks.shipped.room import SHIPPED, on_both, shipped
from tests.servers.ask import answers
from tests.servers.fixtures import Start
from tests.servers.http_app import HttpApp
from tests.servers.ipmi import console_taken, ipmi
from tests.servers.process import HOST, free_port, wait_for
from tests.servers.redfish import redfish
from tests.servers.sshd import Sshd
from tests.servers.tools import require

pytestmark = pytest.mark.server
HEALTH = "/health"
# What is the same in both runbooks (see the last test) is tried with one of them.
one_of_them = pytest.mark.parametrize("machine", ["power-cycle"], indirect=True)
over_ipmi = pytest.mark.parametrize("machine", ["power-cycle-ipmi"], indirect=True)
PANIC = "Kernel panic - not syncing: VFS: Unable to mount root fs"


@dataclass
class Machine:
    """db1: a BMC, and an app that answers while the power is on and the host does not hang."""

    runbook: str
    evidence: list[str]  # the steps before anything is switched
    bmc: dict[str, Any]
    power: Callable[[], str]
    orders: Callable[[], int]
    app: HttpApp
    console: Callable[[], contextlib.AbstractContextManager[object]] = contextlib.nullcontext
    hangs: bool = True
    broken: bool = False  # it stays silent, whatever is switched

    def follow(self, ended: threading.Event) -> None:
        """What a host does: off, it is silent, and forgets that it hung; on, it boots."""
        while not ended.wait(0.05):
            on = self.power() == "on"
            self.hangs = self.hangs and on
            well = on and not self.hangs and not self.broken
            (self.app.up if well else self.app.down)()


@pytest.fixture(params=["power-cycle", "power-cycle-ipmi"])
def machine(
    request: pytest.FixtureRequest, sshd_server: Sshd, http_server: Start[HttpApp]
) -> Iterator[Machine]:
    app = http_server("db1")
    app.down()
    with contextlib.ExitStack() as stack:
        if request.param == "power-cycle":
            server = stack.enter_context(redfish())
            entry = {"url": server.url, "settings": server.settings}
            found = Machine(
                request.param, ["seen"], entry, lambda: str.lower(server.power), server.orders, app
            )
        else:
            old = stack.enter_context(ipmi())
            settings = {**sshd_server.settings, **old.settings}
            entry = {"url": sshd_server.url, "settings": settings}
            old.be(console=f"{PANIC}\r\n")
            found = Machine(
                request.param, ["seen", "console"], entry, lambda: old.power, lambda: old.orders,
                app, lambda: console_taken(old.settings),
            )  # fmt: skip
        ended = threading.Event()
        host = threading.Thread(target=found.follow, args=(ended,))
        host.start()
        yield found
        ended.set()
        host.join()


@pytest.fixture
def neighbour(http_server: Start[HttpApp]) -> HttpApp:
    return http_server("db2")


@pytest.fixture
def make_room(
    store: Store, registry: Registry, tmp_path: Path, sshd_server: Sshd, machine: Machine,
    neighbour: HttpApp,
) -> Callable[..., Room]:  # fmt: skip
    """With the command of the shipped catalog, but for its patience."""
    require("curl")
    listed = yaml.safe_load((SHIPPED / "catalog" / "bmc.yaml").read_text())["targets"]
    (jump,) = [each for each in listed if each["name"] == "ssh/oob-jump"]

    def make(jump_url: str = sshd_server.url) -> Room:
        shipped_one = jump["settings"]["commands"]
        assert '"--retry", "2"' in shipped_one
        commands = {"commands": shipped_one.replace('"--retry", "2"', '"--retry", "0"')}
        targets = {
            f"{'ipmi' if 'ipmi' in machine.runbook else 'redfish'}/db1": machine.bmc,
            "ssh/oob-jump": {"url": jump_url, "settings": {**sshd_server.settings, **commands}},
        }
        instead = {
            "http://10.0.0.11:8080/health": f"{machine.app.url}{HEALTH}",
            "http://10.0.0.12:8080/health": f"{neighbour.url}{HEALTH}",
            "within: 15m": "within: 4s", "every: 5s": "every: 200ms", "hold: 10s": "hold: 300ms",
            **({"seconds: 10": "seconds: 1"} if "console" in machine.evidence else {}),
        }  # fmt: skip
        return shipped(machine.runbook, store, registry, tmp_path, targets, **instead)

    return make


@on_both
async def test_off_on_and_well(make_room: Callable[..., Room], machine: Machine) -> None:
    """Evidence first; each order comes true before the next; undo switches nothing again."""
    room = make_room()
    number = await room.approved(name=machine.runbook)
    plan = (await room.run(number)).plan["steps"]
    switches = [row for row in plan if row["id"] in ("power-off", "power-on")]
    assert [row["undo"][:16] for row in switches] == ["cannot be undone"] * 2
    await room.work()
    run = await room.run(number)
    assert (run.state, run.error) == ("succeeded", "")
    done = [(a.step, a.state) for a in await room.attempts(number)]
    steps = [*machine.evidence, "power-off", "power-on", "answers"]
    assert done == [(step, "done") for step in steps]
    assert (machine.power(), machine.orders()) == ("on", 2)
    assert machine.app.count(HEALTH) >= 1
    await room.ask("undo", number)
    await room.work()
    assert (machine.power(), machine.orders()) == ("on", 2)


@over_ipmi
async def test_its_last_words_are_kept(make_room: Callable[..., Room], machine: Machine) -> None:
    """In the step's output and in the timeline, before the power goes."""
    room = make_room()
    number = await room.approved(name=machine.runbook)
    await room.work()
    (read,) = [a for a in await room.attempts(number) if a.step == "console"]
    assert read.output["text"] == PANIC
    told = [row.data for row in await room.rows() if "step" in row.data]
    outs = [(data["step"], data["out"]) for data in told if data.get("out")]
    assert outs[1] == ("console", read.output)
    assert [step for step, _ in outs].index("power-off") > 1


@over_ipmi
async def test_a_console_that_is_taken_holds_nothing_up(
    make_room: Callable[..., Room], machine: Machine
) -> None:
    """It says why there are no last words, and goes on."""
    room = make_room()
    with machine.console():
        number = await room.approved(name=machine.runbook)
        await room.work()
    done = {attempt.step: attempt for attempt in await room.attempts(number)}
    assert "Somebody else has the console open" in done["console"].error
    assert [done[step].state for step in ("power-off", "power-on", "answers")] == ["done"] * 3
    assert ((await room.run(number)).state, machine.power()) == ("succeeded", "on")


async def test_a_host_that_answers_is_left_alone(
    make_room: Callable[..., Room], machine: Machine
) -> None:
    """Whatever the alert said."""
    machine.hangs = False
    wait_for(lambda: answers(machine.app.url), what="the host to answer")
    assert "still answers the jump host" in await refused(make_room(), machine)


@one_of_them
async def test_a_network_that_is_down_is_no_reason(
    make_room: Callable[..., Room], machine: Machine, neighbour: HttpApp
) -> None:
    """The neighbour is silent too."""
    neighbour.down()
    assert "does not see db1's neighbour" in await refused(make_room(), machine)


@one_of_them
async def test_nobody_can_tell(make_room: Callable[..., Room], machine: Machine) -> None:
    """Without the jump host's word nothing is switched off."""
    room = make_room(f"ssh://ops@{HOST}:{free_port()}")
    assert "unknown" in await refused(room, machine)


async def refused(room: Room, machine: Machine) -> str:
    """Why a person is asked; nothing was switched."""
    number = await room.approved(name=machine.runbook)
    await room.work()
    (asked,) = await room.attempts(number, "ask")
    assert ((await room.run(number)).state, asked.step) == ("held", "power-off")
    assert (machine.power(), machine.orders()) == ("on", 0)
    return str(asked.output["error"])


@one_of_them
async def test_a_host_that_does_not_come_back(
    make_room: Callable[..., Room], machine: Machine
) -> None:
    """A person is asked, and nothing is switched a second time."""
    machine.broken = True
    room = make_room()
    number = await room.approved(name=machine.runbook)
    await room.work()
    (asked,) = await room.attempts(number, "ask")
    assert ((await room.run(number)).state, asked.step) == ("held", "answers")
    assert "db1 does not answer" in asked.output["error"]
    assert (machine.power(), machine.orders()) == ("on", 2)


def test_both_runbooks_look_before_they_switch_in_the_same_way() -> None:
    """So that what is shown of the guards of one holds for the other."""

    def looks(name: str) -> list[Any]:
        text = (SHIPPED / f"{name}.md").read_text("utf-8")
        blocks = [part.partition("```")[0] for part in text.split("```yaml step\n")[1:]]
        steps = {step["id"]: step for step in map(yaml.safe_load, blocks)}
        return [steps["power-off"]["guards"], steps["answers"]["verify"],
                [(s["id"], s.get("undo"), s.get("on_failure")) for s in steps.values()
                 if s["id"] != "console"]]  # Redfish has none to read  # fmt: skip

    assert looks("power-cycle") == looks("power-cycle-ipmi")

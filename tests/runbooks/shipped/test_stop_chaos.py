"""`stop-chaos` on a real Envoy that fails most of the requests on purpose."""

from collections import Counter
from pathlib import Path

import pytest

from bot.registry import Registry
from bot.runbooks.decisions import Decisions
from bot.store import Store
from tests.runbooks.room import Room
from tests.runbooks.shipped.room import on_both, shipped
from tests.servers.envoy import Envoy
from tests.servers.fixtures import Start
from tests.servers.http_app import HttpApp

pytestmark = pytest.mark.server
ABORT = "fault.http.abort.abort_percent"
DELAY = "fault.http.delay.fixed_delay_percent"
MANY = 60


@pytest.fixture
def payments(http_server: Start[HttpApp]) -> HttpApp:
    return http_server("payments")


@pytest.fixture
def edge(envoy_server: Start[Envoy], payments: HttpApp) -> Envoy:
    return envoy_server(clusters={"payments": payments.port})


@pytest.fixture
def room(store: Store, registry: Registry, tmp_path: Path, edge: Envoy) -> Room:
    targets = {"envoy/edge": edge.admin_url, "http/edge": edge.url}
    quick = {"hold: 5s": "hold: 500ms", "within: 30s": "within: 1s", "every: 2s": "every: 200ms"}
    return shipped("stop-chaos", store, registry, tmp_path, targets, **quick)


def statuses(edge: Envoy) -> Counter[int]:
    return Counter(edge.get("/payments").status for _ in range(MANY))


@on_both
async def test_there_and_back(room: Room, edge: Envoy) -> None:
    """60 % of payments fail, then none; undone, the experiment goes on as it was."""
    edge.set_runtime({ABORT: 60, DELAY: 5})
    assert 10 <= statuses(edge)[503] <= 58
    number = await room.approved(name="stop-chaos")
    assert "60% of requests" in str((await room.run(number)).plan["steps"][1])
    await room.work()
    run = await room.run(number)
    assert (run.state, run.error) == ("succeeded", "")
    assert edge.runtime() == {ABORT: "0", DELAY: "0"}
    assert statuses(edge) == {200: MANY}
    (evidence,) = [a.output for a in await room.attempts(number) if a.step == "experiments"]
    assert [f["percent"] for f in evidence["active"]] == [60, 5]

    await room.ask("undo", number)
    await room.work()
    assert (await room.run(number)).state == "aborted"
    assert edge.runtime() == {ABORT: "60", DELAY: "5"}
    assert 10 <= statuses(edge)[503] <= 58


async def test_without_an_experiment_nothing_is_touched(room: Room, edge: Envoy) -> None:
    number = await room.approved(name="stop-chaos")
    await room.work()
    run = await room.run(number)
    assert run.state == "failed"
    assert run.error.startswith("No experiment injects anything at the edge: the errors are real")
    assert edge.runtime() == {}


async def test_when_it_was_not_the_experiment(room: Room, edge: Envoy, payments: HttpApp) -> None:
    """A person is asked; by their word the run stops, and the experiment stays off."""
    payments.down()
    edge.set_runtime({ABORT: 10})
    number = await room.approved(name="stop-chaos")
    await room.work()
    assert (await room.run(number)).state == "held"
    async with room.store.write() as session:
        decisions = Decisions(room.runs)
        await decisions.decide(session, number, "served", room.person("ben"), "stop")
    await room.work()
    run = await room.run(number)
    assert run.error.startswith("Payments still fail with all experiments off")
    assert edge.runtime() == {ABORT: "0"}

"""`roll-back-release` on a real Envoy before two real versions, and a Deployment that is rolled back."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from bot.registry import Registry
from bot.store import Store
from tests.runbooks.room import Room
from tests.runbooks.shipped.room import on_both, shipped
from tests.servers.envoy import Envoy
from tests.servers.fixtures import Start
from tests.servers.http_app import Answer, HttpApp
from tests.servers.kubernetes import Kubernetes

pytestmark = pytest.mark.server
NAME = "roll-back-release"
RELEASES = ("checkout:1", "checkout:2", "checkout:3")
QUICK = {"hold: 5s": "hold: 200ms", "within: 15s": "within: 1s", "every: 1s": "every: 100ms",
         "every: 2s": "every: 100ms", "backoff: 2s": "backoff: 100ms"}  # fmt: skip


@pytest.fixture
def cluster(kubernetes_server: Kubernetes) -> Kubernetes:
    """Release 3 is in force, and it is the bad one."""
    kubernetes_server.begin("checkout", RELEASES)
    return kubernetes_server


@pytest.fixture
def old(http_server: Start[HttpApp]) -> HttpApp:
    return http_server("old")


class Pods(dict[str, Answer]):
    """The new version answers as its pods do: with errors while one of them runs release 3."""

    def __init__(self, cluster: Kubernetes) -> None:
        super().__init__()
        self.cluster = cluster

    def get(self, path: str, default: Any = None) -> Any:
        bad = "checkout:3" in self.cluster.running("checkout")
        return Answer(status=500, body="bad release") if bad else default


@pytest.fixture
def new(http_server: Start[HttpApp], cluster: Kubernetes) -> HttpApp:
    app = http_server("new")
    app.answers = Pods(cluster)
    return app


@pytest.fixture
def edge(envoy_server: Start[Envoy], old: HttpApp, new: HttpApp) -> Envoy:
    ports = {"checkout_old": old.port, "checkout_new": new.port}
    return envoy_server(clusters=ports, weights={"checkout_old": 0, "checkout_new": 100})


@pytest.fixture
def room(
    store: Store, registry: Registry, tmp_path: Path,
    edge: Envoy, old: HttpApp, new: HttpApp, cluster: Kubernetes,
) -> Room:  # fmt: skip
    targets = {
        "envoy/edge": edge.admin_url,
        "http/edge": edge.url,
        "http/checkout-old": old.url,
        "http/checkout-new": new.url,
        "kubernetes/main": {"url": cluster.url, "headers": cluster.headers},
    }
    return shipped(NAME, store, registry, tmp_path, targets, **QUICK)


def statuses(edge: Envoy) -> Counter[int]:
    return Counter(edge.get("/checkout").status for _ in range(20))


@on_both
async def test_there_and_back(room: Room, edge: Envoy, cluster: Kubernetes) -> None:
    """People are served by the old version, the release is gone; undo brings both back."""
    assert statuses(edge) == {500: 20}
    number = await room.approved(name=NAME)
    await room.work()
    run = await room.run(number)
    assert (run.state, run.error) == ("succeeded", "")
    assert edge.runtime() == {
        "routing.traffic.checkout_old": "100",
        "routing.traffic.checkout_new": "0",
    }
    assert statuses(edge) == {200: 20}
    assert cluster.running("checkout") == {"checkout:2": 3}
    plan = {row["id"]: row["changes"] for row in run.plan["steps"]}
    assert [c["after"] for c in plan["release"]] == ["revision 2: checkout:2"]
    await room.ask("undo", number)
    await room.work()
    assert (await room.run(number)).state == "aborted"
    cluster.wait_running("checkout", "checkout:3")
    assert edge.runtime() == {}
    assert statuses(edge) == {500: 20}


async def test_an_answer_that_was_lost(room: Room, edge: Envoy, cluster: Kubernetes) -> None:
    """The rollback took effect unheard: it is not done twice, and undo knows what was before it."""
    cluster.lose_answer()
    number = await room.approved(name=NAME)
    await room.work()
    run = await room.run(number)
    assert (run.state, run.error) == ("succeeded", "")
    tries = [a for a in await room.attempts(number) if a.step == "release"]
    assert [a.state for a in tries] == ["failed", "done"]
    assert "did not answer" in tries[0].error
    assert cluster.running("checkout") == {"checkout:2": 3}
    await room.ask("undo", number)
    await room.work()
    cluster.wait_running("checkout", "checkout:3")


async def test_no_traffic_to_a_dead_version(
    room: Room, edge: Envoy, old: HttpApp, cluster: Kubernetes
) -> None:
    old.down()
    number = await room.approved(name=NAME)
    await room.work()
    assert (await room.run(number)).state == "failed"
    assert edge.runtime() == {}
    assert cluster.image("checkout") == "checkout:3"


class Small(dict[str, Answer]):
    """The old version has been scaled down: with half of the traffic it is too slow."""

    def __init__(self, edge: Envoy) -> None:
        super().__init__()
        self.edge = edge

    def get(self, path: str, default: Any = None) -> Any:
        weight = int(self.edge.runtime().get("routing.traffic.checkout_old", "0"))
        return Answer(status=503, body="overloaded") if weight >= 50 else default


async def test_an_old_version_that_does_not_bear_it(
    room: Room, edge: Envoy, old: HttpApp, cluster: Kubernetes
) -> None:
    """The stage is taken back by itself, and the Deployment is left alone."""
    old.answers = Small(edge)
    number = await room.approved(name=NAME)
    await room.work()
    run = await room.run(number)
    assert run.state == "failed"
    assert "the gate after stage 50% does not hold" in run.error
    assert edge.runtime() == {}
    assert cluster.image("checkout") == "checkout:3"


async def test_a_paused_deployment_is_left_alone(
    room: Room, edge: Envoy, cluster: Kubernetes
) -> None:
    cluster.patch("checkout", {"paused": True})
    number = await room.approved(name=NAME)
    await room.work()
    run = await room.run(number)
    assert run.state == "failed"
    assert "The Deployment is paused" in run.error
    assert (edge.runtime(), cluster.image("checkout")) == ({}, "checkout:3")

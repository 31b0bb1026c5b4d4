"""Experiments of Chaos Mesh and LitmusChaos, as custom resources of an emulated API server.

The emulator takes only objects that fit the published definitions (see `tests.servers.kubernetes_chaos`).
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from bot.errors import AuthFailed, NotSent, Rejected, Retryable
from bot.registry import Registry
from tests.integrations.asking import asked
from tests.servers.http_app import Answer, http_app
from tests.servers.kubernetes import Kubernetes, kubernetes
from tests.servers.process import HOST, free_port

pytestmark = pytest.mark.server
MESH, LITMUS = "/apis/chaos-mesh.org/v1alpha1", "/apis/litmuschaos.io/v1alpha1"
SHOP = {"namespaces": ["shop"], "labelSelectors": {"app": "checkout"}}


@pytest.fixture(scope="module")
def server() -> Iterator[Kubernetes]:
    with kubernetes(images=("checkout:1",)) as running:
        _all_experiments(running)
        yield running


def mesh(
    server: Kubernetes, kind: str, name: str, spec: dict[str, Any], phase: str = "Run", *,
    namespace: str = "shop", **conditions: bool,
) -> None:  # fmt: skip
    """An experiment in the state that Chaos Mesh's controllers have left it in."""
    found = [{"type": k, "status": str(v)} for k, v in conditions.items()]
    status = {"conditions": found, "experiment": {"desiredPhase": phase, "containerRecords": []}}
    whole = {"mode": "one", "selector": SHOP, **spec}
    server.ask("POST", f"{MESH}/namespaces/{namespace}/{kind.lower()}", {
        "apiVersion": "chaos-mesh.org/v1alpha1", "kind": kind,
        "metadata": {"name": name, "namespace": namespace}, "spec": whole, "status": status,
    })  # fmt: skip


def engine(server: Kubernetes, name: str, status: str, experiment: str, **spec: Any) -> None:
    states = [{"name": "pod-delete", "runner": f"{name}-runner", "experimentPod": "x",
               "status": experiment, "verdict": "Awaited", "lastUpdateTime": "2026-11-26T10:00:00Z"}]  # fmt: skip
    app = {"appns": "shop", "applabel": "app=checkout", "appkind": "deployment"}
    whole = {"engineState": "active", "experiments": [{"name": "pod-delete"}], "appinfo": app, **spec}  # fmt: skip
    server.ask("POST", f"{LITMUS}/namespaces/shop/chaosengines", {
        "apiVersion": "litmuschaos.io/v1alpha1", "kind": "ChaosEngine",
        "metadata": {"name": name, "namespace": "shop"}, "spec": whole,
        "status": {"engineStatus": status, "experiments": states},
    })  # fmt: skip


def _all_experiments(server: Kubernetes) -> None:
    delay = {"action": "delay", "mode": "all", "duration": "10m"}
    mesh(server, "NetworkChaos", "slow", delay, Selected=True, AllInjected=True, AllRecovered=False)
    mesh(server, "NetworkChaos", "coming", delay, Selected=True, AllInjected=False)
    mesh(server, "NetworkChaos", "over", delay, "Stop", AllInjected=False, AllRecovered=True)
    mesh(server, "NetworkChaos", "going", delay, "Stop", AllInjected=True, AllRecovered=False)
    mesh(server, "NetworkChaos", "paused", delay, "Stop", Paused=True, AllRecovered=False)
    mesh(server, "PodChaos", "kill", {"action": "pod-kill"}, AllInjected=True, AllRecovered=False)
    half = {"mode": "fixed-percent", "value": "50"}
    mesh(server, "StressChaos", "load", half, namespace="batch", AllInjected=True)
    engine(server, "running", "initialized", "Running")
    engine(server, "done", "completed", "Completed")
    engine(server, "stopped", "stopped", "Forcefully Aborted", engineState="stop")


async def test_what_chaos_mesh_does_now(registry: Registry, server: Kubernetes) -> None:
    """What is injected, runs, or is taken back; not what is over or paused."""
    asking = partial(asked, registry, "chaos_mesh", server.url, headers=server.headers)
    found = await asking(about={"namespace": "shop"})
    assert sorted(item.text for item in found.items) == [
        "NetworkChaos shop/coming is being injected: delay on shop app=checkout (all), for 10m",
        "NetworkChaos shop/going is being taken back: delay on shop app=checkout (all), for 10m",
        "NetworkChaos shop/slow runs: delay on shop app=checkout (all), for 10m",
        "PodChaos shop/kill was injected, once: pod-kill on shop app=checkout (one)",
    ]
    assert found.kind == "experiments"
    everywhere = await asking()
    assert "StressChaos batch/load runs: chaos on shop app=checkout (fixed-percent 50)" in [
        item.text for item in everywhere.items
    ]
    later = await asking(until=datetime.now(UTC) + timedelta(hours=3), about={"namespace": "shop"})
    assert not any("pod-kill" in item.text for item in later.items)


async def test_what_litmus_does_now(registry: Registry, server: Kubernetes) -> None:
    asking = partial(asked, registry, "litmus", server.url, headers=server.headers)
    (item,) = (await asking(about={"namespace": "shop"})).items
    assert item.text == (
        "ChaosEngine shop/running runs: pod-delete (Running) on shop deployment app=checkout"
    )
    assert (await asking(about={"namespace": "batch"})).items == []


@pytest.mark.parametrize("integration", ["chaos_mesh", "litmus"])
async def test_what_its_failures_mean(
    registry: Registry, server: Kubernetes, integration: str
) -> None:
    """No credential, no such tool in the cluster, nobody there, another server."""
    with pytest.raises(AuthFailed):
        await asked(registry, integration, server.url, headers={"Authorization": "Bearer no"})
    with pytest.raises(NotSent):
        await asked(registry, integration, f"http://{HOST}:{free_port()}")
    with http_app("api") as app:
        for answer, error in (
            (Answer(status=404, body="404 page not found"), Rejected),
            (Answer(status=503), Retryable),
            (Answer(body="[]"), Rejected),
            (Answer(body='{"resources": [{}], "items": [{"metadata": {}}], "metadata": {}}'), Rejected),
        ):  # fmt: skip
            app.default = answer
            with pytest.raises(error):
                await asked(registry, integration, app.url)

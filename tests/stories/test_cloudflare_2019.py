"""Cloudflare, 2 July 2019: one rule went everywhere at once, and took the CPUs everywhere.

The shipped runbook `stage-config` sends a new configuration 1 % of the traffic first, and a gate
on a real Prometheus decides about the next stage. Only the waiting times are shortened here.
"""

import asyncio
import json
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from bot.registry import Registry
from bot.runbooks import Run
from bot.store import Store
from tests.runbooks.room import PEOPLE, Room
from tests.servers.envoy import Envoy
from tests.servers.fixtures import Start
from tests.servers.http_app import Answer, HttpApp
from tests.servers.process import HOST
from tests.servers.prometheus import Prometheus

pytestmark = [pytest.mark.server, pytest.mark.alone]
SHIPPED = Path(__file__).parents[2] / "runbooks" / "stage-config.md"
QUICK = {"within: 30s": "within: 15s", "every: 2s": "every: 500ms", "hold: 10s": "hold: 3s"}


class Edge:
    """An Envoy with an old and a new configuration behind it, and visitors."""

    def __init__(self, envoy: Envoy, old: HttpApp, new: HttpApp) -> None:
        self.envoy, self.old, self.new = envoy, old, new
        self.bad = self.seen = 0

    def shares(self) -> tuple[int, int]:
        """What Envoy's runtime says that each configuration gets."""
        values = self.envoy.runtime()
        return (
            int(values.get("routing.traffic.config_old", 100)),
            int(values.get("routing.traffic.config_new", 0)),
        )

    @contextmanager
    def visited(self) -> Iterator[None]:
        """A few hundred requests a second."""
        stop = threading.Event()

        def visit() -> None:
            while not stop.is_set():
                with suppress(OSError):
                    self.seen += 1
                    self.bad += self.envoy.get("/").status >= 500

        threads = [threading.Thread(target=visit, daemon=True) for _ in range(3)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            stop.set()
            for thread in threads:
                thread.join()


@pytest.fixture
def edge(envoy_server: Start[Envoy], http_server: Start[HttpApp]) -> Edge:
    old, new = http_server("old"), http_server("new")
    ports = {"config_old": old.port, "config_new": new.port}
    return Edge(
        envoy_server(clusters=ports, weights={"config_old": 100, "config_new": 0}), old, new
    )


@pytest.fixture
def metrics(prometheus_server: Start[Prometheus], edge: Edge) -> Prometheus:
    """Scrapes Envoy's own statistics, at the path where Envoy shows them."""
    server = prometheus_server()
    folder = server.folder
    config = (folder / "prometheus.yml").read_text()
    job = {
        "job_name": "edge", "metrics_path": "/stats/prometheus",
        "static_configs": [{"targets": [f"{HOST}:{edge.envoy.admin_port}"]}],
    }  # fmt: skip
    marker = "scrape_configs:"
    assert marker in config
    (folder / "prometheus.yml").write_text(config.replace(marker, f"{marker}\n- {json.dumps(job)}"))
    reload = urllib.request.Request(f"{server.url}/-/reload", method="POST")
    urllib.request.urlopen(reload, timeout=5).close()
    return server


@pytest.fixture
def room(store: Store, registry: Registry, tmp_path: Path, edge: Edge, metrics: Prometheus) -> Room:
    folder = tmp_path / "runbooks"
    (folder / "catalog").mkdir(parents=True)
    text = SHIPPED.read_text("utf-8")
    for slow, quick in QUICK.items():
        assert slow in text
        text = text.replace(slow, quick)
    (folder / "stage-config.md").write_text(text)
    catalog = {
        "people": PEOPLE,
        "targets": [
            {"name": "envoy/edge", "url": edge.envoy.admin_url},
            {"name": "http/edge", "url": edge.envoy.url},
            {"name": "prometheus/main", "url": metrics.url},
        ],
    }
    (folder / "catalog" / "all.yaml").write_text(json.dumps(catalog))
    made = Room(store, folder, registry)
    assert made.library.problems == {}
    return made


async def rolled_out(room: Room, edge: Edge) -> Run:
    with edge.visited():
        await asyncio.sleep(3)  # so that there is something to measure
        number = await room.approved(name="stage-config", to="new")
        await room.work()
    return await room.run(number)


async def test_a_bad_configuration_stops_at_the_first_stage(room: Room, edge: Edge) -> None:
    """One visitor in a hundred saw it, and it took itself back."""
    edge.new.default = Answer(500)

    run = await rolled_out(room, edge)

    assert run.state == "failed"
    assert "the gate after stage 1 does not hold: " in run.error
    assert "Too many errors" in run.error
    assert edge.shares() == (100, 0)
    done = [a.step for a in await room.attempts(run.number) if a.state == "done"]
    assert done == ["answers", "stages[1]"]
    assert edge.bad
    assert edge.bad < edge.seen * 0.05, (edge.bad, edge.seen)


async def test_a_missing_metric_is_not_a_healthy_one(
    room: Room, edge: Edge, metrics: Prometheus
) -> None:
    """The configuration is fine, but nobody measures it any more: it stops just the same."""
    metrics.process.stop()

    run = await rolled_out(room, edge)

    assert run.state == "failed"
    assert "nobody can tell (unknown: Prometheus was not reached" in run.error
    assert edge.shares() == (100, 0)


async def test_a_metric_that_nobody_scrapes_is_unknown(room: Room, edge: Edge) -> None:
    """Prometheus answers, and has no such series: that is no zero."""
    path = room.library.folder / "stage-config.md"
    path.write_text(path.read_text().replace("envoy_cluster_upstream_rq_completed", "renamed"))
    room.library.reload()

    run = await rolled_out(room, edge)

    assert run.state == "failed"
    assert "nobody can tell (out.known and out.value" in run.error
    assert edge.shares() == (100, 0)


async def test_a_good_configuration_reaches_everybody_and_can_go_back(
    room: Room, edge: Edge
) -> None:
    """1, 10, 50, 100 % with a gate after each; then the same runbook rolls it back in stages."""
    run = await rolled_out(room, edge)
    assert (run.state, run.error) == ("succeeded", "")
    assert edge.shares() == (0, 100)
    assert (await room.kinds()).count("gate_passed") == 4

    with edge.visited():
        number = await room.approved(origin="back", name="stage-config", to="old")
        await room.work()
    assert (await room.run(number)).state == "succeeded"
    assert edge.shares() == (100, 0)

"""The four golden signals by a real Prometheus that scrapes what client libraries expose."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.contract import EvidenceSource, Graph, Question
from bot.errors import Rejected
from bot.registry import Registry
from integrations.prometheus.signals import golden
from tests.integrations.direct import direct
from tests.servers.http_app import Answer, HttpApp, http_app
from tests.servers.process import HOST, wait_for
from tests.servers.prometheus import Prometheus, prometheus

pytestmark = pytest.mark.server
SIGNALS = ["latency", "traffic", "errors", "saturation"]


def classic(n: int) -> str:
    """`http_requests_total` with `code`, a histogram, and the process' own figures."""
    return f"""
http_requests_total{{code="200"}} {90 * n}
http_requests_total{{code="503"}} {10 * n}
http_request_duration_seconds_bucket{{le="0.1"}} {50 * n}
http_request_duration_seconds_bucket{{le="0.5"}} {100 * n}
http_request_duration_seconds_bucket{{le="+Inf"}} {100 * n}
http_request_duration_seconds_count {100 * n}
http_request_duration_seconds_sum {10 * n}
process_cpu_seconds_total {0.5 * n}
process_open_fds 300
process_max_fds 1000
"""


def telemetry(n: int) -> str:
    """OpenTelemetry's names; nothing failed yet."""
    labels = 'http_response_status_code="200"'
    return f"""
http_server_request_duration_seconds_bucket{{{labels},le="0.1"}} {100 * n}
http_server_request_duration_seconds_bucket{{{labels},le="+Inf"}} {100 * n}
http_server_request_duration_seconds_count{{{labels}}} {100 * n}
"""


def unlabelled(n: int) -> str:
    """Requests are counted, but not with their status."""
    return f"http_requests_total {100 * n}\n"


@pytest.fixture(scope="module")
def server() -> Iterator[Prometheus]:
    with http_app("classic") as one, http_app("telemetry") as two, http_app("unlabelled") as three:
        jobs = {}
        for app, says in ((one, classic), (two, telemetry), (three, unlabelled)):
            app.answers["/metrics"] = [Answer(body=says(n)) for n in range(1, 600)]
            jobs[app.name] = [f"{HOST}:{app.port}"]
        with prometheus(scrape=jobs) as running:
            wait_for(lambda: _rates(running), timeout=40, what="three scrapes of each")
            yield running
    assert isinstance(one, HttpApp)


def _rates(server: Prometheus) -> bool:
    counted = "count_over_time({__name__=~'http_requests_total|http_server_request_duration_seconds_count'}[1m])"
    return server.value(f"min({counted})") is not None and server.value(f"min({counted}) >= 4") is not None  # fmt: skip


async def graphs(
    registry: Registry, server: Prometheus, service: str, **more: Any
) -> dict[str, Graph]:
    until = datetime.now(UTC)
    since = until - timedelta(minutes=15)
    asked = Question(service=service, since=since, until=until, changes_since=since, **more)
    source: EvidenceSource = registry.evidence["prometheus"]
    async with direct("prometheus/main", server.url) as connection:
        found = await source.collect(asked, connection)
    return {g.signal or g.title: g for g in found if isinstance(g, Graph)}


def last(graph: Graph) -> float:
    (line,) = graph.series
    return line.points[-1][1]


async def test_a_service_with_the_usual_names(registry: Registry, server: Prometheus) -> None:
    """By the job that is named as the service: all four, in their units."""
    found = await graphs(registry, server, "classic")
    assert list(found) == SIGNALS
    assert 400 < last(found["latency"]) <= 500
    assert 1 < last(found["traffic"]) < 140
    assert last(found["errors"]) == pytest.approx(10, abs=0.5)
    full = {line.label: line.points[-1][1] for line in found["saturation"].series}
    assert full["of=open files"] == 30
    assert 1 < full["of=one core"] < 70
    assert [found[s].unit for s in SIGNALS] == ["ms", "requests/s", "%", "%"]


async def test_no_failed_request_is_zero_where_they_are_counted(
    registry: Registry, server: Prometheus
) -> None:
    found = await graphs(registry, server, "somebody", about={"job": "telemetry"})
    assert last(found["errors"]) == 0
    assert 1 < last(found["traffic"]) < 140
    assert found["saturation"].series == []


async def test_what_nobody_counts_is_not_zero(registry: Registry, server: Prometheus) -> None:
    found = await graphs(registry, server, "unlabelled")
    assert found["errors"].series == []
    assert found["latency"].series == []
    assert 1 < last(found["traffic"]) < 140
    nobody = await graphs(registry, server, "nobody")
    assert all(graph.series == [] for graph in nobody.values())


async def test_the_catalog_overrides_a_signal_and_adds_graphs(
    registry: Registry, server: Prometheus
) -> None:
    queries = {"saturation": "vector(42)", "Queue": "vector(7)"}
    found = await graphs(registry, server, "classic", queries=queries)
    assert list(found) == [*SIGNALS, "Queue"]
    assert (last(found["saturation"]), last(found["Queue"])) == (42, 7)
    only = await graphs(registry, server, "classic", queries={"Queue": "vector(7)"})
    assert list(only) == ["Queue"]


async def test_labels_are_data(registry: Registry, server: Prometheus) -> None:
    """Nothing in a value becomes a part of the query; what is no label is refused by Prometheus."""
    found = await graphs(registry, server, "x", about={"job": 'a"} or vector(1) or {x="'})
    assert all(graph.series == [] for graph in found.values())
    with pytest.raises(Rejected):
        await graphs(registry, server, "x", about={"no label": "x"})


def test_each_signal_once() -> None:
    assert [each.signal for each in golden("shop", {})] == SIGNALS

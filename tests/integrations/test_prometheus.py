"""One number from a real Prometheus, and unknown wherever nobody can tell."""

import time
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from bot.contract import EvidenceSource, Question
from bot.errors import NotSent, Rejected, Retryable
from bot.registry import Registry
from tests.integrations.direct import direct
from tests.integrations.doing import Doing
from tests.servers.process import HOST, free_port, wait_for
from tests.servers.prometheus import Prometheus, prometheus

pytestmark = pytest.mark.server
HOSTILE = ['a"} or vector(1) #', "a\\", "$x", "{{ x }}", "a\nb", "-x", '"']


@pytest.fixture(scope="module")
def server() -> Iterator[Prometheus]:
    with prometheus() as running:
        wait_for(lambda: running.value("up") == 1, timeout=20, what="a first scrape")
        yield running


@pytest.fixture
async def on_prometheus(registry: Registry, server: Prometheus) -> AsyncIterator[Doing]:
    async with direct("prometheus/main", server.url) as connection:
        yield Doing(registry, connection)


async def test_one_number(on_prometheus: Doing) -> None:
    out = await on_prometheus.apply("prometheus.query", server="main", query="up * 3")
    assert (out["known"], out["value"], out["why"]) == (True, 3.0, "")
    assert out["series"][0]["labels"]["job"] == "prometheus"
    assert out["age"] < 10
    assert (
        await on_prometheus.preview("prometheus.query", server="main", query="up")
    ).changes == []


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("no_such_metric", "no series with a number"),
        ("up / 0 - up / 0", "no series with a number"),
        ("up / 0", "no series with a number"),
        ("up > 1", "no series with a number"),
        ("prometheus_http_requests_total", "series, not one"),
    ],
)
async def test_what_nobody_can_tell_is_unknown(on_prometheus: Doing, query: str, why: str) -> None:
    """Missing, infinite, not a number or ambiguous: never zero."""
    out = await on_prometheus.apply("prometheus.query", server="main", query=query)
    assert (out["known"], out["value"]) == (False, None)
    assert why in out["why"]


async def test_old_samples_are_unknown(on_prometheus: Doing) -> None:
    """A value from before the outage says nothing about now."""
    out = await on_prometheus.apply(
        "prometheus.query", server="main", query="up offset 1ms", max_age=0.0001
    )
    assert out["value"] is None
    assert "old" in out["why"]


async def test_several_series_by_a_rule(on_prometheus: Doing) -> None:
    query = 'label_replace(up, "n", "1", "", "") or label_replace(up * 5, "n", "2", "", "")'
    for rule, expected in {"max": 5.0, "min": 1.0, "sum": 6.0, "avg": 3.0}.items():
        out = await on_prometheus.apply("prometheus.query", server="main", query=query, reduce=rule)
        assert out["value"] == expected


@pytest.mark.parametrize("value", HOSTILE)
async def test_a_label_is_data(on_prometheus: Doing, value: str) -> None:
    """Nothing in it ends the string or adds to the query."""
    out = await on_prometheus.apply(
        "prometheus.query", server="main", query="up{job=$job}", labels={"job": value}
    )
    assert (out["count"], out["value"]) == (0, None)


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"query": "up{job=$job}"}, "no value for $job"),
        ({"query": "up", "labels": {"job": "a"}}, "the query has no $job"),
        ({"query": ""}, "at least 1 character"),
        ({"query": "up", "server": "-x"}, "should match pattern"),
        ({"query": "up", "max_age": 0}, "greater than 0"),
    ],
)
def test_what_is_refused_before_it_is_asked(
    registry: Registry, params: dict[str, object], said: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        registry.action("prometheus.query").Params.model_validate({"server": "main", **params})
    assert said in str(caught.value)


async def test_a_wrong_query_is_refused_with_its_words(on_prometheus: Doing) -> None:
    with pytest.raises(Rejected, match="parse error"):
        await on_prometheus.apply("prometheus.query", server="main", query="sum(")


async def test_nobody_there_and_no_answer(registry: Registry) -> None:
    """Not reached: the next path. No answer: it may be asked again."""
    async with direct("prometheus/main", f"http://{HOST}:{free_port()}") as connection:
        with pytest.raises(NotSent):
            await Doing(registry, connection).apply("prometheus.query", server="main", query="up")
    with prometheus() as other:
        other.process.freeze()
        async with direct("prometheus/main", other.url, timeout=0.3) as connection:
            with pytest.raises(Retryable):
                await Doing(registry, connection).apply(
                    "prometheus.query", server="main", query="up"
                )


def asked(until: datetime, **more: Any) -> Question:
    since = until - timedelta(minutes=5)
    return Question(service="shop", since=since, until=until, changes_since=since, **more)


async def test_graphs_of_a_window(registry: Registry, server: Prometheus) -> None:
    """For the evidence: points in the window, and an empty graph where there is no data."""
    until = datetime.now(UTC)
    source: EvidenceSource = registry.evidence["prometheus"]
    async with direct("prometheus/main", server.url) as connection:
        up, none = await source.collect(
            asked(until, queries={"up": "up", "none": "nothing_here"}), connection
        )
    assert (up.title, none.series) == ("up", [])
    (line,) = up.series
    assert line.points[-1][1] == 1.0
    assert time.time() - line.points[-1][0] < 30

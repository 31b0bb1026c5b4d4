"""Fault injections on a real Envoy: what they do to requests, before, after, and undone."""

import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from pydantic import ValidationError

from bot.errors import NotSent, Rejected, Retryable
from bot.registry import Registry
from tests.integrations.direct import direct
from tests.integrations.doing import Doing, PracticeEdge
from tests.servers.ask import ask
from tests.servers.envoy import Envoy, envoy
from tests.servers.http_app import http_app
from tests.servers.process import HOST, free_port

pytestmark = pytest.mark.server
ABORT = "fault.http.abort.abort_percent"
DELAY = "fault.http.delay.fixed_delay_percent"
MOBILE = "fault.http.mobile.abort.abort_percent"
HERE = {"edge": "edge"}
MANY = 60


def statuses(server: Envoy, cluster: str = "") -> Counter[int]:
    """Of many requests; of a downstream cluster's, if one is named."""
    headers = {"x-envoy-downstream-service-cluster": cluster} if cluster else None
    return Counter(ask("GET", server.url, headers=headers).status for _ in range(MANY))


async def test_stopped_and_put_back(on_envoy: Doing, plain_envoy: Envoy) -> None:
    """60 % of the requests fail; then none; undone, they fail again as they did."""
    plain_envoy.set_runtime({ABORT: 60, DELAY: 100})
    assert 10 <= statuses(plain_envoy)[503] <= 58
    out = await on_envoy.apply("envoy.faults", **HERE)
    assert out["active"] == [
        {"key": ABORT, "kind": "abort", "percent": 60},
        {"key": DELAY, "kind": "delay", "percent": 100},
    ]
    assert (out["count"], out["other_keys"], out["configured"]) == (2, [], False)
    assert 10 <= out["aborts_injected"] <= 58
    assert out["delays_injected"] == MANY

    preview = await on_envoy.preview("envoy.stop_faults", **HERE)
    assert [(c.what, c.before, c.after) for c in preview.changes] == [
        (f"abort ({ABORT})", "60% of requests", "0%"),
        (f"delay ({DELAY})", "100% of requests", "0%"),
    ]
    assert plain_envoy.runtime() == {ABORT: "60", DELAY: "100"}, "a preview only reads"
    assert await on_envoy.verify("envoy.stop_faults", **HERE) is False
    assert (await on_envoy.apply("envoy.stop_faults", **HERE))["stopped"] == {ABORT: 60, DELAY: 100}
    assert await on_envoy.verify("envoy.stop_faults", **HERE) is True
    started = time.monotonic()
    assert statuses(plain_envoy) == {200: MANY}
    assert time.monotonic() - started < MANY * 0.2, "nor are they delayed"
    assert (await on_envoy.apply("envoy.faults", **HERE))["active"] == []
    assert (await on_envoy.apply("envoy.stop_faults", **HERE))["stopped"] == {}

    await on_envoy.take_back(preview, "envoy.stop_faults", **HERE)
    assert plain_envoy.runtime() == {ABORT: "60", DELAY: "100"}
    plain_envoy.set_runtime({DELAY: 0})
    assert 10 <= statuses(plain_envoy)[503] <= 58


async def test_one_downstream_cluster(on_envoy: Doing, plain_envoy: Envoy) -> None:
    """Only its requests failed; stopped and undone like the others."""
    plain_envoy.set_runtime({MOBILE: 100})
    assert (statuses(plain_envoy), statuses(plain_envoy, "mobile")) == ({200: MANY}, {503: MANY})
    preview = await on_envoy.preview("envoy.stop_faults", **HERE)
    await on_envoy.apply("envoy.stop_faults", **HERE)
    assert statuses(plain_envoy, "mobile") == {200: MANY}
    await on_envoy.take_back(preview, "envoy.stop_faults", **HERE)
    assert statuses(plain_envoy, "mobile") == {503: MANY}


async def test_values_that_are_no_whole_numbers(on_envoy: Doing, plain_envoy: Envoy) -> None:
    """Envoy takes 50.5 for a number and 150 for all; what it does not read injects nothing."""
    ask("POST", f"{plain_envoy.admin_url}/runtime_modify?{ABORT}=50.5&{MOBILE}=150&{DELAY}=lots")
    out = await on_envoy.apply("envoy.faults", **HERE)
    assert {f["key"]: f["percent"] for f in out["active"]} == {ABORT: 50.5, MOBILE: 100}
    preview = await on_envoy.preview("envoy.stop_faults", **HERE)
    await on_envoy.apply("envoy.stop_faults", **HERE)
    assert statuses(plain_envoy) == {200: MANY}
    await on_envoy.take_back(preview, "envoy.stop_faults", **HERE)
    assert plain_envoy.runtime() == {ABORT: "50.5", MOBILE: "150", DELAY: "lots"}


@pytest.fixture
def configured() -> Iterator[Envoy]:
    """The configuration itself aborts everything."""
    with http_app("blue") as blue, envoy(clusters={"blue": blue.port}, abort=100) as server:
        yield server


async def test_a_configured_fault(registry: Registry, configured: Envoy) -> None:
    """It is stopped for all but those that name a downstream cluster: so nobody can tell."""
    async with direct("envoy/edge", configured.admin_url) as connection:
        doing = Doing(registry, connection)
        assert (await doing.apply("envoy.faults", **HERE))["configured"] is True
        preview = await doing.preview("envoy.stop_faults", **HERE)
        assert await doing.verify("envoy.stop_faults", **HERE) is False
        await doing.apply("envoy.stop_faults", **HERE)
        assert statuses(configured) == {200: MANY}
        assert statuses(configured, "mobile") == {503: MANY}, "what Envoy does, and the README says"
        assert await doing.verify("envoy.stop_faults", **HERE) is None
        await doing.take_back(preview, "envoy.stop_faults", **HERE)
    assert configured.runtime() == {}
    assert statuses(configured) == {503: MANY}


async def test_shed_load_stays_shed(on_practice: Doing, practice_edge: PracticeEdge) -> None:
    """A key of another name is shown, and stopped only when it is named."""
    await on_practice.apply("envoy.shed", edge="edge", service="social", percent=100)
    out = await on_practice.apply("envoy.faults", **HERE)
    assert (out["count"], out["other_keys"]) == (
        0, [{"key": "shed.social", "kind": "abort", "percent": 100}],
    )  # fmt: skip
    assert (await on_practice.preview("envoy.stop_faults", **HERE)).changes == []
    await on_practice.apply("envoy.stop_faults", **HERE)
    url = f"{practice_edge.url}/social/x"
    assert ask("GET", url).status == 503
    named = {**HERE, "keys": ["shed.social"]}
    await on_practice.apply("envoy.stop_faults", **named)
    assert ask("GET", url).status == 200
    with pytest.raises(Rejected, match=r"No fault filter .* reads chaos\.x.*that it reads: shed\."):
        await on_practice.preview("envoy.stop_faults", **HERE, keys=["chaos.x"])


@pytest.mark.parametrize(
    "params", [{"edge": "-e"}, {"edge": "edge", "keys": ["a b"]}, {"edge": "edge", "percent": 0}]
)
def test_what_is_refused_before_it_is_sent(registry: Registry, params: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        registry.action("envoy.stop_faults").Params.model_validate(params)


@pytest.fixture
async def nowhere(registry: Registry) -> AsyncIterator[Doing]:
    async with direct("envoy/edge", f"http://{HOST}:{free_port()}") as connection:
        yield Doing(registry, connection)


async def test_nobody_there_and_no_answer(
    registry: Registry, nowhere: Doing, plain_envoy: Envoy
) -> None:
    """A change reads before it writes: what does not answer has not been changed."""
    for verb in ("envoy.faults", "envoy.stop_faults"):
        with pytest.raises(NotSent):
            await nowhere.apply(verb, **HERE)
    plain_envoy.process.freeze()
    async with direct("envoy/edge", plain_envoy.admin_url, timeout=0.3) as connection:
        for verb in ("envoy.faults", "envoy.stop_faults"):
            with pytest.raises(Retryable):
                await Doing(registry, connection).apply(verb, **HERE)
    plain_envoy.process.thaw()

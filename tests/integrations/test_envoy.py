"""Envoy: shown on a real one, by reading it back and by asking through it."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bot.errors import AuthFailed, NotSent, Rejected, Retryable, TargetError, Unknown
from bot.registry import Registry
from integrations.envoy.actions import without
from integrations.envoy.params import SetWeightsParams, ShedParams
from tests.integrations.direct import Scripted, direct
from tests.integrations.doing import Doing, PracticeEdge
from tests.servers.envoy import TRAFFIC, Envoy
from tests.servers.process import free_port, wait_for

Served = Callable[[str, int], Counter[str]]
server = pytest.mark.server
PAYMENTS = "jackline.weight.payments"
ABORT = "fault.http.abort.abort_percent"


def split(**weights: int) -> dict[str, Any]:
    return {"edge": "edge", "route": TRAFFIC, "weights": weights}


@server
async def test_set_weights_there_and_back(
    on_envoy: Doing, plain_envoy: Envoy, served_by: Served
) -> None:
    """Preview → apply → verify → undo; the former weights were never set, only configured."""
    wanted = split(blue=0, green=100)
    preview = await on_envoy.preview("envoy.set_weights", **wanted)
    assert [(c.what, c.before, c.after, c.share) for c in preview.changes] == [
        (f"weight {TRAFFIC}.blue", "75", "0", 0.75),
        (f"weight {TRAFFIC}.green", "25", "100", None),
    ]
    assert preview.changes[0].target == "envoy/edge"
    assert plain_envoy.runtime() == {}, "a preview only reads"

    out = await on_envoy.apply("envoy.set_weights", **wanted)
    assert out["before"] == {"blue": 75, "green": 25}
    assert await on_envoy.verify("envoy.set_weights", **wanted) is True
    assert served_by(plain_envoy.url, 30) == {"green": 30}

    again = await on_envoy.preview("envoy.set_weights", **wanted)
    assert again.changes == [], "to repeat it changes nothing"

    await on_envoy.take_back(preview, "envoy.set_weights", **wanted)
    assert plain_envoy.runtime() == {}, "what was not set before is not set now"
    assert await on_envoy.verify("envoy.set_weights", **split(blue=75, green=25)) is True
    assert set(served_by(plain_envoy.url, 60)) == {"blue", "green"}


@server
async def test_the_undo_puts_a_former_override_back(on_envoy: Doing, plain_envoy: Envoy) -> None:
    """Somebody had set weights by hand: those are what it was."""
    plain_envoy.set_runtime({f"{TRAFFIC}.blue": 60, f"{TRAFFIC}.green": 40})
    wanted = split(blue=10, green=90)
    preview = await on_envoy.preview("envoy.set_weights", **wanted)
    assert preview.state["weights"] == {"blue": 60, "green": 40}
    assert preview.state["moved"] == 0.5

    await on_envoy.apply("envoy.set_weights", **wanted)
    await on_envoy.take_back(preview, "envoy.set_weights", **wanted)
    assert plain_envoy.runtime() == {f"{TRAFFIC}.blue": "60", f"{TRAFFIC}.green": "40"}


@server
@pytest.mark.parametrize(
    ("weights", "route", "said"),
    [
        ({"blue": 50, "red": 50}, TRAFFIC, "has no cluster red"),
        ({"blue": 100}, TRAFFIC, "leaves out green"),
        ({"blue": 50, "green": 50}, "other.route", "It knows: routing.traffic"),
    ],
)
async def test_a_plan_that_would_do_nothing_is_refused(
    on_envoy: Doing, plain_envoy: Envoy, weights: dict[str, int], route: str, said: str
) -> None:
    """Envoy itself accepts any key; one that nothing reads would be a silent no."""
    wanted = {"edge": "edge", "route": route, "weights": weights}
    for verb in (on_envoy.preview, on_envoy.apply):
        with pytest.raises(Rejected, match=said):
            await verb("envoy.set_weights", **wanted)
    assert plain_envoy.runtime() == {}


@server
async def test_drain_there_and_back(on_envoy: Doing, plain_envoy: Envoy, served_by: Served) -> None:
    """The cluster's weight goes to the other; a second time there is nothing left to do."""
    wanted = {"edge": "edge", "route": TRAFFIC, "cluster": "blue"}
    preview = await on_envoy.preview("envoy.drain", **wanted)
    assert [c.share for c in preview.changes] == [0.75, None]
    for _ in range(2):
        assert (await on_envoy.apply("envoy.drain", **wanted))["after"] == {"blue": 0, "green": 100}
    assert await on_envoy.verify("envoy.drain", **wanted) is True
    assert served_by(plain_envoy.url, 30) == {"green": 30}

    await on_envoy.take_back(preview, "envoy.drain", **wanted)
    assert plain_envoy.runtime() == {}
    assert await on_envoy.verify("envoy.drain", **wanted) is False
    with pytest.raises(Rejected, match="no cluster red"):
        await on_envoy.preview("envoy.drain", **{**wanted, "cluster": "red"})


@server
async def test_shed_there_and_back(on_envoy: Doing, plain_envoy: Envoy, served_by: Served) -> None:
    """By the key that a plain fault filter reads."""
    wanted = {"edge": "edge", "service": "all", "percent": 100, "key": ABORT}
    preview = await on_envoy.preview("envoy.shed", **wanted)
    assert [(c.before, c.after, c.share) for c in preview.changes] == [("0%", "100%", 1.0)]

    await on_envoy.apply("envoy.shed", **wanted)
    assert await on_envoy.verify("envoy.shed", **wanted) is True
    assert served_by(plain_envoy.url, 20) == {"503": 20}

    await on_envoy.take_back(preview, "envoy.shed", **wanted)
    assert plain_envoy.runtime() == {}
    assert "503" not in served_by(plain_envoy.url, 20)
    with pytest.raises(Rejected, match=r"reads the runtime key shed\.all"):
        await on_envoy.preview("envoy.shed", edge="edge", service="all", percent=10)


@server
async def test_the_practice_edge(
    on_practice: Doing, practice_edge: PracticeEdge, served_by: Served
) -> None:
    """Health decides; the keys stand in a static layer, and undo leaves that layer in force."""
    wanted = {"edge": "edge", "route": PAYMENTS, "cluster": "payments_primary"}
    for verb in (on_practice.preview, on_practice.apply):
        with pytest.raises(Rejected, match="No healthy host in payments_standby"):
            await verb("envoy.drain", **wanted)
    everything = {"payments_primary": 0, "payments_standby": 100}
    at_once = {"edge": "edge", "route": PAYMENTS, "weights": everything}
    with pytest.raises(Rejected, match="No healthy host in payments_standby"):
        await on_practice.preview("envoy.set_weights", **at_once)
    forced = await on_practice.preview("envoy.drain", **wanted, allow_unhealthy=True)
    assert forced.changes[0].share == 1.0

    practice_edge.standby.up()
    url = f"{practice_edge.url}/payments/x"
    await on_practice.apply("envoy.drain", **wanted, allow_unhealthy=True)
    assert wait_for(lambda: served_by(url, 5) == {"standby": 5})
    assert (await on_practice.preview("envoy.drain", **wanted)).changes == []
    await on_practice.take_back(forced, "envoy.drain", **wanted)
    assert served_by(url, 10) == {"primary": 10}

    shed = {"edge": "edge", "service": "payments", "percent": 100}
    preview = await on_practice.preview("envoy.shed", **shed)
    await on_practice.apply("envoy.shed", **shed)
    assert httpx.get(url).headers["x-shed"] == "true"
    await on_practice.take_back(preview, "envoy.shed", **shed)
    assert served_by(url, 10) == {"primary": 10}


@server
async def test_restore_can_itself_be_taken_back(on_envoy: Doing, plain_envoy: Envoy) -> None:
    """An undo is an action like any other; names such as a service mesh gives go through."""
    key = f"{TRAFFIC}.blue"
    mesh = "outbound|80||a.b/c:1"
    wanted = {"edge": "edge", "values": {key: 30, mesh: 1, ABORT: None}}
    preview = await on_envoy.preview("envoy.restore_runtime", **wanted)
    assert [(c.what, c.before, c.after) for c in preview.changes] == [
        (f"runtime {key}", "not set", "30"),
        (f"runtime {mesh}", "not set", "1"),
    ]
    await on_envoy.apply("envoy.restore_runtime", **wanted)
    assert plain_envoy.runtime() == {key: "30", mesh: "1"}
    await on_envoy.take_back(preview, "envoy.restore_runtime", **wanted)
    assert plain_envoy.runtime() == {}


async def test_an_unreachable_admin_port_was_not_sent_to(registry: Registry) -> None:
    """So that the next access path may be tried."""
    async with direct("envoy/edge", f"http://127.0.0.1:{free_port()}") as connection:
        with pytest.raises(NotSent):
            await Doing(registry, connection).preview("envoy.set_weights", **split(a=100))


async def test_another_port_is_told_from_envoys(registry: Registry) -> None:
    """A wrong address in the catalog is said, not crashed on."""
    transport = httpx.MockTransport(lambda _: httpx.Response(200, text="<html>hello"))
    async with httpx.AsyncClient(transport=transport, base_url="http://envoy") as client:
        doing = Doing(registry, Scripted([], [], client, "envoy/edge"))
        with pytest.raises(Rejected, match="Is this Envoy's admin port"):
            await doing.preview("envoy.set_weights", **split(a=100))


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (httpx.ReadTimeout("late"), Unknown),
        (httpx.ConnectTimeout("late"), NotSent),
        (httpx.Response(403, text="no"), AuthFailed),
        (httpx.Response(429, headers={"retry-after": "7"}), Retryable),
        (httpx.Response(503, text="No admin layer specified"), Rejected),
        (httpx.Response(500, text="x" * 900), Rejected),
    ],
)
async def test_what_a_failed_write_means(
    registry: Registry, answer: httpx.Response | Exception, error: type[TargetError]
) -> None:
    """The class of the error decides what the engine does."""

    def reply(_: httpx.Request) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        return answer

    transport = httpx.MockTransport(reply)
    async with httpx.AsyncClient(transport=transport, base_url="http://envoy") as client:
        doing = Doing(registry, Scripted([], [], client, "envoy/edge"))
        with pytest.raises(error) as caught:
            await doing.apply("envoy.restore_runtime", edge="edge", values={"a": 1})
    assert len(str(caught.value)) < 300
    if isinstance(caught.value, Retryable):
        assert caught.value.retry_after == 7


@pytest.mark.parametrize(
    "params",
    [
        {"edge": "edge", "route": "r", "weights": {"a": 50, "b": 49}},
        {"edge": "edge", "route": "r", "weights": {}},
        {"edge": "edge", "route": "r", "weights": {"a": 101, "b": -1}},
        {"edge": "edge", "route": "r", "weights": {"-a": 100}},
        {"edge": "edge", "route": "r&x=1", "weights": {"a": 100}},
        {"edge": "-e", "route": "r", "weights": {"a": 100}},
        {"edge": "edge", "route": "r", "weights": {"a": 100}, "hurry": True},
    ],
)
def test_bad_params_are_refused(params: dict[str, Any]) -> None:
    """Before anything is read or sent."""
    with pytest.raises(ValidationError):
        SetWeightsParams.model_validate(params)
    with pytest.raises(ValidationError):
        ShedParams(edge="edge", service="a\nb", percent=5)


@given(st.lists(st.integers(0, 1000), min_size=2, max_size=8), st.data())
def test_a_drain_loses_no_weight(numbers: list[int], data: st.DataObject) -> None:
    """The total stays, the cluster gets nothing, nobody else loses, the others gain nothing."""
    weights = {f"c{i}": n for i, n in enumerate(numbers)}
    among = data.draw(st.lists(st.sampled_from(sorted(weights)[1:]), min_size=1, unique=True))
    after = without("c0", weights, among)

    assert sum(after.values()) == sum(numbers)
    assert after["c0"] == 0
    assert all(after[c] >= weights[c] for c in among)
    assert all(after[c] == weights[c] for c in weights if c not in {*among, "c0"})

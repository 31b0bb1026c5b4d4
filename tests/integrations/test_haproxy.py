"""HAProxy: shown on a real one, by its own answers and by asking through it."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from bot.errors import AuthFailed, NotSent, Rejected, Retryable, Unknown
from bot.registry import Registry
from tests.integrations.direct import Scripted, direct
from tests.integrations.doing import Doing
from tests.servers.haproxy import HAProxy
from tests.servers.http_app import HttpApp
from tests.servers.process import free_port, wait_for

Served = Callable[[str, int], Counter[str]]
server = pytest.mark.server
WHERE = {"balancer": "lb1", "backend": "app"}


def state_of(balancer: HAProxy) -> dict[str, tuple[int, int]]:
    """Administrative state and weight per server, read past the integration."""
    rows = [r.split() for r in balancer.command("show servers state app").splitlines()[2:]]
    return {row[3]: (int(row[6]), int(row[7])) for row in rows}


@server
async def test_drain_there_and_back(
    on_haproxy: Doing, balancer: HAProxy, served_by: Served
) -> None:
    """Preview → apply → verify → undo, seen from both sides."""
    wanted = {**WHERE, "server": "blue"}
    preview = await on_haproxy.preview("haproxy.drain_server", **wanted)
    (change,) = preview.changes
    assert (change.target, change.what) == ("haproxy/lb1", "server app/blue")
    assert (change.before, change.after, change.share) == ("ready, weight 100", "drain", 0.5)
    assert preview.state["serving"] == 2

    for _ in range(2):
        await on_haproxy.apply("haproxy.drain_server", **wanted)
    assert await on_haproxy.verify("haproxy.drain_server", **wanted) is True
    assert served_by(balancer.url, 10) == {"green": 10}
    assert (await on_haproxy.preview("haproxy.drain_server", **wanted)).changes == []

    await on_haproxy.take_back(preview, "haproxy.drain_server", **wanted)
    assert state_of(balancer) == {"blue": (0, 100), "green": (0, 100)}
    assert served_by(balancer.url, 10) == {"blue": 5, "green": 5}


@server
async def test_the_last_server_stays(on_haproxy: Doing, balancer: HAProxy) -> None:
    """By name, by list, by weight, and when the other one is down."""
    await on_haproxy.apply("haproxy.drain_server", **WHERE, server="green")
    for params in ({"server": "blue"}, {"server": ["blue", "green"]}):
        for verb in (on_haproxy.preview, on_haproxy.apply):
            with pytest.raises(Rejected, match="blue is the last"):
                await verb("haproxy.drain_server", **WHERE, **params)
    with pytest.raises(Rejected, match="blue is the last"):
        await on_haproxy.apply("haproxy.set_weight", **WHERE, server="blue", weight=0)
    assert state_of(balancer)["blue"] == (0, 100)

    wanted = {**WHERE, "server": "blue", "allow_last": True}
    preview = await on_haproxy.preview("haproxy.drain_server", **wanted)
    assert preview.changes[0].share == 1.0
    await on_haproxy.apply("haproxy.drain_server", **wanted)
    assert balancer.get().status == 503


@server
async def test_a_server_that_is_down_does_not_count(
    on_haproxy: Doing, balancer: HAProxy, two_apps: tuple[HttpApp, HttpApp]
) -> None:
    """The last healthy one is the last one, whatever the configuration lists."""
    two_apps[1].down()
    wait_for(lambda: _down(balancer, "green"))
    with pytest.raises(Rejected, match="blue is the last"):
        await on_haproxy.preview("haproxy.drain_server", **WHERE, server="blue")
    preview = await on_haproxy.preview("haproxy.drain_server", **WHERE, server="green")
    assert preview.changes[0].before == "ready, weight 100, down"
    assert preview.changes[0].share is None, "it takes no capacity that is there"


def _down(balancer: HAProxy, name: str) -> bool:
    rows = [r.split() for r in balancer.command("show servers state app").splitlines()[2:]]
    return any(row[3] == name and row[5] == "0" for row in rows)


@server
async def test_ready_there_and_back(on_haproxy: Doing, balancer: HAProxy) -> None:
    """A drained one comes back; one in maintenance only when that is said."""
    await on_haproxy.apply("haproxy.drain_server", **WHERE, server="blue")
    wanted = {**WHERE, "server": ["blue", "green"]}
    preview = await on_haproxy.preview("haproxy.ready_server", **wanted)
    assert [c.what for c in preview.changes] == ["server app/blue"], "green is in already"
    await on_haproxy.apply("haproxy.ready_server", **wanted)
    assert await on_haproxy.verify("haproxy.ready_server", **wanted) is True
    await on_haproxy.take_back(preview, "haproxy.ready_server", **wanted)
    assert state_of(balancer)["blue"][0] == 8

    balancer.command("set server app/blue state maint")
    with pytest.raises(Rejected, match="blue is in maintenance"):
        await on_haproxy.apply("haproxy.ready_server", **wanted)
    assert (await on_haproxy.preview("haproxy.drain_server", **WHERE, server="blue")).changes == []
    await on_haproxy.apply("haproxy.ready_server", **wanted, allow_maint=True)
    assert state_of(balancer)["blue"][0] == 0


@server
async def test_the_undo_leaves_alone_what_was_drained_before(on_haproxy: Doing) -> None:
    """Somebody else drained it, for a reason."""
    await on_haproxy.apply("haproxy.drain_server", **WHERE, server="blue")
    preview = await on_haproxy.preview("haproxy.drain_server", **WHERE, server="blue")
    assert on_haproxy.undo(preview, "haproxy.drain_server", **WHERE, server="blue") is None


@server
async def test_weight_there_and_back(
    on_haproxy: Doing, balancer: HAProxy, served_by: Served
) -> None:
    """The share is the part of the backend's weight that goes."""
    wanted = {**WHERE, "server": "blue", "weight": 0}
    preview = await on_haproxy.preview("haproxy.set_weight", **wanted)
    assert [(c.before, c.after, c.share) for c in preview.changes] == [("100", "0", 0.5)]
    assert await on_haproxy.apply("haproxy.set_weight", **wanted) == {"before": 100, "after": 0}
    assert await on_haproxy.verify("haproxy.set_weight", **wanted) is True
    assert served_by(balancer.url, 10) == {"green": 10}

    more = await on_haproxy.preview("haproxy.set_weight", **{**wanted, "weight": 200})
    assert more.changes[0].share is None
    await on_haproxy.take_back(preview, "haproxy.set_weight", **wanted)
    assert state_of(balancer)["blue"] == (0, 100)
    assert served_by(balancer.url, 10) == {"blue": 5, "green": 5}


@server
@pytest.mark.parametrize("key", ["/", "/search"])
async def test_shed_there_and_back(
    on_haproxy: Doing, balancer: HAProxy, served_by: Served, key: str
) -> None:
    """An entry that is there is set, one that is not is added once; undo restores either."""
    before = balancer.command(f"show map {balancer.shed_map}").split()[1:]
    wanted = {"balancer": "lb1", "map": str(balancer.shed_map), "key": key, "percent": 100}
    preview = await on_haproxy.preview("haproxy.shed", **wanted)
    assert [(c.before, c.share) for c in preview.changes] == [
        ("0%" if key == "/" else "not set", 1.0)
    ]
    for _ in range(2):
        await on_haproxy.apply("haproxy.shed", **wanted)
    assert await on_haproxy.verify("haproxy.shed", **wanted) is True
    assert served_by(f"{balancer.url}/search", 10) == {"503": 10}
    assert balancer.command(f"show map {balancer.shed_map}").count(f" {key} ") == 1

    await on_haproxy.take_back(preview, "haproxy.shed", **wanted)
    assert balancer.command(f"show map {balancer.shed_map}").split()[1:] == before
    assert "503" not in served_by(f"{balancer.url}/search", 10)


@server
async def test_haproxys_own_words_reach_the_person(on_haproxy: Doing) -> None:
    """Unknown backend, server, map; and nothing was changed."""
    drain = {**WHERE, "server": "blue"}
    with pytest.raises(Rejected, match="Can't find backend"):
        await on_haproxy.preview("haproxy.drain_server", **{**drain, "backend": "nope"})
    with pytest.raises(Rejected, match=r"no server red.*It has blue, green"):
        await on_haproxy.apply("haproxy.drain_server", **{**drain, "server": ["blue", "red"]})
    with pytest.raises(Rejected, match="Unknown map identifier"):
        await on_haproxy.preview("haproxy.shed", balancer="lb1", map="/no", key="/", percent=1)
    assert (await on_haproxy.preview("haproxy.drain_server", **drain)).changes


@pytest.mark.parametrize(
    ("said", "error"),
    [
        (b"Permission denied\n\n", AuthFailed),
        (b"Backend is using a static LB algorithm and only accepts weights '0%'.\n\n", Rejected),
    ],
)
async def test_a_refused_order_is_an_error(
    registry: Registry, said: bytes, error: type[Exception]
) -> None:
    """An order that worked answers nothing: any text is a no."""
    header = b"1\n# srv_name srv_op_state srv_admin_state srv_uweight srv_iweight\n"
    rows = b"blue 2 0 100 100\ngreen 2 0 100 100\n\n"
    async with httpx.AsyncClient() as client:
        connection = Scripted([header + rows, said], [], client)
        with pytest.raises(error):
            await Doing(registry, connection).apply(
                "haproxy.set_weight", **WHERE, server="blue", weight=7
            )
    assert connection.asked[1] == b"set server app/blue weight 7\n"


async def test_an_answer_that_broke_off_is_none(registry: Registry) -> None:
    """A line that was cut ends like one that was closed: silence is no success, a part no whole."""
    table = b"1\n# srv_name srv_op_state srv_admin_state srv_uweight srv_iweight\nblue 2 0 1 1\n\n"
    params = {**WHERE, "server": "blue", "weight": 7}
    async with httpx.AsyncClient() as client:
        for answers, error in [([table, b""], Unknown), ([table[:-1]], Retryable)]:
            with pytest.raises(error, match="broke off"):
                await Doing(registry, Scripted(answers, [], client)).apply(
                    "haproxy.set_weight", **params
                )


class Silent(Scripted):
    """Takes the request and never answers."""

    async def exchange(self, request: bytes, *, timeout: float = 5.0) -> bytes:
        answer = await super().exchange(request, timeout=timeout)
        if answer:
            return answer
        raise Unknown("no answer")


async def test_silence_after_an_order_is_unknown_and_after_a_question_is_not(
    registry: Registry,
) -> None:
    """Only what may have taken effect must not be repeated blindly."""
    table = b"1\n# srv_name srv_op_state srv_admin_state srv_uweight srv_iweight\nblue 2 0 1 1\n\n"
    params = {**WHERE, "server": "blue", "weight": 7}
    async with httpx.AsyncClient() as client:
        with pytest.raises(Retryable):
            await Doing(registry, Silent([b""], [], client)).apply("haproxy.set_weight", **params)
        with pytest.raises(Unknown):
            await Doing(registry, Silent([table, b""], [], client)).apply(
                "haproxy.set_weight", **params
            )


async def test_an_unreachable_runtime_api_was_not_sent_to(registry: Registry) -> None:
    """The connection says so; nothing in between swallows it."""
    async with direct("haproxy/lb1", f"tcp://127.0.0.1:{free_port()}") as connection:
        with pytest.raises(NotSent):
            await Doing(registry, connection).apply("haproxy.drain_server", **WHERE, server="blue")


@pytest.mark.parametrize(
    "name",
    ["", "-a", "a b", "a;b", "a\nb", "a/b", "a\\b", "a<<", "blue\n", "é", "a" * 101, [], ["a;b"]],
)
def test_no_name_can_become_a_command(registry: Registry, name: Any) -> None:
    """And an empty set of servers is refused."""
    for verb in ("haproxy.drain_server", "haproxy.ready_server"):
        with pytest.raises(ValidationError):
            registry.action(verb).Params.model_validate({**WHERE, "server": name})
    for field in ("balancer", "backend", "server"):
        params = {**WHERE, "server": "blue", "weight": 1, field: name}
        with pytest.raises(ValidationError):
            registry.action("haproxy.set_weight").Params.model_validate(params)


@pytest.mark.parametrize(
    "change",
    [
        *[{"map": "/a b"}, {"map": "-f"}, {"map": "/a;b"}, {"map": ""}],
        *[{"key": "/a b"}, {"key": "/a;disable"}, {"key": "<<"}, {"key": "/a\\"}, {"key": "-x"}],
        *[{"percent": 101}, {"percent": -1}, {"percent": "1; x"}, {"more": 1}],
    ],
)
def test_no_map_entry_can_become_a_command(registry: Registry, change: dict[str, Any]) -> None:
    """Keys are paths and hosts, percentages are numbers."""
    good = {"balancer": "lb1", "map": "/etc/shed.map", "key": "/search", "percent": 50}
    registry.action("haproxy.shed").Params.model_validate(good)
    with pytest.raises(ValidationError):
        registry.action("haproxy.shed").Params.model_validate(good | change)

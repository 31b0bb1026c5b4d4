"""A real Patroni of three members: what they say, a switchover and back, and what is refused."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from bot.contract import Call
from bot.errors import AuthFailed, NotSent, Rejected
from bot.registry import Registry
from tests.integrations.direct import direct
from tests.integrations.doing import Doing
from tests.servers.patroni import Patroni, patroni
from tests.servers.process import HOST, free_port

pytestmark = [pytest.mark.server, pytest.mark.alone]
CLUSTER: dict[str, Any] = {"cluster": "orders"}


@pytest.fixture(scope="module")
def servers() -> Iterator[Patroni]:
    """One for all: each test leaves n1 as the primary."""
    with patroni() as whole:
        yield whole


@pytest.fixture
async def on_patroni(registry: Registry, servers: Patroni) -> AsyncIterator[Doing]:
    async with direct("patroni/orders", **servers.target()) as connection:
        yield Doing(registry, connection)


async def test_what_the_members_say(on_patroni: Doing) -> None:
    out = await on_patroni.apply("patroni.survey", **CLUSTER)
    assert (out["primaries"], out["leader"], out["unreached"]) == (["n1"], "n1", [])
    assert (out["quorum"], out["paused"]) == (True, False)
    assert out["members"]["n2"]["replica"]
    assert out["members"]["n2"]["lag_mb"] <= 16.0  # a segment, where one was just begun


async def test_a_switchover_and_back(on_patroni: Doing, servers: Patroni) -> None:
    """The candidate takes writes; undo brings the first primary back."""
    call = {**CLUSTER, "leader": "n1", "candidate": "n2"}
    preview = await on_patroni.preview("patroni.switchover", **call)
    assert (preview.changes[0].before, preview.healthy_after) == ("n1", 3)
    assert await on_patroni.verify("patroni.switchover", **call) is False
    await on_patroni.apply("patroni.switchover", **call)
    assert await on_patroni.verify("patroni.switchover", **call) is True
    assert servers.member("n2").writable()
    with pytest.raises(Rejected, match="The primary is n2, not n1"):
        await on_patroni.apply("patroni.switchover", **call)
    back = on_patroni.undo(preview, "patroni.switchover", **call)
    assert back == Call(
        action="patroni.switchover",
        params={**CLUSTER, "leader": "n2", "candidate": "n1", "patience": 60.0},
    )
    servers.wait_settled("n2")
    await on_patroni.take_back(preview, "patroni.switchover", **call)
    servers.wait_settled("n1")


async def test_what_is_refused(on_patroni: Doing, servers: Patroni) -> None:
    """Nobody beside a living primary, nobody that is not there, and no wrong credential."""
    with pytest.raises(Rejected, match="n1 answers as primary"):
        await on_patroni.apply("patroni.failover", **CLUSTER, candidate="n2")
    with pytest.raises(Rejected, match="no member n9: there are n1, n2, n3"):
        await on_patroni.preview("patroni.failover", **CLUSTER, candidate="n9")
    with pytest.raises(Rejected, match="n1 cannot be promoted: primary, running"):
        await on_patroni.preview("patroni.failover", **CLUSTER, candidate="n1")
    entry = {**servers.target(), "headers": {"Authorization": "Basic bm86bm8="}}
    async with direct("patroni/orders", **entry) as connection:
        with pytest.raises(AuthFailed):
            await Doing(on_patroni.registry, connection).apply(
                "patroni.switchover", **CLUSTER, leader="n1", candidate="n2"
            )
    assert servers.member("n1").is_primary()


async def test_nobody_there_and_no_members(registry: Registry, servers: Patroni) -> None:
    nowhere = f"http://{HOST}:{free_port()}"
    for settings, wanted, said in (
        ({"members": f'{{"n1": "{nowhere}"}}'}, NotSent, "No member of patroni/orders answered"),
        ({}, Rejected, "setting `members` is not a JSON object"),
    ):
        async with direct("patroni/orders", nowhere, settings=settings) as connection:
            with pytest.raises(wanted, match=said):
                await Doing(registry, connection).apply("patroni.survey", **CLUSTER)

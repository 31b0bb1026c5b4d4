"""A real Redis under three real Sentinels: what they see, and who is primary in the end."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from pydantic import ValidationError

from bot.errors import AuthFailed, NotSent, Rejected, Retryable, Unknown
from bot.registry import Registry
from tests.integrations.direct import direct
from tests.integrations.doing import Doing
from tests.servers.process import HOST, free_port
from tests.servers.redis import Redis, redis_sentinel

pytestmark = [pytest.mark.server, pytest.mark.alone]
CLUSTER: dict[str, Any] = {"cluster": "sessions"}


@pytest.fixture
def servers() -> Iterator[Redis]:
    with redis_sentinel(password="pw", sentinel_password="watch") as whole:
        yield whole


def settings(**more: str) -> dict[str, str]:
    return {"password": "watch", "redis_password": "pw", **more}


@pytest.fixture
async def on_redis(registry: Registry, servers: Redis) -> AsyncIterator[Doing]:
    async with direct(
        "redis/sessions", servers.url, also=servers.also, settings=settings()
    ) as connection:
        yield Doing(registry, connection)


async def test_what_the_sentinels_see(on_redis: Doing, servers: Redis) -> None:
    out = await on_redis.apply("redis_sentinel.survey", **CLUSTER)
    assert out["primary"] == servers.primary.address
    assert (out["agree"], out["quorum"], out["primary_down"]) == (True, True, False)
    assert (out["sentinels"], out["sentinels_reached"], out["good_replicas"]) == (3, 3, 2)
    primary = await on_redis.apply("redis_sentinel.primary", **CLUSTER)
    assert (primary["role"], primary["replicas"]) == ("master", 2)


async def test_a_failover(on_redis: Doing, servers: Redis) -> None:
    """Another primary, which the others follow; the same order again is refused."""
    before = servers.primary.address
    call = {**CLUSTER, "from_primary": before}
    preview = await on_redis.preview("redis_sentinel.failover", **call)
    (change,) = preview.changes
    assert (change.before, preview.healthy_after) == (before, 2)
    assert await on_redis.verify("redis_sentinel.failover", **call) is False
    out = await on_redis.apply("redis_sentinel.failover", **call)
    assert (out["from"], out["to"] in [n.address for n in servers.nodes]) == (before, True)
    assert await on_redis.verify("redis_sentinel.failover", **call) is True
    servers.wait_settled(servers.node(out["to"]))
    with pytest.raises(Rejected, match=f"no longer {before}"):
        await on_redis.apply("redis_sentinel.failover", **call)
    assert on_redis.undo(preview, "redis_sentinel.failover", **call) is None


async def test_a_frozen_primary_is_replaced(on_redis: Doing, servers: Redis) -> None:
    """Sentinel has not noticed yet; a person has."""
    primary = servers.primary
    primary.process.freeze()
    with pytest.raises(Retryable):
        await on_redis.apply("redis_sentinel.primary", **CLUSTER)
    call = {**CLUSTER, "from_primary": primary.address}
    out = await on_redis.apply("redis_sentinel.failover", **call)
    assert out["to"] != primary.address
    primary.process.thaw()


async def test_a_sentinel_away_and_one_that_is_frozen(on_redis: Doing, servers: Redis) -> None:
    """The next address is asked; one that does not answer is not counted as agreeing."""
    servers.sentinels[0].process.kill()
    servers.sentinels[2].process.freeze()
    out = await on_redis.apply("redis_sentinel.survey", **CLUSTER)
    assert (out["sentinels"], out["sentinels_reached"], out["agree"]) == (3, 1, True)


async def test_nobody_and_no_answer(registry: Registry, servers: Redis) -> None:
    """Not sent; a question may be asked again; of an order nobody knows."""
    nowhere = f"tcp://{HOST}:{free_port()}"
    async with direct("redis/sessions", nowhere, settings=settings()) as connection:
        with pytest.raises(NotSent):
            await Doing(registry, connection).apply("redis_sentinel.survey", **CLUSTER)
    primary = servers.primary.address
    for node in servers.nodes[1:]:
        node.process.freeze()
    async with direct("redis/sessions", servers.url, settings=settings()) as connection:
        with pytest.raises((Unknown, Rejected)):
            await Doing(registry, connection).apply(
                "redis_sentinel.failover", **CLUSTER, from_primary=primary, patience=2.0
            )


async def test_wrong_words_and_wrong_passwords(registry: Registry, servers: Redis) -> None:
    async with direct("redis/sessions", servers.url, settings=settings()) as connection:
        with pytest.raises(Rejected, match="No such master"):
            await Doing(registry, connection).apply(
                "redis_sentinel.survey", **CLUSTER, master="other"
            )
    for wrong in (settings(password="no"), {"redis_password": "pw"}):
        async with direct("redis/sessions", servers.url, settings=wrong) as connection:
            with pytest.raises(AuthFailed):
                await Doing(registry, connection).apply("redis_sentinel.survey", **CLUSTER)


@pytest.mark.parametrize(
    "more",
    [{"cluster": "-x"}, {"master": "a b"}, {"from_primary": "a"}, {"from_primary": "-x:1"},
     {"patience": 0}, {"master": "a\r\nFLUSHALL"}],
)  # fmt: skip
def test_what_is_refused(registry: Registry, more: dict[str, Any]) -> None:
    params = {**CLUSTER, "from_primary": "10.0.0.1:6379", **more}
    with pytest.raises(ValidationError):
        registry.action("redis_sentinel.failover").Params.model_validate(params)

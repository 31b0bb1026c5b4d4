"""`redis-failover` on a real Redis whose primary hangs."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.registry import Registry
from bot.store import Store
from tests.runbooks.room import Room
from tests.runbooks.shipped.room import on_both, shipped
from tests.servers.redis import Redis, redis_sentinel

pytestmark = [pytest.mark.server, pytest.mark.alone]


@pytest.fixture
def servers() -> Iterator[Redis]:
    with redis_sentinel() as whole:
        yield whole


@pytest.fixture
def room(store: Store, registry: Registry, tmp_path: Path, servers: Redis) -> Room:
    entry = {"url": servers.url, "also": servers.also}
    return shipped("redis-failover", store, registry, tmp_path, {"redis/sessions": entry})


@on_both
async def test_a_hanging_primary_is_replaced(room: Room, servers: Redis) -> None:
    """What the replicas had is there, and one primary takes writes; the way back is said."""
    old = servers.primary
    old.ask("SET", "session", "kept")
    assert old.ask("WAIT", "2", "5000") == 2
    old.process.freeze()
    number = await room.approved(name="redis-failover")
    assert "cannot be undone" in (await room.run(number)).plan["steps"][1]["undo"]
    await room.work()
    run = await room.run(number)
    assert (run.state, run.error) == ("succeeded", "")
    assert servers.primary is not old
    assert servers.primary.ask("GET", "session") == "kept"
    assert servers.primary.ask("SET", "session", "new")
    old.process.thaw()
    servers.wait_settled(servers.primary)  # the old one follows now


async def test_too_few_sentinels_decide_nothing(room: Room, servers: Redis) -> None:
    """Two of three are gone: nobody could vote, so nothing is ordered."""
    old = servers.primary
    for sentinel in servers.sentinels[1:]:
        sentinel.process.kill()
    number = await room.approved(name="redis-failover")
    await room.work()
    run = await room.run(number)
    assert run.state == "failed"
    assert run.error.startswith(("Too few Sentinels", "The Sentinels disagree"))
    assert servers.named(servers.sentinels[0]) == old.address

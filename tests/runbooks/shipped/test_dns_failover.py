"""`dns-failover` on a real PowerDNS, as a client's resolver sees it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.registry import Registry
from bot.store import Store
from tests.killing import at_commits
from tests.runbooks.room import Room, expire
from tests.runbooks.shipped.room import on_both, shipped
from tests.servers.fixtures import Start
from tests.servers.http_app import HttpApp
from tests.servers.powerdns import PowerDns, powerdns

pytestmark = pytest.mark.server


@pytest.fixture
def dns() -> Iterator[PowerDns]:
    with powerdns() as server:
        yield server


@pytest.fixture
def standby(http_server: Start[HttpApp]) -> HttpApp:
    return http_server("standby")


@pytest.fixture
def room(store: Store, registry: Registry, tmp_path: Path, dns: PowerDns, standby: HttpApp) -> Room:
    targets = {
        "powerdns/ns1": {"url": dns.url, "headers": dns.headers},
        "http/shop-standby": standby.url,
    }
    return shipped("dns-failover", store, registry, tmp_path, targets)


@on_both
async def test_there_and_back(room: Room, dns: PowerDns) -> None:
    number = await room.approved(name="dns-failover")
    await room.work()
    run = await room.run(number)
    assert (run.state, run.error) == ("succeeded", "")
    assert (dns.answers("www.shop.test"), dns.ttl("www.shop.test")) == (["192.0.2.20"], 30)
    await room.ask("undo", number)
    await room.work()
    assert (await room.run(number)).state == "aborted"
    assert (dns.answers("www.shop.test"), dns.ttl("www.shop.test")) == (["192.0.2.10"], 60)


async def test_nobody_is_sent_to_a_dead_standby(
    room: Room, dns: PowerDns, standby: HttpApp
) -> None:
    standby.down()
    number = await room.approved(name="dns-failover")
    await room.work()
    assert (await room.run(number)).state == "failed"
    assert dns.answers("www.shop.test") == ["192.0.2.10"]


class Died(BaseException):
    """The process is gone."""


async def test_it_stays_switched_though_jackline_dies_meanwhile(room: Room, dns: PowerDns) -> None:
    """After the switch and before it could be written down: another replica makes it anew."""
    number = await room.approved(name="dns-failover")

    def before(_: int) -> None:
        if dns.answers("www.shop.test") == ["192.0.2.20"]:
            raise Died

    with at_commits(before, lambda _: None), pytest.raises(Died):
        await room.work()
    await expire(room)
    await room.work(engine=room.another("second"))
    run = await room.run(number)
    assert (run.state, run.error) == ("succeeded", "")
    assert dns.answers("www.shop.test") == ["192.0.2.20"]


async def test_what_points_there_already_is_left_alone(room: Room, dns: PowerDns) -> None:
    dns.keep("www.shop.test", "192.0.2.20", 300)
    number = await room.approved(name="dns-failover")
    await room.work()
    run = await room.run(number)
    assert (run.state, run.error.partition(" (")[0]) == ("failed", "It points there already")
    assert dns.ttl("www.shop.test") == 300

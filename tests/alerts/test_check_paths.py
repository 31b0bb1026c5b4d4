"""Checks from several sides at once: what cannot be seen from here need not be down."""

from typing import Any

import pytest
from sqlalchemy import select

from bot.alerts.tables import CheckSample, CheckState
from bot.catalog import Catalog, Check, Service
from bot.store import Store, now
from tests.alerts.room import Room
from tests.alerts.test_checks import probe
from tests.servers.fixtures import Start
from tests.servers.http_app import HttpApp
from tests.servers.process import HOST
from tests.servers.proxies import Proxy, microsocks
from tests.servers.sshd import Sshd

pytestmark = pytest.mark.server
NOT_SEEN = "shop-home answers over oob, not over office: the way is broken, not the service"


@pytest.fixture
def store(sqlite_store: Store) -> Store:
    """What becomes of an answer on each database is in `test_checks`; this is about the asking."""
    return sqlite_store


@pytest.fixture
def shop(http_server: Start[HttpApp]) -> HttpApp:
    return http_server("shop")


def seen_from(office: Proxy, oob: Proxy, url: str, **fields: Any) -> Catalog:
    """A check that two SOCKS proxies carry."""
    check = {"id": "shop-home", "url": url, "every": 60, "via": ["office", "oob"], **fields}
    return Catalog.model_validate({
        "services": [{"id": "shop", "title": "Shop", "tier": "p0", "checks": [check]}],
        "paths": [{"name": "office", "kind": "proxy", "proxy": office.url},
                  {"name": "oob", "kind": "proxy", "proxy": oob.url}],
    })  # fmt: skip


async def shown(room: Room) -> list[tuple[str, str]]:
    return [(alert.name, alert.status) for alert in await room.stored()]


async def test_a_way_that_is_cut_is_not_the_service(room: Room, shop: HttpApp) -> None:
    """One of two proxies dies: a warning that says which, and no word that the service is down."""
    with microsocks() as office, microsocks() as oob:
        room.catalog = seen_from(office, oob, shop.url)
        assert await probe(room, 2) == []
        office.process.kill()
        assert await probe(room) == []
        assert await probe(room, 3) == ["firing"]
    (alert,) = await room.stored()
    assert alert.annotations["summary"].startswith(f"{NOT_SEEN} (")
    assert alert.labels == {
        "alertname": "CheckNotSeen", "service": "shop", "severity": "warning", "check": "shop-home",
    }  # fmt: skip
    (incident,) = await room.route()
    assert incident.severity == "sev3"
    samples = [(s.path, s.failed) for s in await room.all(CheckSample)]
    assert samples == [("office", 0), ("oob", 0)] * 2 + [("office", 1), ("oob", 0)] * 4


async def test_down_over_all_paths_and_back(room: Room, shop: HttpApp) -> None:
    """As over one path: one alert, and the incident says over which paths it was looked for."""
    with microsocks() as office, microsocks() as oob:
        room.catalog = seen_from(office, oob, shop.url)
        shop.down()
        assert await probe(room, 3) == ["firing"]
        shop.up()
        assert await probe(room, 3) == ["firing", "resolved"]
    firing, resolved = await room.stored()
    assert (firing.name, firing.labels["severity"]) == ("shop-home", "critical")
    summary = firing.annotations["summary"]
    assert summary.startswith("100 % of requests fail")
    assert "office" in summary
    assert "oob" in summary
    assert resolved.annotations["summary"] == "check shop-home passes again"


async def test_first_the_way_and_then_the_service(room: Room, shop: HttpApp) -> None:
    """Each has its own alert, and each ends when it is over: the way's only when it is seen again."""
    with microsocks() as oob:
        with microsocks() as office:
            room.catalog = seen_from(office, oob, shop.url, fail_after=1, recover_after=1)
            office.process.kill()
            await probe(room)
        shop.down()
        await probe(room, 3)
        assert await shown(room) == [("CheckNotSeen", "firing"), ("shop-home", "firing")]
        shop.up()
        await probe(room)
        assert (await shown(room))[2:] == [("shop-home", "resolved")]
        assert (await room.stored())[2].annotations["summary"].endswith("passes again, over oob")
        with microsocks() as office:
            room.catalog = seen_from(office, oob, shop.url, fail_after=1, recover_after=1)
            await probe(room)
    last = (await room.stored())[-1]
    assert (last.name, last.status) == ("CheckNotSeen", "resolved")
    assert last.annotations["summary"] == "shop-home answers over office, oob again"


async def test_a_way_that_flaps_does_not_fire(room: Room, shop: HttpApp) -> None:
    """Nor does one that fails, while between two failures nobody could tell."""
    with microsocks() as office, microsocks() as oob:
        good = seen_from(office, oob, shop.url)
        broken = seen_from(Proxy(f"socks5://{HOST}:1", office.process), oob, shop.url)
        for catalog in (broken, good) * 3:
            room.catalog = catalog
            assert await probe(room) == []
        room.catalog = broken
        await probe(room)
        shop.down()
        await probe(room)
        shop.up()
        assert await probe(room) == []
        assert await probe(room) == ["firing"]


async def test_dns_is_down_and_the_service_is_not(room: Room, shop: HttpApp) -> None:
    """Over `direct` the name leads nowhere, over a path with pinned addresses the shop answers."""
    check = {
        "id": "shop-home", "url": f"http://shop.invalid:{shop.port}", "fail_after": 1,
        "via": ["direct", "pinned"],
    }  # fmt: skip
    room.catalog = Catalog.model_validate({
        "services": [{"id": "shop", "title": "Shop", "tier": "p0", "checks": [check]}],
        "paths": [{"name": "direct"},
                  {"name": "pinned", "kind": "pinned", "connect_to": {"shop.invalid": HOST}}],
    })  # fmt: skip
    assert await probe(room) == ["firing"]
    summary = (await room.stored())[0].annotations["summary"]
    assert summary.startswith("shop-home answers over pinned, not over direct: the way is broken")


async def test_checks_that_began_together_part(room: Room, shop: HttpApp) -> None:
    """Their next turns are spread over a fifth of their time, and none is far from its own."""
    checks = [Check(id=f"c{n}", url=shop.url, every=100) for n in range(12)]
    room.catalog = Catalog(services=[Service(id="shop", title="Shop", tier="p0", checks=checks)])
    began = now()
    await room.checks.run_due(room.catalog)
    async with room.store.read() as session:
        rows = (await session.execute(select(CheckState))).scalars()
        waits = sorted((row.due_at - began).total_seconds() for row in rows)
    assert waits[0] >= 90
    assert waits[-1] < 115
    assert waits[-1] - waits[0] > 4


async def test_a_catalog_without_direct(room: Room, shop: HttpApp) -> None:
    """A check of an address needs no path of the catalog."""
    room.catalog = Catalog.model_validate({
        "services": [{"id": "shop", "title": "Shop", "tier": "p0",
                      "checks": [{"id": "shop-home", "url": shop.url}]}],
        "paths": [{"name": "oob", "kind": "pinned", "connect_to": {"shop.invalid": HOST}}],
    })  # fmt: skip
    assert await probe(room) == []
    assert [(s.path, s.failed) for s in await room.all(CheckSample)] == [("direct", 0)]


async def test_many_requests_over_a_bastion_log_in_once(
    room: Room, shop: HttpApp, sshd_server: Sshd
) -> None:
    """A host refuses logins when too many come together: that is not the service's fault."""
    before = sshd_server.process.tail(5000).count("Accepted publickey")
    check = {"id": "shop-home", "url": shop.url, "requests": 20, "via": ["bastion"]}
    room.catalog = Catalog.model_validate({
        "services": [{"id": "shop", "title": "Shop", "tier": "p0", "checks": [check]}],
        "paths": [{"name": "bastion", "kind": "ssh",
                   "hops": [{"url": sshd_server.url, **sshd_server.settings}]}],
    })  # fmt: skip
    assert await probe(room) == []
    (sample,) = await room.all(CheckSample)
    assert (sample.path, sample.requests, sample.failed, sample.error) == ("bastion", 20, 0, "")
    assert shop.count() == 20
    assert sshd_server.process.tail(5000).count("Accepted publickey") == before + 1

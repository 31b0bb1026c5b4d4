"""Built-in checks against a real target that goes down and comes back."""

import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import SQLAlchemyError

from bot.alerts import CheckRunner
from bot.alerts.tables import CheckSample, CheckState
from bot.catalog import Catalog, Check, Service
from bot.errors import Unavailable
from bot.store import now
from tests.alerts.room import SHOP, Room
from tests.servers.fixtures import Start
from tests.servers.http_app import Answer, HttpApp
from tests.servers.process import HOST

pytestmark = pytest.mark.server


@pytest.fixture
def shop(http_server: Start[HttpApp]) -> HttpApp:
    return http_server("shop")


def checked(url: str, **fields: float) -> Catalog:
    """A service with one check of that address."""
    check = Check.model_validate({"id": "shop-home", "url": url, "every": 60, **fields})
    return Catalog(services=[Service(id="shop", title="Shop", tier="p0", checks=[check])])


async def probe(room: Room, times: int = 1) -> list[str]:
    """Lets the check have its turn, so often; what stands in the database of alerts then."""
    for _ in range(times):
        async with room.store.write() as session:
            await session.execute(update(CheckState).values(due_at=now() - timedelta(seconds=1)))
        await room.checks.run_due(room.catalog)
    return [alert.status for alert in await room.stored()]


async def test_down_and_up_again(room: Room, shop: HttpApp) -> None:
    """Fires on the second bad probe in a row, resolves on the third good one; one incident."""
    room.catalog = checked(shop.url)
    assert await probe(room, 2) == []
    shop.down()
    assert await probe(room) == []
    assert await probe(room, 3) == ["firing"]
    shop.up()
    assert await probe(room, 2) == ["firing"]
    assert await probe(room, 3) == ["firing", "resolved"]
    firing, resolved = await room.stored()
    assert (firing.source, firing.name, firing.link) == ("check", "shop-home", shop.url)
    assert firing.starts_at == resolved.starts_at
    assert resolved.ends_at is not None
    (incident,) = await room.route()
    assert (incident.severity, incident.services) == ("sev1", ["shop"])
    assert incident.title == "Shop: 100 % of requests fail (ConnectError)"
    assert await room.kinds() == ["incident_declared", "alert_received", "alert_resolved"]


async def test_what_cannot_be_asked_is_not_down(
    room: Room, shop: HttpApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A secret that is missing, as while the vault is away, says nothing of the service."""
    room.catalog = Catalog.model_validate({
        "services": [{"id": "shop", "title": "Shop", "tier": "p0", "checks": [
            {"id": "shop-order", "target": "http/shop", "every": 60}]}],
        "targets": [{"name": "http/shop", "url": shop.url, "settings": {"p": "env:SHOP_SECRET"}}],
    })  # fmt: skip
    await probe(room, 3)
    (alert,) = await room.stored()
    assert (alert.name, alert.labels["severity"]) == ("CheckNotSeen", "warning")
    assert alert.annotations["summary"].startswith(
        "shop-order cannot be asked, so that nobody knows"
    )
    assert "SHOP_SECRET" in alert.annotations["summary"]
    assert await room.all(CheckSample) == []  # nor is it in the evidence
    monkeypatch.setenv("SHOP_SECRET", "x")
    assert await probe(room, 3) == ["firing", "resolved"]
    shop.down()
    assert await probe(room, 2) == ["firing", "resolved", "firing"]
    assert (await room.stored())[-1].name == "shop-order"


async def test_down_a_second_time_is_another_alert(room: Room, shop: HttpApp) -> None:
    room.catalog = checked(shop.url, fail_after=1, recover_after=1)
    for status in (500, 200, 500):
        shop.default = Answer(status)
        await probe(room)
    stored = await room.stored()
    assert [a.status for a in stored] == ["firing", "resolved", "firing"]
    assert stored[2].starts_at > stored[0].starts_at


async def test_flapping_does_not_fire(room: Room, shop: HttpApp) -> None:
    """Good and bad in turn never reach the threshold."""
    room.catalog = checked(shop.url)
    for status in (500, 200) * 4:
        shop.default = Answer(status)
        assert await probe(room) == []


async def test_flapping_does_not_resolve(room: Room, shop: HttpApp) -> None:
    room.catalog = checked(shop.url)
    for status in (500, 500, 200, 200, 500, 200, 200):
        shop.default = Answer(status)
        await probe(room)
    assert await probe(room, 0) == ["firing"]


async def test_a_share_of_bad_answers(room: Room, shop: HttpApp) -> None:
    """One probe of ten requests: what counts is the rate of errors, and it is kept."""
    room.catalog = checked(shop.url, requests=10, fail_after=1, max_error_rate=0.5)
    assert await probe(room) == []
    shop.default = Answer(503)
    assert await probe(room) == ["firing"]
    samples = await room.all(CheckSample)
    assert [(s.requests, s.failed, s.error) for s in samples] == [(10, 0, ""), (10, 10, "HTTP 503")]


@pytest.mark.parametrize(
    ("answer", "error"),
    [(Answer(302, headers={"Location": "/"}), "HTTP 302"), (Answer(drop=True), "ReadError")],
)
async def test_other_ways_to_fail(room: Room, shop: HttpApp, answer: Answer, error: str) -> None:
    """A redirect is not what was expected; a cut connection is no answer."""
    room.catalog = checked(shop.url, fail_after=1)
    shop.default = answer
    assert await probe(room) == ["firing"]
    (sample,) = await room.all(CheckSample)
    assert sample.error in (error, "RemoteProtocolError")


@contextlib.asynccontextmanager
async def trickling() -> AsyncIterator[str]:
    """A server that sends a byte now and then, and never ends."""

    left = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            while not writer.is_closing():
                writer.write(b"x")
                await writer.drain()
                await asyncio.sleep(0.05)
        writer.close()
        left.set()

    server = await asyncio.start_server(answer, HOST, 0)
    try:
        yield f"http://{HOST}:{server.sockets[0].getsockname()[1]}/"
    finally:
        server.close()
        await server.wait_closed()
        await left.wait()


async def test_a_target_that_never_ends_its_answer_times_out(room: Room) -> None:
    """The time limit is for the whole answer: a trickle is down, not for ever being probed."""
    async with trickling() as url:
        room.catalog = checked(url, timeout=0.3, fail_after=1)
        began = time.monotonic()
        assert await probe(room) == ["firing"]
        assert time.monotonic() - began < 20  # the whole of it takes an hour and more
    (sample,) = await room.all(CheckSample)
    assert sample.error == "TimeoutError"


async def test_a_target_that_says_nothing_times_out(room: Room, shop: HttpApp) -> None:
    room.catalog = checked(shop.url, timeout=0.2, fail_after=1)
    shop.default = Answer(latency=60)
    assert await asyncio.wait_for(probe(room), 20) == ["firing"]


@pytest.mark.parametrize(
    "url", ["http://[::1", "http://exa mple/", "http://a..b/", "http://h:99999/"]
)
async def test_an_address_that_is_none_is_a_failing_check(room: Room, url: str) -> None:
    """And does not cost the other checks their turn."""
    room.catalog = checked(url, fail_after=1)
    assert await probe(room) == ["firing"]


async def test_a_slow_check_does_not_hold_up_the_others(room: Room, shop: HttpApp) -> None:
    told = threading.Event()
    shop.answers["/slow"] = Answer(held=told)
    slow, quick = checked(f"{shop.url}/slow"), checked(f"{shop.url}/quick")
    checks = [slow.services[0].checks[0], *quick.services[0].checks]
    checks[0] = checks[0].model_copy(update={"id": "slow"})
    service = slow.services[0].model_copy(update={"checks": checks})
    running = asyncio.create_task(room.checks.run_due(Catalog(services=[service])))
    while not await room.all(CheckSample):
        await asyncio.sleep(0.01)
    assert [s.check_id for s in await room.all(CheckSample)] == ["shop-home"]
    told.set()
    await running


async def test_replicas_probe_no_more_than_one(room: Room, shop: HttpApp) -> None:
    """Four processes tick at once, also for the very first time: one probe."""
    room.catalog = checked(shop.url)
    seen = room.checks
    runners = [CheckRunner(room.store, room.intake, seen.dialer, seen.registry) for _ in range(4)]
    await asyncio.gather(*(runner.run_due(room.catalog) for runner in runners))
    assert shop.count() == 1


async def test_killed_between_the_alert_and_its_mark(room: Room, shop: HttpApp) -> None:
    """The alert was accepted, that it was not yet noted: it is the same one, and it ends."""
    room.catalog = checked(shop.url, fail_after=1, recover_after=1)
    shop.down()
    await probe(room)
    async with room.store.write() as session:
        await session.execute(update(CheckState).values(firing_since=None, bad=0))
    assert await probe(room) == ["firing"]
    shop.up()
    assert await probe(room) == ["firing", "resolved"]


async def test_a_check_that_is_taken_out_of_the_catalog(room: Room, shop: HttpApp) -> None:
    """Its alert ends; one that is still there goes on."""
    room.catalog = checked(shop.url, fail_after=1)
    shop.down()
    await probe(room)
    await room.checks.end_removed(room.catalog)
    assert await probe(room) == ["firing"]
    room.catalog = Catalog(services=[SHOP])
    for _ in range(2):
        await room.checks.end_removed(room.catalog)
    firing, resolved = await room.stored()
    assert (resolved.status, resolved.starts_at) == ("resolved", firing.starts_at)
    assert "not in the catalog any more" in resolved.annotations["summary"]
    async with room.store.read() as session:
        assert (await session.execute(select(CheckState))).first() is None


async def test_not_before_its_time(room: Room, shop: HttpApp) -> None:
    room.catalog = checked(shop.url)
    for _ in range(3):
        await room.checks.run_due(room.catalog)
    assert shop.count() == 1


async def test_an_alert_that_was_not_stored_is_raised_again(room: Room, shop: HttpApp) -> None:
    """The check moves on to firing only once its alert is stored."""
    room.catalog = checked(shop.url, fail_after=1)
    shop.down()
    async with room.store.engine.begin() as connection:
        await connection.exec_driver_sql("ALTER TABLE alert RENAME TO gone")
    with pytest.raises((Unavailable, SQLAlchemyError)):
        await room.checks.run_due(room.catalog)
    async with room.store.engine.begin() as connection:
        await connection.exec_driver_sql("ALTER TABLE gone RENAME TO alert")
    assert await probe(room) == ["firing"]

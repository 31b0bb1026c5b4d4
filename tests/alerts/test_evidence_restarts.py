"""Collecting evidence while processes die, wait and meet, and the database goes away."""

import asyncio
import time
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update
from sqlmodel import select

from bot.alerts.evidence.tables import EvidenceItem, EvidenceLook
from bot.catalog import Service
from bot.errors import Unavailable
from bot.incidents import Incident
from bot.store import now
from tests.alerts.desk import Desk, from_lists, from_numbers
from tests.alerts.room import Room, an_alert
from tests.servers.http_app import Answer, HttpApp

pytestmark = pytest.mark.server


async def stopped_in_the_middle(desk: Desk, target: HttpApp) -> None:
    """What a SIGKILL leaves: one place has answered, the graphs have not; the lease runs on."""
    target.answers["/value"] = Answer(body="1", latency=3)
    target.answers["/lines"] = Answer(body="flag a on")
    collecting = asyncio.create_task(desk.collector.collect_next())
    while not any(r.data.get("found") for r in await desk.rows()):
        await asyncio.sleep(0.02)
    collecting.cancel()
    await asyncio.gather(collecting, return_exceptions=True)
    target.answers["/value"] = Answer(body="1")


async def lease_over(desk: Desk, tries: int = 1) -> None:
    async with desk.room.store.write() as session:
        past = now() - timedelta(seconds=1)
        await session.execute(update(EvidenceLook).values(lease_until=past, tries=tries))


async def test_a_restart_in_the_middle_goes_on(room: Room, tmp_path: Path, target: HttpApp) -> None:
    """What was told is not told again; what waits is asked again, once the lease is over."""
    desk = Desk(room, tmp_path, target.url, from_numbers(), from_lists())
    await desk.incident()
    await stopped_in_the_middle(desk, target)
    asked = sum(r.path == "/lines" for r in target.received)
    again = desk.replica()
    assert not await again.collect_next()
    await lease_over(desk)
    assert await again.collect_next()
    rows = await desk.rows()
    assert [r.data["title"] for r in rows] == [
        "The changes", "Shop: failing requests, Shop: slowest answer, Load",
    ]  # fmt: skip
    assert sum(r.path == "/lines" for r in target.received) == asked
    said = await desk.message()
    assert (len(said["parts"]), said["waiting"], said["missing"]) == (1, [], [])
    assert len(await desk.uploads()) == 1


async def test_a_source_that_brings_us_down_is_given_up(
    room: Room, tmp_path: Path, target: HttpApp
) -> None:
    """After three starts nobody asks any more, and what is missing is said."""
    desk = Desk(room, tmp_path, target.url, from_numbers(), from_lists())
    await desk.incident()
    await stopped_in_the_middle(desk, target)
    await lease_over(desk, tries=3)
    asked = len(target.received)
    assert await desk.replica().collect_next()
    assert len(target.received) == asked
    missing = await desk.missing()
    assert any("numbers (n/up): Jackline was stopped 3 times" in m for m in missing), missing
    assert (await desk.message())["waiting"] == []
    items: list[EvidenceItem] = await items_of(room)
    assert not [i for i in items if i.state == "waiting"]


async def test_a_source_taken_out_of_the_catalog_meanwhile(
    room: Room, tmp_path: Path, target: HttpApp
) -> None:
    desk = Desk(room, tmp_path, target.url, from_numbers(), from_lists())
    await desk.incident()
    await stopped_in_the_middle(desk, target)
    await lease_over(desk)
    Desk(room, tmp_path, target.url)  # the catalog without evidence
    assert await desk.replica().collect_next()
    (why,) = await desk.missing()
    assert "numbers (n/up): Jackline was stopped before it answered" in why


async def test_an_incident_that_ended_while_jackline_was_stopped(
    room: Room, tmp_path: Path, target: HttpApp
) -> None:
    """Its message does not go on looking for ever."""
    desk = Desk(room, tmp_path, target.url, from_numbers(), from_lists())
    await desk.incident()
    await stopped_in_the_middle(desk, target)
    await room.become("resolved")
    await lease_over(desk)
    assert await desk.replica().collect_next()
    assert (await desk.message())["waiting"] == []


async def test_two_replicas_tell_it_once(room: Room, tmp_path: Path, target: HttpApp) -> None:
    """Both look at the same moment: one claims it."""
    target.answers["/lines"] = Answer(body="flag a on")
    desk = Desk(room, tmp_path, target.url, from_numbers(), from_lists())
    await desk.incident()
    both = [desk.collector, desk.replica()]
    assert sorted(await asyncio.gather(*(each.collect_next() for each in both))) == [False, True]
    assert len(await desk.rows()) == 2
    assert len(target.received) == 2


async def test_several_incidents_do_not_wait_for_each_other(
    room: Room, tmp_path: Path, target: HttpApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a storm one that hangs does not hold up the next."""
    monkeypatch.setattr("bot.alerts.evidence.collector.LIMIT", 0.5)
    target.answers["/value"] = Answer(latency=60)
    desk = Desk(room, tmp_path, target.url, from_numbers())
    await desk.incident()
    blog = Service(id="blog", title="Blog", tier="p2")
    room.catalog = room.catalog.model_copy(update={"services": [*room.catalog.services, blog]})
    await room.route(*(an_alert(f"Other{n}", service="blog", host=f"h{n}") for n in range(1)))
    async with room.store.write() as session:
        await session.execute(update(Incident).values(declared_at=now() - timedelta(seconds=9)))
    began = time.monotonic()
    assert await desk.collector.collect_next()
    assert time.monotonic() - began < 20
    assert all("no answer within 0.5 s" in why for why in await desk.missing())
    assert all(i.evidence_at for i in await room.all(Incident))


async def test_the_database_away_in_the_middle(
    room: Room, tmp_path: Path, target: HttpApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is half told: the next turn goes on where this one ended."""
    target.answers["/lines"] = Answer(body="flag a on")
    desk = Desk(room, tmp_path, target.url, from_lists())
    await desk.incident()

    async def away(*_: object) -> None:
        raise Unavailable("the database is away")

    with monkeypatch.context() as patched:
        patched.setattr(desk.collector.book, "note", away)
        with pytest.raises(Unavailable):
            await desk.collector.collect_next()
    assert await desk.rows() == []
    await lease_over(desk)
    await desk.collect()
    assert [bool(r.data.get("found")) for r in await desk.rows()] == [True, False]


async def items_of(room: Room) -> list[EvidenceItem]:
    async with room.store.read() as session:
        return list((await session.execute(select(EvidenceItem))).scalars())

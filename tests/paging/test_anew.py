"""Which incidents page when: what is new, what goes on again and what has changed, and no old story."""

import asyncio
from datetime import datetime, timedelta

from bot.delivery import Binding
from bot.incidents.facts import Facts
from bot.incidents.merging import Brought, Merging
from bot.store import now
from tests.paging.conftest import PageRoom


async def test_an_incident_of_yesterday_does_not_page(room: PageRoom) -> None:
    """A policy that is new to the catalog is for what comes."""
    number = await room.declare()
    async with room.store.write() as session:
        incident = await room.incidents.get(session, number)
        incident.declared_at = now().replace(year=2020)
    await room.look()
    assert await room.pages() == []


async def test_what_is_opened_again_pages_again(room: PageRoom) -> None:
    """Its page ended with it; whoever is on call is paged anew, once, also days after it began."""
    number = await room.declare()
    async with room.store.write() as session:
        incident = await room.incidents.get(session, number)
        incident.declared_at = now() - timedelta(minutes=1)
    await room.look()
    await room.look()
    assert await room.drain() == ["+49301", "ana@x.org"]
    await room.status("resolved")
    await room.look()
    async with room.store.write() as session:
        await room.incidents.active(session)
        incident = await room.incidents.get(session, number)
        incident.declared_at = now() - timedelta(days=3)
        await room.incidents.reopen(session, incident, "person:ana")
    await asyncio.gather(*(room.another().look() for _ in range(3)))
    await room.look()
    assert await room.drain() == ["+49301", "ana@x.org"]
    assert [page.state for page in await room.pages()] == ["ended", "open"]


async def test_opened_again_before_anybody_looked_is_one_page(room: PageRoom) -> None:
    """Resolved by a slip and opened again within the second: the page that goes on is not doubled."""
    number = await room.declare()
    for _ in range(2):
        await room.look()
    assert await room.drain() == ["+49301", "ana@x.org"]
    await room.status("resolved")
    async with room.store.write() as session:
        await room.incidents.one_at_a_time(session)
        incident = await room.incidents.get(session, number)
        await room.incidents.reopen(session, incident, "person:ana")
    for _ in range(2):
        await room.look()
    assert await room.drain() == []
    assert [page.state for page in await room.pages()] == ["open"]


async def test_what_is_unmerged_pages_again(room: PageRoom) -> None:
    """Its page ended where it was merged; the one it was merged into is not paged for twice."""
    target, source = await room.declare("a", services=["db"]), await room.declare("b")
    for _ in range(2):
        await room.look()
    assert await room.drain() == ["+49301", "+49301", "+49302", "ana@x.org"]
    merging = Merging(room.incidents)
    async with room.store.write() as session:
        await room.incidents.one_at_a_time(session)
        pair = await merging.pair(session, source, target)
        await merging.merge(session, *pair, Brought(), "person:ana", "m")
    await room.look()
    async with room.store.write() as session:
        await room.incidents.one_at_a_time(session)
        apart = await merging.parted(session, source)
        await merging.unmerge(session, *apart, 0, "person:ana", "u")
        for each in apart:
            each.declared_at = now() - timedelta(hours=20)
    await room.time_passes()
    before = [(page.incident_id, page.name, page.state) for page in await room.pages()]
    assert before[:2] == [(target, "rest", "open"), (source, "Web team", "ended")]
    await asyncio.gather(*(room.another().look() for _ in range(3)))
    for _ in range(2):
        await room.look()
    pages = await room.pages()
    assert [(p.incident_id, p.name, p.state) for p in pages if p.incident_id == source] == [
        (source, "Web team", "ended"), (source, "Web team", "open"),
    ]  # fmt: skip
    assert [p.name for p in pages if p.incident_id == target].count("rest") == 1


async def test_what_was_declared_while_nobody_looked_is_no_old_story(room: PageRoom) -> None:
    """The process died beside the declaration, and was away for half a day; another one pages, once."""
    await room.look()
    async with room.store.write() as session:
        mark = await session.get_one(Binding, ("pages", "looked"))
        mark.value = {"at": (now() - timedelta(hours=12)).isoformat()}
    old, new = await room.declare("old"), await room.declare("new")
    async with room.store.write() as session:
        for number, hours in ((old, 14), (new, 11)):
            incident = await room.incidents.get(session, number)
            incident.declared_at = now() - timedelta(hours=hours)
    await asyncio.gather(*(room.another().look() for _ in range(3)))
    for _ in range(2):
        await room.look()
    assert [page.incident_id for page in await room.pages()] == [new]
    async with room.store.read() as session:
        mark = await session.get_one(Binding, ("pages", "looked"))
    assert now() - datetime.fromisoformat(mark.value["at"]) < timedelta(minutes=5)


async def test_a_service_that_is_found_to_be_affected_pages_its_people(room: PageRoom) -> None:
    """However long ago it was declared, as with a severity that rises."""
    number = await room.declare(severity="sev2", services=["db"])
    async with room.store.write() as session:
        incident = await room.incidents.get(session, number)
        incident.declared_at = now() - timedelta(days=3)
    await room.look()
    assert await room.pages() == []
    ana, web = room.catalog.person("ana"), room.catalog.service("web")
    assert ana
    assert web
    async with room.store.write() as session:
        incident = await room.incidents.get(session, number)
        await Facts(room.incidents).affect(session, incident, [web], ana)
    await room.look()
    assert [page.name for page in await room.pages()] == ["Web team"]


async def test_an_old_incident_that_moves_on_does_not_page_by_a_new_policy(room: PageRoom) -> None:
    number = await room.declare()
    async with room.store.write() as session:
        incident = await room.incidents.get(session, number)
        incident.declared_at = now() - timedelta(days=3)
    await room.status("mitigating")
    await room.look()
    assert await room.pages() == []

"""Pages over each database: level by level until somebody has it, once each, never forgotten."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import select

from bot.delivery import Delivery
from bot.errors import BadInput, Conflict, NotAllowed, NotFound, Rejected
from bot.paging.tables import Page, PageLink
from bot.store import now
from tests.paging.conftest import CATALOG, PageRoom


async def test_level_by_level_until_somebody_has_it(room: PageRoom) -> None:
    """The one on call by all their ways, then the next level, then from the beginning; then silence."""
    await room.declare()
    await room.look()
    assert await room.drain() == []  # opened; the next look is the next second
    await room.look()
    assert await room.drain() == ["+49301", "ana@x.org"]
    await room.look()
    assert await room.drain() == []  # its five minutes are not over
    await room.time_passes()
    await room.look()
    assert await room.drain() == ["+49302", "hall"]
    await room.time_passes()
    await room.look()
    assert await room.drain() == ["+49301", "ana@x.org"]
    page = await room.acknowledge()
    assert (page.state, page.acknowledged_by) == ("acknowledged", "person:ben")
    await room.time_passes()
    await room.look()
    assert await room.drain() == []
    assert await room.kinds() == [
        "page_opened", "page_sent", "page_delivered", "page_delivered", "page_escalated",
        "page_delivered", "page_delivered", "page_escalated", "page_delivered", "page_delivered",
        "page_acknowledged",
    ]  # fmt: skip
    texts = [row.text for row in await room.rows()]
    assert texts[0] == "Web team is paged"
    assert texts[1] == "Level 1 of 2 is paged for Web team: Ana by sms, mail"
    assert texts[4] == "Level 2 of 2 is paged for Web team: Ben by sms; siren by siren"
    assert texts[7] == "Level 1 of 2 is paged for Web team, time 2 of 2: Ana by sms, mail"


async def test_many_replicas_page_once(room: PageRoom) -> None:
    """Each step is one for all of them, whoever looks when."""
    await room.declare()
    clocks = [room.another() for _ in range(5)]
    for _ in range(2):
        await asyncio.gather(*(clock.look() for clock in clocks))
    assert await room.drain() == ["+49301", "ana@x.org"]
    await room.time_passes()
    await asyncio.gather(*(clock.look() for clock in clocks))
    assert await room.drain() == ["+49302", "hall"]
    assert len(await room.pages()) == 1


async def test_a_fault_at_one_keeps_nobody_else_from_being_paged(
    room: PageRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever step it is at: the others go on, it is said once, and tried again."""
    await room.declare()
    await room.look()
    poison, second = (await room.pages())[0].number, await room.declare("Orders fail")
    paging = room.clock.paging
    found = paging.locked

    async def broken(session: AsyncSession, number: int) -> Page:
        if number == poison:
            raise KeyError("levels")
        return await found(session, number)

    monkeypatch.setattr(paging, "locked", broken)
    for _ in range(3):
        await room.look()
    assert await room.drain() == ["+49301", "ana@x.org"]
    assert {p.incident_id for p in await room.pages() if p.step} == {second}
    (said,) = await room.said(0)
    assert said.startswith(
        f"🚨 Jackline cannot page for page {poison}: KeyError. Call who is on call"
    )
    monkeypatch.undo()
    await room.look()
    assert await room.drain() == ["+49301", "ana@x.org"]


async def test_nobody_is_loud(room: PageRoom) -> None:
    """In the channel, where the digest is, on its line; and it can still be acknowledged."""
    await room.declare(services=["db"])
    for _ in range(2):
        await room.look()
    assert await room.drain() == ["+49301", "+49302"]
    await room.time_passes()
    await room.look()
    (page,) = await room.pages()
    assert page.state == "unanswered"
    text = "Nobody acknowledged the page for rest, and everybody was tried 1 times"
    assert (await room.rows())[-1].text == text
    assert await room.said() == [f"🚨 {text}. Take command, or page somebody: /incident page WHO"]
    assert await room.said(0) == ["🚨 Nobody acknowledged the page for incident 1"]
    await room.look()
    assert len(await room.said()) == 1
    await room.acknowledge()
    assert (await room.kinds())[-1] == "page_acknowledged"


async def test_it_stops_with_the_incident(room: PageRoom) -> None:
    """Also what is queued already is not sent."""
    await room.declare()
    for _ in range(2):
        await room.look()
    await room.status("resolved")
    await room.look()
    assert await room.drain() == []
    assert await room.kinds() == ["page_opened", "page_sent", "page_ended"]
    with pytest.raises(Conflict, match="is over"):
        await room.acknowledge()
    await room.time_passes()
    await room.look()
    assert (await room.pages())[0].state == "ended"


async def test_what_pages(room: PageRoom) -> None:
    """By severity, also one that rises days later; drills and old stories do not."""
    await room.declare("low", severity="sev3")
    async with room.store.write() as session:
        (await room.incidents.get(session, 1)).declared_at = now() - timedelta(days=3)
    await room.declare("drill", drill=True)
    await room.declare("ended")
    await room.status("cancelled", 3)
    await room.look()
    assert await room.pages() == []
    async with room.store.write() as session:
        incident = await room.incidents.get(session, 1)
        await room.incidents.set_severity(session, incident, "sev2", "person:ana")
    await room.look()
    assert [page.name for page in await room.pages()] == ["Web team"]


async def test_what_reaches_nobody_costs_no_time(room: PageRoom) -> None:
    """A level without addresses, or whose messages were all refused for good, is left at once."""
    levels = [{"who": ["dora"], "after": "1h"}, {"who": ["ben"], "after": "1h"}, {"who": ["ana"], "after": "1h"}]  # fmt: skip
    room.enter(escalations=[{"id": "e", "levels": levels}])
    await room.declare()
    room.fake.errors = [Rejected("no such number")]
    for _ in range(3):
        await room.look()
    assert await room.drain() == []
    await room.look()
    assert await room.drain() == ["+49301", "ana@x.org"]
    assert [row.text for row in await room.rows()][1] == (
        "Level 1 of 3 is paged for e: it reaches nobody"
    )
    assert "page_failed" in await room.kinds()


async def test_what_reached_nobody_says_so(room: PageRoom) -> None:
    """That everybody was tried would be wrong: nobody heard of it."""
    room.enter(escalations=[{"id": "e", "levels": [{"who": ["dora"]}], "repeat": 2}])
    await room.declare()
    for _ in range(4):
        await room.look()
    (page,) = await room.pages()
    assert page.state == "unanswered"
    text = "Nobody acknowledged the page for e, as it reached nobody"
    assert (await room.rows())[-1].text == text
    said = f"🚨 {text}. Take command, or page somebody: /incident page WHO"
    assert await room.said() == [f"{said}. It goes out as soon as somebody can be reached"]


async def test_a_gap_that_ends_while_the_page_waits(room: PageRoom) -> None:
    """Nobody was on call for a moment: said loudly, and whoever is on call next is paged."""
    levels = [{"who": ["schedule:late"], "after": "5m"}]
    layer = {"people": ["ben"], "since": f"{now() + timedelta(days=2):%Y-%m-%d}"}
    late = {"id": "late", "layers": [layer]}
    room.enter(schedules=[late], escalations=[{"id": "e", "levels": levels, "repeat": 2}])
    await room.declare()
    for _ in range(5):
        await room.look()
    assert [page.state for page in await room.pages()] == ["unanswered"]
    assert "page_unanswered" in await room.kinds()
    assert await room.drain() == []

    async with room.store.write() as session:
        until = now() + timedelta(hours=1)
        await room.paging.overrides.set(session, "late", "ben", now(), until, "ana", "o")
    await asyncio.gather(*(room.another().look() for _ in range(3)))
    (page,) = await room.pages()
    assert (page.state, page.step) == ("open", 1)
    assert await room.drain() == ["+49302"]
    assert [row.text for row in await room.rows()][-2] == "Level 1 of 1 is paged for e: Ben by sms"
    for _ in range(2):  # and once more, as the policy says
        await room.time_passes()
        await room.look()
    assert await room.drain() == ["+49302"]
    await room.look()
    assert (await room.pages())[0].state == "unanswered"  # heard of, and nobody answered


async def test_by_hand(room: PageRoom) -> None:
    """A person, a group, a schedule, a service; the same call twice is one."""
    await room.declare(severity="sev4")
    for number, whom in enumerate(("cem", "@core", "first", "schedule:first", "web", "Rest")):
        (page,) = await room.call(whom, why="look at it", key=f"k{number}")
        (again,) = await room.call(whom, why="look at it", key=f"k{number}")
        assert again.id == page.id
    assert [p.name for p in await room.pages()] == ["Cem", "@core", "first", "first", "Web team", "rest"]  # fmt: skip
    await room.look()
    assert await room.drain() == sorted(
        [
            "+49303",
            "+49301",
            "ana@x.org",
            "+49302",
            *["+49301", "ana@x.org"] * 3,
            "+49301",
            "+49302",
        ]
    )
    assert (await room.rows())[0].text == "Cem is paged: look at it"


async def test_what_cannot_be_paged_by_hand(room: PageRoom) -> None:
    await room.declare()
    with pytest.raises(NotFound, match="nobody 'bem' to page; did you mean"):
        await room.call("bem")
    with pytest.raises(NotAllowed):
        await room.call("ben", by="cem")
    with pytest.raises(BadInput, match="300 is the limit"):
        await room.call("ben", why="x" * 301)
    await room.status("resolved")
    with pytest.raises(Conflict, match="nobody is paged"):
        await room.call("ben")
    assert await room.pages() == []


async def test_what_waits_is_not_queued_twice(room: PageRoom) -> None:
    """A medium that is away does not get two messages when it is back."""
    room.enter(escalations=[{"id": "e", "levels": [{"who": ["ben"]}]}])
    await room.declare()
    for _ in range(3):
        await room.look()
        await room.time_passes()
    assert await room.drain() == ["+49302"]


async def test_another_process_goes_on(room: PageRoom) -> None:
    """What was due when one died is done by the next, from the database alone."""
    await room.declare()
    for _ in range(2):
        await room.look()
    await room.time_passes()
    await room.another().look()
    assert await room.drain() == ["+49301", "+49302", "ana@x.org", "hall"]


async def test_words_and_the_link(room: PageRoom) -> None:
    """Each person has a link of their own; a group's address has none; the database has no token."""
    await room.declare()
    for _ in range(2):
        await room.look()
    await room.time_passes()
    await room.look()
    await room.drain()
    told = {to: notice for notice, to, _ in room.fake.told}
    sms, mail = told["+49301"], told["ana@x.org"]
    assert sms.subject == "PAGE #1 SEV1: Search is slow"
    assert sms.text.endswith("Page 1.1.\nhttp://bot.test/incidents/1")
    assert sms.link == mail.link
    assert sms.link.startswith("http://bot.test/ack?token=")
    assert told["+49302"].link != sms.link
    assert told["hall"].link == ""
    assert {n.thread for n in told.values()} == {sms.thread}
    token = sms.link.partition("=")[2]
    async with room.store.read() as session:
        links = (await session.execute(select(PageLink))).scalars().all()
        queued = (await session.execute(select(Delivery))).scalars().all()
    assert len(links) == 2
    assert token not in f"{links} {[d.model_dump() for d in queued]}"
    async with room.store.write() as session:
        page = await room.paging.acknowledge_by_link(session, token)
    assert page.acknowledged_by == "person:ana"


async def test_what_is_sent_again_is_of_its_own_time(room: PageRoom) -> None:
    """A mail of the second round is no old mail, and the first round's call is none of the second's."""
    await room.declare()
    await room.look()
    for _ in range(3):
        await room.look()
        await room.drain()
        await room.time_passes()
    first, second = (notice for notice, to, _ in room.fake.told if to == "+49301")
    (page,) = await room.pages()
    assert page.opened_at < first.at < second.at
    assert first.thread == second.thread


async def test_a_private_incident_keeps_its_words(room: PageRoom) -> None:
    await room.declare("Secret title", private=True)
    await room.call("ben", why="secret reason")
    for _ in range(2):
        await room.look()
    await room.drain()
    assert room.fake.told
    for notice, _, _ in room.fake.told:
        assert "ecret" not in notice.subject + notice.text


async def test_who_may_say_that_they_have_it(room: PageRoom) -> None:
    """Responders, and who was paged."""
    await room.declare()
    await room.call("cem")
    for _ in range(2):
        await room.look()
    cem, dora = (room.catalog.person(p) for p in ("cem", "dora"))
    assert cem is not None
    assert dora is not None
    async with room.store.read() as session:
        await room.paging.may_acknowledge(session, 1, cem)
        await room.paging.may_acknowledge(session, 1, dora)
        with pytest.raises(NotAllowed):
            await room.paging.may_acknowledge(session, 2, cem)


@pytest.mark.slow
async def test_a_storm_is_paced_for_each_address(room: PageRoom) -> None:
    """One address gets its share of a minute; another does not wait for that."""
    notifiers = [CATALOG["notifiers"][0] | {"per_minute": 2}, *CATALOG["notifiers"][1:]]
    levels = [{"who": ["ben"]}]
    room.enter(notifiers=notifiers, escalations=[{"id": "e", "levels": levels}])
    for number in range(4):
        await room.declare(f"storm {number}")
    await room.call("cem", at=1)
    for _ in range(2):
        await room.look()
    with pytest.raises(TimeoutError):
        await room.drain(2)
    assert sorted(to for _, to, _ in room.fake.told) == ["+49302", "+49302", "+49303"]

"""The life of an incident: each change with its row, its message, and its refusals."""

import asyncio

import pytest
from sqlalchemy import func
from sqlmodel import col, select

from bot.delivery import Delivery, Message
from bot.errors import BadInput, Conflict, NotFound
from bot.incidents import Incident
from bot.incidents.flow import NOTE_LIMIT
from bot.store import Store
from tests.incidents.conftest import Room


async def count(room: Room, table: type) -> int:
    async with room.store.read() as session:
        return int((await session.execute(select(func.count(col(table.id))))).scalar_one())


async def test_declared(room: Room) -> None:
    """The incident, its row, and all that its channel needs, in one commit."""
    before = room.store.version
    incident = await room.declare(services=["shop"])
    assert room.store.version == before + 1
    assert (incident.number, incident.status, incident.commander) == (1, "declared", "")
    (row,) = await room.rows()
    assert (row.kind, row.actor) == ("incident_declared", "person:ben")
    async with room.store.read() as session:
        asked = (await session.execute(select(Delivery).order_by(col(Delivery.id)))).scalars().all()
    assert [d.op for d in asked] == ["open_channel", "say", "topic", "pin", "invite", "digest"]
    assert asked[0].payload["name"] == "inc-1-search-is-slow"
    assert asked[4].payload["people"] == ["ana", "ben"]  # who owns the service, and who declared


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"title": " "}, "needs a title"),
        ({"severity": "sev9"}, "no severity 'sev9'"),
        ({"services": ["shopp"]}, "no service 'shopp'. Known: shop"),
    ],
)
async def test_declared_wrongly(room: Room, wrong: dict[str, str], says: str) -> None:
    """Refused before anything is written."""
    with pytest.raises(BadInput, match=says):
        await room.declare(**wrong)
    assert (await count(room, Incident), await count(room, Message)) == (0, 0)


async def test_the_same_cause_declares_once(room: Room) -> None:
    """A repeat returns the incident as it is, whatever it says now."""
    await room.declare("key")
    await room.do("set_severity", "sev1", "person:ana")
    again = await room.declare("key", title="Another title", severity="sev4")
    assert (again.number, again.title, again.severity) == (1, "Search is slow", "sev1")
    assert (await room.kinds()).count("incident_declared") == 1


async def test_the_same_cause_in_parallel(room: Room, store: Store) -> None:
    """Twenty deliveries of one click, at several replicas at once: one incident, no error."""
    rooms = [Room(store) for _ in range(20)]
    found = await asyncio.gather(*(each.declare("key") for each in rooms))
    assert {incident.number for incident in found} == {1}
    assert await room.kinds() == ["incident_declared"]


async def test_numbers_are_unique_and_without_gaps(room: Room, store: Store) -> None:
    """Many causes at once, each twice: 1 to 15."""
    causes = [f"cause {n}" for n in range(15)] * 2
    found = await asyncio.gather(*(Room(store).declare(cause) for cause in causes))
    assert sorted({incident.number for incident in found}) == list(range(1, 16))
    assert await count(room, Incident) == 15


async def test_a_group_has_one_open_incident(room: Room) -> None:
    await room.declare(open_key="service:shop")
    async with room.store.write() as session:
        assert [i.open_key for i in await room.incidents.active(session)] == ["service:shop"]
    await room.do("set_status", "cancelled", "person:ana")
    async with room.store.write() as session:
        assert await room.incidents.active(session) == []


async def test_resolved_reopened_closed(room: Room) -> None:
    """The time of resolving comes, goes with reopening, and comes again."""
    await room.declare(open_key="service:shop")
    resolved = await room.do("set_status", "resolved", "person:ana")
    assert resolved.resolved_at is not None
    assert resolved.open_key is None
    reopened = await room.do("set_status", "investigating", "person:ana")
    assert (reopened.resolved_at, reopened.open_key) == (None, "service:shop")
    again = await room.do("set_status", "resolved", "person:ana")
    assert again.resolved_at is not None
    assert again.resolved_at > resolved.declared_at
    closed = await room.do("set_status", "closed", "person:ana")
    assert closed.resolved_at == again.resolved_at
    with pytest.raises(Conflict, match="nothing: it has ended"):
        await room.do("set_status", "investigating", "person:ana")
    changes = [row.data for row in await room.rows() if row.kind == "status_changed"]
    assert [c["to"] for c in changes] == ["resolved", "investigating", "resolved", "closed"]


async def test_a_refused_change_leaves_no_trace(room: Room) -> None:
    await room.declare()
    before = (await count(room, Message), await count(room, Delivery))
    with pytest.raises(Conflict):
        await room.do("set_status", "closed", "person:ana")
    assert (await room.now()).status == "declared"
    assert (await count(room, Message), await count(room, Delivery)) == before
    assert await room.kinds() == ["incident_declared"]


async def test_the_same_change_by_two_at_once(room: Room, store: Store) -> None:
    """Ten people resolve it in the same moment: one does, the others are told."""
    await room.declare()
    got = await asyncio.gather(
        *(Room(store).do("set_status", "resolved", f"person:{n}") for n in range(10)),
        return_exceptions=True,
    )
    assert sum(isinstance(each, Incident) for each in got) == 1
    assert {str(each) for each in got if isinstance(each, Exception)} == {
        "The incident is already resolved."
    }
    assert (await room.kinds()).count("status_changed") == 1


async def test_severity(room: Room) -> None:
    """Up and down, as people write it; the same again is nothing; nonsense is refused."""
    await room.declare()
    for word in ("SEV-1", "1", "sev4"):
        await room.do("set_severity", word, "person:ana")
    with pytest.raises(BadInput, match="Use sev1, sev2, sev3 or sev4"):
        await room.do("set_severity", "urgent", "person:ana")
    changes = [row.data for row in await room.rows() if row.kind == "severity_changed"]
    assert changes == [{"from": "sev2", "to": "sev1"}, {"from": "sev1", "to": "sev4"}]


async def test_command(room: Room) -> None:
    """Who takes command has it by name, and the work has begun; again is nothing."""
    await room.declare()
    for person in ("ana", "ana", "ben"):
        incident = await room.do("take_command", person)
    assert (incident.commander, incident.status) == ("ben", "investigating")
    said = [row.text for row in await room.rows() if row.kind == "commander_assigned"]
    assert said == ["Ana is incident commander", "Ben is incident commander"]
    assert (await room.kinds()).count("status_changed") == 1


async def test_a_note_delivered_twice_is_one_note(room: Room) -> None:
    await room.declare()
    for _ in range(2):
        await room.do("note", " DNS is fine ", "person:ana", key="k1", origin="slack")
    await room.do("note", "DNS is fine", "person:ana", key="k2")
    notes = [row for row in await room.rows() if row.kind == "note_added"]
    assert [(n.text, n.data["surface"]) for n in notes] == [
        ("DNS is fine", "slack"), ("DNS is fine", "console"),
    ]  # fmt: skip


async def test_a_note_with_what_no_database_keeps(room: Room) -> None:
    """A log that was pasted, with a NUL and half of a pair in it: noted, on PostgreSQL as well."""
    await room.declare()
    await room.do("note", "core\0dump \ud800", "person:ana", key="k")
    assert [row.text for row in await room.rows()][1:] == ["core\ufffddump ?"]


@pytest.mark.parametrize("text", ["", "  \n", "x" * (NOTE_LIMIT + 1)])
async def test_a_note_that_is_none(room: Room, text: str) -> None:
    await room.declare()
    with pytest.raises(BadInput, match="note"):
        await room.do("note", text, "person:ana", key="k")
    assert await room.kinds() == ["incident_declared"]


async def test_an_incident_that_does_not_exist(room: Room) -> None:
    with pytest.raises(NotFound, match=r"no incident 7\. /incident list shows all"):
        await room.do("set_status", "resolved", "person:ana", number=7)


async def test_the_list_shows_what_is_active(room: Room) -> None:
    """Newest first; with everything, what is over too."""
    for n in range(3):
        await room.declare(f"{n}")
    await room.do("set_status", "resolved", "person:ana", number=2)
    async with room.store.read() as session:
        active = await room.incidents.listed(session)
        everything = await room.incidents.listed(session, everything=True)
    assert [i.number for i in active] == [3, 1]
    assert [i.number for i in everything] == [3, 2, 1]

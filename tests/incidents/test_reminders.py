"""Reminders over each database: once, whoever is first, through restarts, and silent when done."""

import asyncio
from datetime import datetime, timedelta

import pytest
from sqlalchemy import update as change
from sqlmodel import col, select

from bot.catalog import Person
from bot.delivery import Delivery, Message
from bot.incidents import Incident
from bot.incidents.channels import Archiver
from bot.incidents.due import ALL, OpenTask
from bot.incidents.due_tables import Reminder
from bot.incidents.reminders import Reminders
from bot.incidents.tasks import Tasks, due_tasks
from bot.store import Store, now
from bot.timeline import Timeline
from tests.incidents.conftest import Room

M = timedelta(minutes=1)
RESPONDER = Person(id="ben", name="Ben", roles=["responder"])
ANA = Person(id="ana", name="Ana")


async def age(room: Room, by: timedelta, number: int = 1) -> None:
    """All of an incident happened so much earlier; its chain is not looked at in these tests."""
    async with room.store.write() as session:
        incident = await room.incidents.get(session, number)
        incident.declared_at -= by
        rows = await session.execute(select(Timeline).where(Timeline.incident_id == number))
        for row in rows.scalars():
            row.at -= by
        for each in (await session.execute(select(Reminder))).scalars():
            each.sent_at = each.sent_at - by if each.sent_at else None
            each.snoozed_until = each.snoozed_until - by if each.snoozed_until else None


async def delivered(room: Room, state: str = "sent", error: str = "") -> None:
    async with room.store.write() as session:
        await session.execute(change(Delivery).values(state=state, error=error))


async def said(room: Room) -> list[tuple[str, bool]]:
    """The reminders: what, and whether they still ask."""
    query = select(Message).where(Message.kind == "reminder").order_by(col(Message.id))
    async with room.store.read() as session:
        found = (await session.execute(query)).scalars()
        return [(m.payload["what"], not m.payload.get("settled")) for m in found]


async def alerted(room: Room, origin: str = "o") -> Incident:
    """Declared by an alert, so that nobody is there yet."""
    return await room.declare(origin, actor="source:alertmanager")


async def test_any_number_of_replicas_remind_once(room: Room, store: Store) -> None:
    await alerted(room)
    await age(room, 11 * M)
    replicas = [Reminders(store, Room(store).incidents) for _ in range(8)]
    await asyncio.gather(*(each.look() for each in replicas))
    assert await said(room) == [("acknowledge", True)]


async def test_a_restart_forgets_nothing(room: Room) -> None:
    """Another process goes on where the first one died: the next time, and no earlier."""
    await alerted(room)
    await age(room, 11 * M)
    for _ in range(3):
        await Reminders(room.store, room.incidents).look()
    await delivered(room)
    assert len(await said(room)) == 1
    await age(room, 10 * M)
    await Reminders(room.store, room.incidents).look()
    assert await said(room) == [("acknowledge", False), ("acknowledge", True)]


async def test_what_is_done_is_not_asked_for(room: Room) -> None:
    """The buttons go, and the next question is asked in its time."""
    await alerted(room)
    await age(room, 11 * M)
    reminders = Reminders(room.store, room.incidents)
    await reminders.look()
    async with room.store.write() as session:
        incident = await room.incidents.get(session, 1)
        await reminders.snoozing.acknowledge(session, incident, "person:ben")
    async with room.store.read() as session:
        kinds = (await session.execute(select(Timeline.kind).order_by(col(Timeline.seq)))).scalars()
        assert list(kinds)[-1] == "incident_acknowledged"
    await reminders.look()
    assert await said(room) == [("acknowledge", False)]
    await age(room, 10 * M)
    await reminders.look()
    assert await said(room) == [("acknowledge", False), ("commander", True)]


@pytest.mark.parametrize("status", ["cancelled", "resolved"])
async def test_an_incident_that_ended_is_silent(room: Room, status: str) -> None:
    """What was asked is struck out, and nothing follows, however long nobody closes it."""
    await alerted(room)
    await age(room, 11 * M)
    reminders = Reminders(room.store, room.incidents)
    await reminders.look()
    await room.do("set_status", status, "person:ana")
    await delivered(room)
    await age(room, timedelta(days=1))
    for _ in range(2):
        await reminders.look()
    assert await said(room) == [("acknowledge", False)]


async def test_a_channel_that_is_gone_hears_nothing_more(room: Room) -> None:
    await alerted(room)
    await delivered(room, "failed", "Slack refused chat.postMessage: is_archived.")
    await age(room, 11 * M)
    reminders = Reminders(room.store, room.incidents)
    for _ in range(3):
        await reminders.look()
        await age(room, 15 * M)
    assert await said(room) == []
    async with room.store.read() as session:  # counted: when it is open again, only what comes next
        assert (await session.get_one(Reminder, (1, "acknowledge"))).sent == 3


async def test_while_slack_is_down_reminders_do_not_pile_up(room: Room) -> None:
    """The one that waits says what is true when it goes out."""
    await alerted(room)
    reminders = Reminders(room.store, room.incidents)
    for _ in range(5):
        await age(room, 15 * M)
        await reminders.look()
    found = await said(room)
    assert [what for what, _ in found].count("acknowledge") == 1
    assert len(found) == len({what for what, _ in found})


async def test_put_off_and_stopped(room: Room) -> None:
    """Each with its row; the others go on; what was put off comes again."""
    await alerted(room)
    await age(room, 11 * M)
    reminders = Reminders(room.store, room.incidents)
    snoozing = reminders.snoozing
    await reminders.look()
    await delivered(room)
    async with room.store.write() as session:
        incident = await room.incidents.get(session, 1)
        await snoozing.snooze(session, incident, "acknowledge", now() + 15 * M, "source:x")
    await age(room, 14 * M)
    await reminders.look()
    assert len(await said(room)) == 1
    await age(room, 2 * M)
    await reminders.look()
    assert await said(room) == [("acknowledge", False), ("acknowledge", True)]
    async with room.store.write() as session:
        incident = await room.incidents.get(session, 1)
        for _ in range(2):
            await snoozing.stop(session, incident, "acknowledge", "source:x")
        await snoozing.snooze(session, incident, ALL, now() + 15 * M, "source:x")
    await delivered(room)
    await age(room, 13 * M)
    await reminders.look()
    assert await said(room) == [("acknowledge", False), ("acknowledge", False)]
    async with room.store.read() as session:
        rows = await session.execute(
            select(Timeline.text).where(col(Timeline.kind).startswith("reminder"))
        )
        texts = list(rows.scalars())
    assert len(texts) == 3
    assert texts[1] == "No further reminders: nobody has taken it up"


async def test_an_overdue_update_is_seen_in_the_digest(room: Room) -> None:
    """Its line is drawn anew when the time has passed."""
    await room.declare()
    await delivered(room)
    await age(room, 61 * M)
    await Reminders(room.store, room.incidents).look()
    query = select(Delivery.op).where(Delivery.state == "pending")
    async with room.store.read() as session:
        assert "digest" in (await session.execute(query)).scalars().all()


async def test_tasks_of_whoever_keeps_them(room: Room) -> None:
    """By a query: of the tasks of all incidents, those that are late."""
    await room.declare()

    async def tasks(_session: object) -> list[OpenTask]:
        return [
            OpenTask(1, 3, "Drain eu-1", "ana", now() - M),
            OpenTask(1, 4, "Later", "ana", datetime.max.replace(tzinfo=now().tzinfo, year=2099)),
        ]

    await Reminders(room.store, room.incidents, tasks).look()
    assert await said(room) == [("task:3", True)]


async def given(
    room: Room, text: str, *, after: bool = False, number: int = 1, late: bool = True
) -> None:
    """A task of Ana's, a minute late or due far ahead."""
    async with room.store.write() as session:
        incident = await room.incidents.get(session, number)
        at = now() - M if late else now() + 900 * M
        await Tasks(room.incidents).add(
            session, incident, text, RESPONDER, owner=ANA, due_at=at, after=after, origin=text
        )


async def test_unfinished_tasks_while_it_goes_on_and_follow_ups_after_it(room: Room) -> None:
    """To their owners, with the button that finishes them; done, it asks for nothing any more."""
    await room.declare()
    await given(room, "Drain eu-1")
    await given(room, "Later", late=False)
    await given(room, "Buy a spare", after=True)
    reminders = Reminders(room.store, room.incidents, due_tasks)
    await reminders.look()
    assert await said(room) == [("task:1", True)]
    async with room.store.read() as session:
        query = select(Message).where(Message.kind == "reminder")
        payload = (await session.execute(query)).scalar_one().payload
    assert payload["text"].endswith("and not done: task 1, Drain eu-1")
    assert (payload["to"], payload["button"]) == (["ana"], ["Done", "task_done", "1|1"])
    async with room.store.write() as session:
        incident = await room.incidents.get(session, 1)
        await Tasks(room.incidents).put(session, incident, 1, "done", RESPONDER)
    await reminders.look()
    assert await said(room) == [("task:1", False)]
    await room.do("set_status", "resolved", "person:ben")
    await reminders.look()
    assert await said(room) == [("task:1", False), ("follow_up:3", True)]


async def test_tasks_of_what_was_merged_are_reminded_of_where_it_goes_on(room: Room) -> None:
    """Through any number of merges; the button names the task where it was given."""
    for origin in ("one", "two", "three"):
        await room.declare(origin)
    await given(room, "Drain eu-1", number=3)
    async with room.store.write() as session:
        for inner, outer in ((3, 2), (2, 1)):
            incident = await room.incidents.get(session, inner)
            incident.status, incident.merged_into = "merged", outer
    async with room.store.read() as session:
        (task,) = await due_tasks(session)
    assert (task.incident_id, task.button) == (1, ("Done", "task_done", "3|1"))


async def test_a_channel_is_not_archived_before_its_follow_up_was_reminded_of(room: Room) -> None:
    await room.declare()
    await given(room, "Buy a spare", after=True, late=False)
    for status in ("resolved", "closed"):
        await room.do("set_status", status, "person:ben")
    archiver = Archiver(room.store, room.incidents, timedelta(microseconds=1))
    await archiver.look()
    assert (await room.now()).archived_at is None
    async with room.store.write() as session:
        incident = await room.incidents.get(session, 1)
        await Tasks(room.incidents).put(session, incident, 1, "done", RESPONDER)
    await archiver.look()
    assert (await room.now()).archived_at is not None

"""Action items at a tracker over each database: filed once whatever crashes, followed until done."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update
from sqlmodel import select

from bot.access import Dialer
from bot.catalog import Catalog, Person, load_catalog
from bot.chat.outside import TicketSurface, TicketWatch, Trackers
from bot.contract import Filed, Ticket
from bot.delivery import Delivery, DeliveryWorker, Message, Outbox
from bot.errors import BadInput, Rejected, Retryable, Unknown
from bot.incidents import Incident, Incidents, Task
from bot.postmortems import Postmortems
from bot.postmortems.editing.actions import Item
from bot.postmortems.editing.followups import FollowUps, actions_of, ticket_of
from bot.postmortems.editing.papers import Papers
from bot.postmortems.editing.tables import ActionItem
from bot.registry import Registry, check_trackers, load
from bot.store import Store, now
from bot.timeline import Ledger, rows_of
from tests.delivery.conftest import stop

ANA = Person(id="ana", name="Ana", roles=["responder"])
KNOWN = Catalog.model_validate({
    "people": [ANA.model_dump()],
    "services": [{"id": s, "title": s, "tier": "p0"} for s in ("pay", "web")],
    "targets": [{"name": "fake/t", "url": "https://127.0.0.1:9"}],
    "trackers": [
        {"id": "all", "integration": "fake", "target": "fake/t"},
        {"id": "pays", "title": "Pay's", "integration": "fake", "target": "fake/t", "services": ["pay"],
         "about": {"project": "PAY"}},
    ],
})  # fmt: skip
ITEM = Item(0, "Alert before it ends", "detect", "ana", "2027-01-31", "it fired in a test", "row 2")


@dataclass
class FakeTracker:
    """A tracker under the test's control."""

    had: list[Ticket] = field(default_factory=list)
    not_sought: Rejected | None = None
    errors: list[Exception] = field(default_factory=list)  # raised instead, one a time
    keeps: bool = False  # takes it before it raises
    lag: timedelta = timedelta()  # until it shows what it has
    taken_at: datetime = field(default_factory=now)
    now_is: Filed | Exception | None = None
    asked: int = 0

    async def create(self, ticket: Ticket, connection: Any) -> Filed:
        if not self.errors or self.keeps:
            self.had.append(ticket)
            self.taken_at = now()
        if self.errors:
            raise self.errors.pop(0)
        return Filed(reference="T-1", url="https://t.test/1", state="open")

    async def sought(self, ticket: Ticket, connection: Any) -> Filed | None:
        if self.not_sought:
            raise self.not_sought
        shown = now() - self.taken_at >= self.lag
        known = [each for each in self.had if each.marker == ticket.marker and shown]
        if not known and now() - ticket.sent_at < self.lag:
            raise Retryable("it may not show it yet", retry_after=0.1)
        return Filed(reference="T-1", url="https://t.test/1", state="open") if known else None

    async def state(self, reference: str, about: Any, connection: Any) -> Filed | None:
        self.asked += 1
        if isinstance(self.now_is, Exception):
            raise self.now_is
        return self.now_is


class Room:
    def __init__(self, store: Store, folder: Path) -> None:
        self.store = store
        self.tracker = FakeTracker()
        self.registry: Registry = load()
        self.registry.tickets["fake"] = self.tracker
        self.ledger = Ledger(b"audit")
        self.incidents = Incidents(self.ledger, Outbox(()), lambda: KNOWN)
        self.trackers = Trackers(self.incidents, self.registry, Dialer(lambda: KNOWN))
        self.watch = TicketWatch(store, self.trackers)
        self.drafts = Postmortems(store, self.ledger, lambda: KNOWN, folder)

    async def drafted(self, **more: Any) -> None:
        async with self.store.write() as session:
            given = {
                "title": "Dark",
                "severity": "sev1",
                "actor": "person:ana",
                "origin": "o",
                "services": ["pay"],
            }
            made = await self.incidents.declare(session, **(given | more))
            await self.incidents.set_status(session, made, "resolved", "person:ana")
        assert await self.drafts.draft_next()

    async def add(self, item: Item = ITEM) -> ActionItem:
        async with self.store.write() as session:
            incident = await self.incidents.get(session, 1)
            return await FollowUps(Papers(self.incidents)).add(session, incident, item, ANA)

    async def action(self) -> ActionItem:
        async with self.store.read() as session:
            return (await actions_of(session, 1))[0]

    async def until(self, state: str) -> None:
        """Workers of two processes, until all deliveries are so."""
        surfaces = [TicketSurface(self.store, self.trackers, "https://j.test/") for _ in range(2)]
        workers = [DeliveryWorker(self.store, s, str(n)) for n, s in enumerate(surfaces)]
        tasks = [asyncio.create_task(worker.run()) for worker in workers]
        query = select(Delivery.state).where(Delivery.surface == "tickets")
        try:
            async with asyncio.timeout(30):
                while True:
                    async with self.store.read() as session:
                        states = (await session.execute(query)).scalars().all()
                    if states and set(states) == {state}:
                        return
                    await asyncio.sleep(0.02)
        finally:
            await stop(*tasks)

    async def due(self) -> None:
        """The ticket may be read again."""
        async with self.store.write() as session:
            await session.execute(update(ActionItem).values(next_at=now() - timedelta(seconds=1)))

    async def kinds(self) -> list[str]:
        async with self.store.read() as session:
            assert await self.ledger.verify(session) == []
            return [
                r.kind for r in await rows_of(session, 1) if r.kind.startswith(("ticket", "task"))
            ]

    async def said(self) -> list[str]:
        query = select(Message).where(Message.kind == "line")
        async with self.store.read() as session:
            found = [str(m.payload["text"]) for m in (await session.execute(query)).scalars()]
            return [text for text in found if "ollow-up" in text]

    async def task(self) -> Task:
        async with self.store.read() as session:
            return (await session.execute(select(Task))).scalar_one()


@pytest.fixture
async def room(store: Store, tmp_path: Path) -> Room:
    made = Room(store, tmp_path)
    await made.drafted()
    return made


async def test_from_action_item_to_done(room: Room) -> None:
    """Filed with all that the table says, read while it is open, and its end is the follow-up's."""
    await room.add()
    await room.until("sent")
    (ticket,) = room.tracker.had
    assert (ticket.title, ticket.about, str(ticket.due)) == (
        ITEM.text,
        {"project": "PAY"},
        "2027-01-31",
    )
    for words in (
        "Type: detect",
        "Done when: it fired in a test",
        "https://j.test/incidents/1/postmortem",
    ):
        assert words in ticket.text
    assert await room.said() == ["Follow-up 1 is ticket T-1 of Pay's https://t.test/1"]
    assert not await room.watch.look()  # it was just filed
    room.tracker.now_is = Filed(reference="T-1", state="in progress")
    await room.due()
    assert [await room.watch.look(), await room.watch.look()] == [True, False]
    assert ((await room.action()).seen, (await room.task()).state) == ("in progress", "open")
    room.tracker.now_is = Filed(reference="T-1", state="Shipped", done=True)
    await room.due()
    looks = await asyncio.gather(*(TicketWatch(room.store, room.trackers).look() for _ in range(4)))
    assert sum(looks) == 1
    task = await room.task()
    assert (task.state, task.ended_by) == ("done", "jackline")
    assert await room.kinds() == ["task_added", "ticket_filed", "ticket_done", "task_done"]
    await room.due()
    assert not await room.watch.look()


@pytest.mark.slow
@pytest.mark.parametrize("keeps", [True, False])
async def test_a_lost_answer_files_it_once(room: Room, keeps: bool) -> None:
    """Unknown: the tracker is asked for the marker before anything is filed again."""
    room.tracker.errors, room.tracker.keeps = [Unknown("no answer")], keeps
    await room.add()
    await room.until("sent")
    assert len(room.tracker.had) == 1
    assert (await room.action()).reference == "T-1"
    assert await room.kinds() == ["task_added", "ticket_late", "ticket_filed"]


async def test_a_search_that_lags_after_a_long_outage(room: Room) -> None:
    """It was wanted an hour ago and got there just now: not shown yet is not "not there"."""
    room.tracker.errors, room.tracker.keeps = [Unknown("no answer")], True
    room.tracker.lag = timedelta(seconds=3)
    await room.add()
    async with room.store.write() as session:
        await session.execute(update(ActionItem).values(at=now() - timedelta(hours=1)))
    await room.until("sent")
    assert len(room.tracker.had) == 1
    assert (await room.action()).reference == "T-1"


async def test_a_crash_after_it_was_filed(room: Room) -> None:
    """It was taken and nobody recorded it: found by its marker when the lease is over."""
    await room.add()
    action = await room.action()
    async with room.store.write() as session:
        surface = TicketSurface(room.store, room.trackers, "")
        worker = DeliveryWorker(room.store, surface, "dead")
        ((job, _),) = await worker.take(session)
    async with room.store.read() as session:
        incident = await session.get_one(Incident, 1)
    entry = room.trackers.entry(action)
    await room.tracker.create(ticket_of(incident, action, entry, ""), None)
    async with room.store.write() as session:
        await session.execute(update(Delivery).values(lease_until=now() - timedelta(seconds=1)))
    await room.until("sent")
    assert len(room.tracker.had) == 1
    assert (await room.action()).ticket == "filed"
    assert job.op == "file"


async def test_what_a_tracker_refuses_is_said(room: Room) -> None:
    """Loudly and once; the follow-up stays."""
    room.tracker.errors = [Retryable("busy", retry_after=0.01), Rejected("Team is required")]
    await room.add()
    await room.until("failed")
    assert (await room.action()).ticket == "refused"
    assert [text[:2] for text in await room.said()] == ["⚠️", "⚠️"]
    assert "Team is required" in (await room.said())[-1]
    assert (await room.task()).state == "open"


async def test_what_is_private_by_now_becomes_no_ticket(room: Room) -> None:
    """The tracker was away when it was taken up; by the time it is back, the incident is for few."""
    await room.add()
    async with room.store.write() as session:
        (await room.incidents.get(session, 1)).private = True
    await room.until("failed")
    assert (room.tracker.had, (await room.action()).ticket) == ([], "refused")
    assert (await room.task()).state == "open"


async def test_what_cannot_be_looked_up_is_said(room: Room) -> None:
    """After a lost answer: nobody knows whether it is there, and a person must look."""
    room.tracker.errors = [Unknown("no answer")]
    room.tracker.not_sought = Rejected("it must be looked up by hand")
    await room.add()
    await room.until("failed")
    assert (await room.action()).ticket == "refused"
    assert "looked up by hand" in (await room.said())[-1]


async def test_a_ticket_that_is_gone_or_cannot_be_read(room: Room) -> None:
    """What cannot be read is read again later; what was deleted is said; neither is done."""
    await room.add()
    await room.until("sent")
    room.tracker.now_is = Rejected("no rights")
    await room.due()
    assert await room.watch.look()
    assert ((await room.action()).ticket, (await room.action()).error) == ("filed", "no rights")
    room.tracker.now_is = None
    await room.due()
    assert await room.watch.look()
    action = await room.action()
    assert (action.ticket, action.error, (await room.task()).state) == ("gone", "", "open")
    assert "ticket_gone" in await room.kinds()


@pytest.mark.parametrize("more", [{"private": True}, {"drill": True}])
async def test_what_is_for_few_becomes_no_ticket(store: Store, tmp_path: Path, more: Any) -> None:
    """A private incident's action items and a drill's are follow-ups alone."""
    room = Room(store, tmp_path)
    await room.drafted(**more)
    await room.add()
    assert ((await room.action()).ticket, (await room.task()).after) == ("", True)
    async with store.read() as session:
        found = select(Delivery).where(Delivery.surface == "tickets")
        assert (await session.execute(found)).first() is None


def test_a_wrong_tracker_is_found_when_the_catalog_is_read(tmp_path: Path) -> None:
    """The file and the line; the nearest integration; what it must be told and what it does not know."""
    for given, said in (
        ("integration: githbu", "keeps tickets; did you mean 'github'"),
        ("integration: github", "repository is missing"),
        (
            "integration: jira, about: {project: A, issuetype: B}",
            "knows no 'issuetype'; did you mean 'issue_type'",
        ),
    ):
        (tmp_path / "all.yaml").write_text(
            "targets: [{name: a/b, url: 'http://x'}]\n"
            f"trackers: [{{id: t, target: a/b, {given}}}]\n"
        )
        with pytest.raises(BadInput) as refused:
            check_trackers(tmp_path, load_catalog(tmp_path), load())
        assert said in str(refused.value)
        assert "all.yaml:2" in str(refused.value)

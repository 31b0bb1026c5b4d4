"""Updates for customers over each database: as previewed, in order, once, and read back."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update
from sqlmodel import col, select

from bot.access import Dialer
from bot.catalog import Catalog, Person, load_catalog
from bot.chat.outside import StatusSurface
from bot.contract import Connection, Published, StatusUpdate
from bot.delivery import Delivery, DeliveryWorker, Message, Outbox
from bot.errors import AuthFailed, BadInput, Conflict, NotAllowed, NotFound, Rejected, Unknown
from bot.incidents import Incidents
from bot.incidents.merging import Brought, Merging
from bot.incidents.publishing import Draft, Publication, StatusPages
from bot.incidents.updates import Updates
from bot.registry import Registry, check_status_pages, load
from bot.store import Store, now
from bot.timeline import Entry, Ledger, rows_of
from tests.delivery.conftest import stop
from tests.servers.git_http import git_server

ANA = Person(id="ana", name="Ana", roles=["commander"])
BEN = Person(id="ben", name="Ben", roles=["responder"])
CATALOG: dict[str, Any] = {
    "people": [ANA.model_dump(), BEN.model_dump()],
    "services": [{"id": s, "title": s, "tier": "p0"} for s in ("pay", "web", "inner")],
    "targets": [{"name": "fake/page", "url": "https://127.0.0.1:9"}],
    "status_pages": [{"id": "public", "title": "status.x.org", "integration": "fake", "target": "fake/page",
                      "components": {"pay": "Payments API", "web": "Website"}}],
}  # fmt: skip


@dataclass
class FakePage:
    """A page under the test's control."""

    had: list[tuple[StatusUpdate, str]] = field(default_factory=list)
    errors: list[Exception] = field(default_factory=list)  # raised instead, one a time
    keeps: bool = False  # takes it before it raises
    state: str = ""
    not_found: Rejected | None = None

    async def publish(self, update: StatusUpdate, reference: str, connection: Connection) -> Published:  # fmt: skip
        if not self.errors or self.keeps:
            self.had.append((update, reference))
        if self.errors:
            raise self.errors.pop(0)
        return Published(reference="ref1", url="https://status.x.org/1", state=update.status)

    async def find(self, update: StatusUpdate, reference: str, connection: Connection) -> Published | None:  # fmt: skip
        if self.not_found:
            raise self.not_found
        known = [each for each, _ in self.had if each.id == update.id]
        return Published(reference="ref1", state=update.status) if known else None

    async def read(self, reference: str, connection: Connection) -> Published | None:
        return Published(reference=reference, state=self.state) if self.state else None


class Room:
    def __init__(self, store: Store) -> None:
        self.store = store
        self.page = FakePage()
        self.registry: Registry = load()
        self.registry.status_pages["fake"] = self.page
        self.catalog = Catalog.model_validate(CATALOG)
        self.ledger = Ledger(b"audit")
        self.incidents = Incidents(self.ledger, Outbox(()), lambda: self.catalog)
        self.pages = StatusPages(self.incidents)

    async def declare(self, **more: Any) -> int:
        given: dict[str, Any] = {"title": "db-3 is on fire", "severity": "sev1", "actor": "person:ana",
                 "origin": "o", "services": ["pay", "inner"]}  # fmt: skip
        async with self.store.write() as session:
            return (await self.incidents.declare(session, **(given | more))).number

    async def preview(self, text: str = "We look into it.", page: str = "public", **more: Any) -> Draft:  # fmt: skip
        async with self.store.write() as session:
            incident = await self.incidents.get(session, 1)
            return await self.pages.preview(session, incident, page, text, **more)

    async def publish(self, draft: Draft, key: str, person: Person = ANA) -> Publication:
        async with self.store.write() as session:
            incident = await self.incidents.get(session, 1)
            return await self.pages.publish(session, incident, draft, person, key)

    async def told(self) -> list[Publication]:
        async with self.store.read() as session:
            return await self.pages.told(session, 1)

    def worker(self, owner: str = "first") -> DeliveryWorker:
        dialer = Dialer(lambda: self.catalog)
        surface = StatusSurface(self.store, self.incidents, self.registry, dialer)
        return DeliveryWorker(self.store, surface, owner)

    async def until(self, state: str, op: str = "publish", limit: float = 30) -> None:
        """Workers of two processes, until all of these deliveries are so."""
        tasks = [asyncio.create_task(self.worker(str(n)).run()) for n in range(2)]
        query = select(Delivery.state).where(Delivery.surface == "status", Delivery.op == op)
        try:
            async with asyncio.timeout(limit):
                while True:
                    async with self.store.read() as session:
                        states = (await session.execute(query)).scalars().all()
                    if states and set(states) == {state}:
                        return
                    await asyncio.sleep(0.02)
        finally:
            await stop(*tasks)

    async def hurry(self) -> None:
        """What waits for its time may go now."""
        ours = (Delivery.surface == "status", Delivery.state == "pending")
        async with self.store.write() as session:
            await session.execute(update(Delivery).where(*ours).values(next_at=now()))

    async def rows(self) -> list[Entry]:
        async with self.store.read() as session:
            assert await self.ledger.verify(session) == []
            wanted = ("customers", "status_page")
            return [r for r in await rows_of(session, 1) if r.kind.startswith(wanted)]

    async def said(self) -> list[str]:
        query = select(Message).where(Message.kind == "line").order_by(col(Message.id))
        async with self.store.read() as session:
            return [str(m.payload["text"]) for m in (await session.execute(query)).scalars()]


@pytest.fixture
async def room(store: Store) -> AsyncIterator[Room]:
    made = Room(store)
    await made.declare()
    return made


async def test_as_previewed_from_its_opening_to_its_end(room: Room) -> None:
    """The same incident there, each update once; at the end all that was told is operational."""
    draft = await room.preview(title="Card payments fail")
    assert (draft.status, dict(draft.components)) == (
        "investigating", {"Payments API": "major_outage"},
    )  # fmt: skip
    for _ in range(2):
        await room.publish(draft, "k1")
    second = await room.preview("Found it.", status="identified", health={"web": "partial_outage"})
    assert second.title == "Card payments fail"
    await room.publish(second, "k2")
    await room.until("sent")
    async with room.store.write() as session:
        incident = await room.incidents.get(session, 1)
        await room.incidents.set_status(session, incident, "resolved", "person:ana")
    last = await room.preview("All is well.")
    assert last.status == "resolved"
    assert dict(last.components) == {"Payments API": "operational", "Website": "operational"}
    await room.publish(last, "k3")
    await room.until("sent")
    had = [(u.text, u.status, reference) for u, reference in room.page.had]
    assert had == [
        ("We look into it.", "investigating", ""), ("Found it.", "identified", "ref1"),
        ("All is well.", "resolved", "ref1"),
    ]  # fmt: skip
    assert len({u.thread for u, _ in room.page.had}) == 1
    assert "db-3" not in str(room.page.had)
    assert [(p.state, p.seen) for p in await room.told()] == [
        ("published", "investigating"), ("published", "identified"), ("published", "resolved"),
    ]  # fmt: skip
    kinds = [row.kind for row in await room.rows()]
    assert kinds.count("customers_informed") == kinds.count("customers_update_published") == 3


@pytest.mark.slow
async def test_a_lost_answer_is_looked_for(room: Room) -> None:
    """The page has it: it is not told twice."""
    await room.publish(await room.preview(title="t"), "k")
    room.page.errors, room.page.keeps = [Unknown("no answer")], True
    await room.until("sent")
    assert len(room.page.had) == 1
    assert (await room.told())[0].state == "published"


@pytest.mark.slow
async def test_a_page_that_is_away_is_said_once_and_tried_on(room: Room) -> None:
    await room.publish(await room.preview(title="t"), "k")
    room.page.errors = [AuthFailed("the key is old"), AuthFailed("the key is old")]
    await room.until("sent")
    assert len(room.page.had) == 1
    late = "public has not taken the update for customers yet, and is tried on: the key is old"
    assert [s for s in await room.said() if s.startswith("⚠️")] == [f"⚠️ {late}"]


async def test_a_refusal_is_loud(room: Room) -> None:
    await room.publish(await room.preview(title="t"), "k")
    room.page.errors = [Rejected("no such component")]
    await room.until("failed")
    (row,) = await room.told()
    assert (row.state, row.error) == ("failed", "no such component")
    assert (await room.said())[-1] == (
        "⚠️ public refused the update for customers: no such component"
    )


async def test_what_is_private_by_now_is_not_published(room: Room) -> None:
    """The page was away when people published; by the time it is back, the incident is for few."""
    await room.publish(await room.preview(title="t"), "k")
    async with room.store.write() as session:
        (await room.incidents.get(session, 1)).private = True
    await room.until("failed")
    (row,) = await room.told()
    assert (row.state, room.page.had) == ("failed", [])


async def test_a_refusal_to_be_asked_is_loud_too(room: Room) -> None:
    """After a lost answer: what became of it nobody learns, and it does not wait for ever."""
    await room.publish(await room.preview(title="t"), "k")
    room.page.errors = [Unknown("no answer")]
    room.page.not_found = Rejected("page_id of the target must be the page's id")
    await room.until("failed")
    (row,) = await room.told()
    assert row.state == "failed"
    assert "page_id of the target" in (await room.said())[-1]


@pytest.mark.parametrize(
    ("stands", "says"),
    [("investigating", None), ("resolved", "shows resolved"), ("", "shows nothing")],
)
async def test_what_stands_there_is_read_back(room: Room, stands: str, says: str | None) -> None:
    """Somebody changed it over there: that is said."""
    await room.publish(await room.preview(title="t"), "k")
    await room.until("sent")
    room.page.state = stands
    await room.hurry()
    await room.until("sent", "read_page")
    assert (await room.told())[0].seen == (stands or "nothing")
    differs = [row.text for row in await room.rows() if row.kind == "status_page_differed"]
    assert [says in text for text in differs] == ([True] if says else [])


async def test_what_is_refused(room: Room) -> None:
    with pytest.raises(NotFound, match="did you mean 'public'"):
        await room.preview(page="publik")
    with pytest.raises(BadInput, match="title for customers"):
        await room.preview()
    with pytest.raises(BadInput, match="1 to 5000"):
        await room.preview("  ", title="t")
    with pytest.raises(BadInput, match="no status of a page"):
        await room.preview(title="t", status="broken")
    with pytest.raises(BadInput, match="no health"):
        await room.preview(title="t", health={"pay": "down"})
    with pytest.raises(NotFound, match="no component for 'inner'"):
        await room.preview(title="t", health={"inner": "operational"})
    draft = await room.preview(title="t")
    with pytest.raises(NotAllowed):
        await room.publish(draft, "k", BEN)
    async with room.store.write() as session:
        (await room.incidents.get(session, 1)).private = True
    with pytest.raises(Conflict, match="private"):
        await room.publish(draft, "k")
    assert await room.told() == []


async def end_as(room: Room, status: str) -> None:
    """Cancelled by a person, or a part of another one."""
    other = await room.declare(origin="other") if status == "merged" else None
    async with room.store.write() as session:
        incident = await room.incidents.get(session, 1)
        if other is None:
            await room.incidents.set_status(session, incident, status, "person:ana")
            return
        into = await room.incidents.get(session, other)
        merging = Merging(room.incidents)
        await merging.merge(session, incident, into, Brought(), "person:ana", "click")


@pytest.mark.parametrize(("status", "said"), [("cancelled", ""), ("merged", "resolved")])
async def test_what_stands_there_can_be_ended(room: Room, status: str, said: str) -> None:
    """A false alarm that customers were told of, and one that goes on as part of another incident."""
    await room.publish(await room.preview(title="Card payments fail"), "k1")
    await room.until("sent")
    await end_as(room, status)
    last = await room.preview("There was no problem.", status=said)
    assert (last.status, dict(last.components)) == ("resolved", {"Payments API": "operational"})
    await room.publish(last, "k2")
    await room.until("sent")
    assert [(u.status, reference) for u, reference in room.page.had] == [
        ("investigating", ""), ("resolved", "ref1"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("status", "says"), [("cancelled", "was cancelled"), ("merged", "merged into")]
)
async def test_what_does_not_stand_there_is_not_begun(room: Room, status: str, says: str) -> None:
    draft = await room.preview(title="t")
    await end_as(room, status)
    with pytest.raises(Conflict, match=says):
        await room.publish(draft, "k")


async def test_an_update_that_a_false_alarm_is_over(room: Room) -> None:
    """It is said where customers read it, and on the page that has it alone."""
    room.catalog = Catalog.model_validate(CATALOG | {"audiences": [
        {"id": "customers", "channels": ["C0CUST"], "status_pages": ["public"]},
    ]})  # fmt: skip
    updates = Updates(room.incidents)
    for number in (1, await room.declare(origin="untold")):
        async with room.store.write() as session:
            incident = await room.incidents.get(session, number)
            if number == 1:
                draft = await room.pages.preview(
                    session, incident, "public", "Fails.", title="Cards"
                )
                await room.pages.publish(session, incident, draft, ANA, "k1")
            await room.incidents.set_status(session, incident, "cancelled", "person:ana")
            update = await updates.write(
                session,
                incident,
                "customers",
                "No problem after all.",
                "person:ana",
                key=f"u{number}",
            )
            assert (await updates.send(session, update.number, "person:ana")).sent_at
        async with room.store.read() as session:
            told = [(p.status, p.text) for p in await room.pages.told(session, number)]
        ends = [("investigating", "Fails."), ("resolved", "No problem after all.")]
        assert told == (ends if number == 1 else [])


@pytest.mark.server
async def test_all_the_way_to_a_repository(room: Room, tmp_path: Path) -> None:
    """From the preview to a commit on a real bare repository."""
    with git_server(tmp_path / "git") as git:
        room.catalog = Catalog.model_validate(
            CATALOG | {
                "targets": [{"name": "cstate/public", "url": git.url}],
                "status_pages": [CATALOG["status_pages"][0] | {"integration": "cstate", "target": "cstate/public"}],
            }
        )  # fmt: skip
        await room.publish(await room.preview(title="Card payments fail"), "k")
        await room.until("sent")
        (row,) = await room.told()
        text = git.show(row.reference)
    assert "title: Card payments fail" in text
    assert "- Payments API" in text
    assert "*Investigating* - We look into it." in text


def test_a_page_of_no_integration(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("""
targets: [{name: a/b, url: "https://x.org"}]
status_pages: [{id: p, integration: statuspgae, target: a/b}]
""")
    with pytest.raises(BadInput, match="'statuspgae' has a status page; did you mean 'statuspage'"):
        check_status_pages(tmp_path, load_catalog(tmp_path), load())

"""Pages over each database: clocks of several processes, and a medium under the test's control."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import update
from sqlmodel import col, func, select

from bot.access import Dialer
from bot.catalog import Catalog
from bot.chat.outside import OutsideSurface
from bot.delivery import Delivery, DeliveryWorker, Message, Outbox
from bot.incidents import Incident, Incidents
from bot.paging.clock import PageClock
from bot.paging.flow import Paging
from bot.paging.tables import Page
from bot.registry import Registry, load
from bot.store import Store, now
from bot.timeline import Entry, Ledger, rows_of
from tests.chat.outside.conftest import Fake
from tests.delivery.conftest import stop

KEY = b"the session key"
CATALOG: dict[str, Any] = {
    "services": [{"id": "web", "title": "Web", "tier": "p0"}, {"id": "db", "title": "DB", "tier": "p0"}],
    "people": [
        {"id": "ana", "name": "Ana", "groups": ["core"],
         "reach": [{"notifier": "sms", "to": "+49301"}, {"notifier": "mail", "to": "ana@x.org"}]},
        {"id": "ben", "name": "Ben", "groups": ["core"], "reach": [{"notifier": "sms", "to": "+49302"}]},
        {"id": "cem", "name": "Cem", "roles": [], "reach": [{"notifier": "sms", "to": "+49303"}]},
        {"id": "dora", "name": "Dora"},
    ],
    "targets": [{"name": "fake/one", "url": "tcp://127.0.0.1:9"}],
    "notifiers": [
        {"id": "sms", "integration": "fake", "target": "fake/one", "when": "pages"},
        {"id": "mail", "integration": "fake", "target": "fake/one", "when": "pages"},
        {"id": "siren", "integration": "fake", "target": "fake/one", "to": ["hall"], "when": "pages"},
    ],
    "schedules": [{"id": "first", "layers": [{"people": ["ana"], "since": "2026-01-01"}]}],
    "escalations": [
        {"id": "web", "title": "Web team", "services": ["web"], "repeat": 2, "levels": [
            {"who": ["schedule:first"], "after": "5m"},
            {"who": ["ben", "notifier:siren"], "after": "10m"},
        ]},
        {"id": "rest", "severity": ["sev1"], "levels": [{"who": ["@core"], "by": ["sms"]}], "repeat": 1},
    ],
}  # fmt: skip


class PageRoom:
    """`look` is what each process does all the time; `drain` brings what is queued to the medium."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.fake = Fake()
        self.registry: Registry = load()
        self.registry.notifiers["fake"] = self.fake
        self.catalog = Catalog.model_validate(CATALOG)
        self.ledger = Ledger(b"audit")
        self.incidents = Incidents(self.ledger, Outbox(("slack",)), lambda: self.catalog)
        self.paging = Paging(self.incidents)
        self.clock = self.another()
        self.public_url = "http://bot.test"

    def another(self) -> PageClock:
        """As another process has it."""
        return PageClock(self.store, Paging(self.incidents), KEY)

    def enter(self, **sections: Any) -> None:
        self.catalog = Catalog.model_validate(CATALOG | sections)

    async def look(self) -> None:
        assert await self.clock.look() is False

    async def declare(self, title: str = "Search is slow", **more: Any) -> int:
        given = {"severity": "sev1", "actor": "source:test", "origin": title, "services": ["web"]}
        async with self.store.write() as session:
            incident = await self.incidents.declare(session, title=title, **(given | more))
        return incident.number

    async def status(self, status: str, number: int = 1) -> None:
        async with self.store.write() as session:
            incident = await self.incidents.get(session, number)
            await self.incidents.set_status(session, incident, status, "person:ana")

    async def call(self, whom: str, by: str = "ana", why: str = "", key: str = "k", at: int = 1) -> list[Page]:  # fmt: skip
        person = self.catalog.person(by)
        assert person is not None
        async with self.store.write() as session:
            incident = await self.incidents.get(session, at)
            return await self.paging.call(session, incident, whom, why, person, key)

    async def acknowledge(self, number: int = 1, actor: str = "person:ben") -> Page:
        async with self.store.write() as session:
            return await self.paging.acknowledge(session, number, actor)

    async def time_passes(self) -> None:
        """The time of every level that is waited for has come."""
        async with self.store.write() as session:
            await session.execute(update(Page).values(due_at=now()))

    def worker(self) -> DeliveryWorker:
        dialer = Dialer(lambda: self.catalog)
        surface = OutsideSurface(
            self.store, self.incidents, self.registry, dialer, self.public_url, KEY
        )
        return DeliveryWorker(self.store, surface, "first")

    async def drain(self, limit: float = 30) -> list[str]:
        """To whom it went since the last time, once nothing is left to be sent."""
        before = len(self.fake.told)
        task = asyncio.create_task(self.worker().run())
        query = select(func.count(col(Delivery.id))).where(
            Delivery.surface == "outside", col(Delivery.state).in_(("pending", "sending"))
        )
        try:
            async with asyncio.timeout(limit):
                while True:
                    async with self.store.read() as session:
                        if not (await session.execute(query)).scalar_one():
                            break
                    await asyncio.sleep(0.01)
        finally:
            await stop(task)
        return sorted(to for _, to, _ in self.fake.told[before:])

    async def pages(self) -> list[Page]:
        async with self.store.read() as session:
            return list((await session.execute(select(Page).order_by(col(Page.id)))).scalars())

    async def rows(self, number: int = 1) -> list[Entry]:
        """About pages, once the chain is proved."""
        async with self.store.read() as session:
            assert await self.ledger.verify(session) == []
            return [r for r in await rows_of(session, number) if r.kind.startswith("page")]

    async def kinds(self, number: int = 1) -> list[str]:
        return [row.kind for row in await self.rows(number)]

    async def said(self, number: int = 1) -> list[str]:
        query = select(Message).where(Message.incident_id == number, Message.kind == "line")
        async with self.store.read() as session:
            found = (await session.execute(query.order_by(col(Message.id)))).scalars()
            return [str(m.payload["text"]) for m in found]

    async def incident(self, number: int = 1) -> Incident:
        async with self.store.read() as session:
            return await session.get_one(Incident, number)


@pytest.fixture
async def room(store: Store) -> PageRoom:
    return PageRoom(store)

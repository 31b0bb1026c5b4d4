"""Incidents over each database."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from bot.catalog import Catalog, Person, Service
from bot.delivery import Outbox
from bot.incidents import Incident, Incidents
from bot.store import Store
from bot.timeline import Entry, Ledger
from bot.timeline.ledger import rows_of

CATALOG = Catalog(
    services=[Service(id="shop", title="Shop", tier="p0", owner="shop-team")],
    people=[
        Person(id="ana", name="Ana", groups=["shop-team"]),
        Person(id="ben", name="Ben"),
    ],
)


class Room:
    """The verbs, each in a transaction of its own."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.ledger = Ledger(b"audit")
        self.incidents = Incidents(self.ledger, Outbox(("slack",)), lambda: CATALOG)

    async def declare(self, origin: str = "one", **fields: Any) -> Incident:
        given = {"title": "Search is slow", "severity": "sev2", "actor": "person:ben"} | fields
        async with self.store.write() as session:
            return await self.incidents.declare(session, origin=origin, **given)

    async def do(self, verb: str, *args: Any, number: int = 1, **kw: Any) -> Incident:
        """``set_status``, ``set_severity``, ``take_command`` or ``note`` on a stored incident."""
        async with self.store.write() as session:
            incident = await self.incidents.get(session, number)
            change: Callable[..., Awaitable[None]] = getattr(self.incidents, verb)
            await change(session, incident, *args, **kw)
            return incident

    async def now(self, number: int = 1) -> Incident:
        async with self.store.read() as session:
            return await session.get_one(Incident, number)

    async def rows(self, number: int = 1) -> list[Entry]:
        """The timeline, once its chain is proved."""
        async with self.store.read() as session:
            assert await self.ledger.verify(session) == []
            return await rows_of(session, number)

    async def kinds(self, number: int = 1) -> list[str]:
        return [row.kind for row in await self.rows(number)]


@pytest.fixture
async def room(store: Store) -> Room:
    return Room(store)

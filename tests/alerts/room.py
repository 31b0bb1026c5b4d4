"""The alert's way from the intake to its incident, step by step, over one real store."""

from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from sqlmodel import SQLModel, select

from bot.access import Dialer
from bot.alerts import AlertRouter, CheckRunner, Intake, Questions, Silences, StoredAlert
from bot.alerts.arrivals import unpack_all
from bot.catalog import Catalog, Service
from bot.contract import Alert
from bot.delivery import Outbox
from bot.incidents import Incident, Incidents
from bot.registry import Registry
from bot.store import Store
from bot.timeline import Entry, Ledger
from bot.timeline.ledger import rows_of

START = datetime(2026, 11, 23, 12, tzinfo=UTC)
SHOP = Service(id="shop", title="Shop", tier="p0")
BLOG = Service(id="blog", title="Blog", tier="p2")
CATALOG = Catalog(services=[SHOP, BLOG])


def an_alert(
    name: str = "ShopDown",
    status: Literal["firing", "resolved"] = "firing",
    *,
    minute: int = 0,
    **labels: str,
) -> Alert:
    """An alert of the shop; its fingerprint is its name, ``minute`` when it began to fire."""
    began = START + timedelta(minutes=minute)
    return Alert(
        source="alertmanager", fingerprint=name, status=status, name=name,
        labels={"alertname": name, "service": "shop", "severity": "error"} | labels,
        annotations={"summary": f"{name} is firing"},
        starts_at=began,
        ends_at=began + timedelta(minutes=5) if status == "resolved" else None,
    )  # fmt: skip


class Room:
    """One process's share of it; `another` is a second process on the same database."""

    def __init__(
        self, store: Store, catalog: Catalog = CATALOG, registry: Registry | None = None
    ) -> None:
        self.store = store
        self.catalog = catalog
        self.ledger = Ledger(b"audit")
        self.outbox = Outbox(("slack",))
        self.incidents = Incidents(self.ledger, self.outbox, lambda: self.catalog)
        self.intake = Intake(store)
        self.silences = Silences(store, self.ledger, lambda: self.catalog)
        self.questions = Questions(self.incidents)
        self.router = AlertRouter(store, self.incidents)
        self.checks = CheckRunner(
            store, self.intake, Dialer(lambda: self.catalog), registry or Registry()
        )

    async def route(self, *alerts: Alert) -> list[Incident]:
        """Accepts the alerts one after the other, routes them all; the incidents then."""
        for alert in alerts:
            await self.intake.accept([alert])
        while await self.router.route_next():
            pass
        return await self.all(Incident)

    async def all(self, table: type[SQLModel]) -> list[Any]:
        async with self.store.read() as session:
            return list((await session.execute(select(table).order_by("id"))).scalars())

    async def stored(self) -> list[StoredAlert]:
        """All that was accepted, whether or not it was routed."""
        await unpack_all(self.store)
        return await self.all(StoredAlert)

    async def rows(self, number: int = 1) -> list[Entry]:
        async with self.store.read() as session:
            assert await self.ledger.verify(session) == []
            return await rows_of(session, number)

    async def kinds(self, number: int = 1) -> list[str]:
        return [row.kind for row in await self.rows(number)]

    async def become(self, status: str, number: int = 1) -> None:
        async with self.store.write() as session:
            incident = await self.incidents.get(session, number)
            await self.incidents.set_status(session, incident, status, "person:ana")

    async def refresh(self, number: int = 1) -> Incident:
        async with self.store.read() as session:
            return await session.get_one(Incident, number)

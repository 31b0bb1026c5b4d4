"""The whole way of a notice: incident, outbox, notifiers, with Slack as the stub speaks it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy import update
from sqlmodel import col, select

from bot.access import Dialer
from bot.catalog import Catalog
from bot.chat import Cards
from bot.chat.outside import NoticeFeed, OutsideSurface
from bot.chat.slack import Limits, SlackSurface
from bot.chat.slack.standing import Standing
from bot.contract import Connection, Notice, Receipt
from bot.delivery import Delivery, DeliveryWorker, Outbox
from bot.errors import TargetError
from bot.incidents import Incident, Incidents
from bot.postmortems.exports import Exports
from bot.registry import Registry, load
from bot.store import Store, now
from bot.timeline import Entry, Ledger, rows_of
from tests.delivery.conftest import stop
from tests.slackstub import C_INCIDENTS, SlackStub


@dataclass
class Fake:
    """A medium under the test's control: what it was told, and what it says."""

    told: list[tuple[Notice, str, str]] = field(default_factory=list)
    receipt: Receipt = field(default_factory=lambda: Receipt(confirmed=True))
    errors: list[Exception] = field(default_factory=list)  # raised instead, one a time
    found: Receipt | TargetError | None = None
    arrived: list[bool | None] = field(default_factory=list)
    asked: int = 0

    async def notify(self, notice: Notice, to: str, connection: Connection) -> Receipt:
        if self.errors:
            raise self.errors.pop(0)
        self.told.append((notice, to, connection.path))
        return self.receipt

    async def find(self, notice: Notice, to: str, connection: Connection) -> Receipt | None:
        if isinstance(self.found, TargetError):
            raise self.found
        return self.found

    async def confirm(self, receipt: Receipt, connection: Connection) -> bool | None:
        self.asked += 1
        return self.arrived.pop(0) if self.arrived else None


class Outside:
    """`working` runs a process's workers; the verbs are those of people."""

    def __init__(self, store: Store, slack: SlackStub, folder: Path) -> None:
        self.store = store
        self.slack = slack
        self.folder = folder
        self.fake = Fake()
        self.registry: Registry = load()
        self.registry.notifiers["fake"] = self.fake
        self.catalog = Catalog()
        self.clients: list[AsyncWebClient] = []
        self.outbox = Outbox(("slack",))
        self.ledger = Ledger(b"audit")
        self.incidents = Incidents(self.ledger, self.outbox, lambda: self.catalog)

    def enter(self, *notifiers: dict[str, Any], targets: list[dict[str, Any]] | None = None,
              paths: list[dict[str, Any]] | None = None) -> None:  # fmt: skip
        """What the catalog has; a notifier that names nothing is the fake one."""
        base = {"integration": "fake", "target": "fake/one", "to": ["ana"], "after": 0.2}
        self.catalog = Catalog.model_validate({
            "notifiers": [base | {"id": f"n{i}"} | n for i, n in enumerate(notifiers)],
            "targets": [{"name": "fake/one", "url": "tcp://127.0.0.1:9"}, *(targets or [])],
            "paths": [{"name": "direct"}, *(paths or [])],
        })  # fmt: skip

    def patient(self, seconds: float) -> None:
        """Slack has this long until the others are told."""
        notifiers = [n.model_copy(update={"after": seconds}) for n in self.catalog.notifiers]
        self.catalog = self.catalog.model_copy(update={"notifiers": notifiers})

    def feed(self) -> NoticeFeed:
        return NoticeFeed(self.store, self.incidents, lambda: None)

    def outside(self, owner: str = "first") -> DeliveryWorker:
        dialer = Dialer(lambda: self.catalog)
        surface = OutsideSurface(
            self.store, self.incidents, self.registry, dialer, "http://bot.test", b"k"
        )
        return DeliveryWorker(self.store, surface, owner)

    def to_slack(self, owner: str = "first") -> DeliveryWorker:
        client = AsyncWebClient(
            token=self.slack.bot_token, base_url=self.slack.api_url, retry_handlers=[]
        )
        self.clients.append(client)
        cards = Cards(lambda: self.catalog, "")
        surface = SlackSurface(
            client, self.store, cards, lambda: self.catalog, C_INCIDENTS, self.folder,
            self.incidents, Limits(0.1), Standing(0), Exports(lambda: self.catalog, self.folder),
        )  # fmt: skip
        return DeliveryWorker(self.store, surface, owner)

    @contextlib.asynccontextmanager
    async def working(self, *, slack: bool = True, processes: int = 1) -> AsyncIterator[None]:
        """Feed, notices and Slack's deliveries, as each process has them."""

        async def fed(feed: NoticeFeed) -> None:
            while True:
                await feed.feed_next()
                await asyncio.sleep(0.05)

        tasks, surfaces = [], []
        for number in range(processes):
            tasks.append(asyncio.create_task(fed(self.feed())))
            worker = self.outside(f"p{number}")
            surfaces.append(worker.surface)
            tasks.append(asyncio.create_task(worker.run()))
            if slack:
                tasks.append(asyncio.create_task(self.to_slack(f"p{number}").run()))
        try:
            yield
        finally:
            ended = [task.exception() for task in tasks if task.done() and not task.cancelled()]
            await stop(*tasks)
            for surface in surfaces:
                await surface.close()
            assert ended == []

    async def declare(self, title: str = "Search is slow", severity: str = "sev1") -> int:
        async with self.store.write() as session:
            incident: Incident = await self.incidents.declare(
                session, title=title, severity=severity, actor="person:ana", origin=title
            )
        return incident.number

    async def status(self, status: str, number: int = 1) -> None:
        async with self.store.write() as session:
            incident = await self.incidents.get(session, number)
            await self.incidents.set_status(session, incident, status, "person:ana")

    async def note(self, text: str, number: int = 1) -> None:
        async with self.store.write() as session:
            incident = await self.incidents.get(session, number)
            await self.incidents.note(session, incident, text, "person:ana", key=text)

    async def timeline(self, *kinds: str, number: int = 1) -> list[Entry]:
        """The incident's rows of some kinds, once the chain is proved."""
        async with self.store.read() as session:
            assert await self.ledger.verify(session) == []
            rows = await rows_of(session, number)
        return [row for row in rows if row.kind in kinds]

    async def rows(self, op: str = "notify") -> list[Delivery]:
        query = select(Delivery).where(Delivery.surface == "outside", Delivery.op == op)
        async with self.store.read() as session:
            return list((await session.execute(query.order_by(col(Delivery.id)))).scalars())

    async def slack_has_all(self) -> bool:
        """Whether nothing is left to be said there."""
        query = select(Delivery.id).where(
            Delivery.surface == "slack", col(Delivery.sent_at).is_(None)
        )
        async with self.store.read() as session:
            return (await session.execute(query.limit(1))).first() is None

    async def hurry(self) -> None:
        """Notices that wait for their time may go now."""
        await self._change("pending", next_at=now())

    async def expire(self) -> None:
        """The time of a lease goes by: who held it is gone."""
        await self._change("sending", lease_until=now())

    async def _change(self, state: str, **values: Any) -> None:
        ours = (Delivery.surface == "outside", Delivery.state == state)
        async with self.store.write() as session:
            await session.execute(update(Delivery).where(*ours).values(**values))

    async def until(self, look: Any, what: str, limit: float = 20) -> Any:
        """The first truthy answer of an async look."""
        async with asyncio.timeout(limit):
            while not (found := await look()):
                await asyncio.sleep(0.02)
        return found

    async def told(self, count: int) -> list[Notice]:
        """What the fake medium was told, once it is that much, and stays that much."""

        async def look() -> bool:
            return len(self.fake.told) >= count

        await self.until(look, f"{count} notices")
        await asyncio.sleep(0.3)
        assert len(self.fake.told) == count, self.fake.told
        return [notice for notice, _, _ in self.fake.told]


@pytest.fixture
async def room(store: Store, tmp_path: Path) -> AsyncIterator[Outside]:
    async with SlackStub() as slack:
        await slack.join(C_INCIDENTS, slack.bot_user_id)
        made = Outside(store, slack, tmp_path)
        yield made
        for client in made.clients:
            if client.session is not None:
                await client.session.close()


async def over(room: Outside) -> str:
    """What became of the only delivery, once it is over."""

    async def look() -> str:
        await room.hurry()
        (row,) = await room.rows()
        return row.state if row.state in ("sent", "failed") else ""

    return str(await room.until(look, "the delivery to be over"))

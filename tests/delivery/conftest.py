"""The outbox over each database, with Slack at its other end as the stub speaks it."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, update
from sqlmodel import col, select

from bot.catalog import Catalog
from bot.chat import Cards
from bot.chat.slack import Limits, SlackSurface
from bot.chat.slack.client import SlackClient
from bot.chat.slack.pace import SEVERITY
from bot.chat.slack.standing import Standing
from bot.delivery import Delivery, DeliveryWorker, Outbox
from bot.incidents import Incident, Incidents
from bot.postmortems.exports import Exports
from bot.store import Store, now
from bot.timeline import Ledger
from tests.slackstub import C_INCIDENTS, Message, SlackStub


class Post:
    """What is said goes in at `say`; `drain` lets workers bring it to Slack."""

    def __init__(self, store: Store, slack: SlackStub, folder: Path) -> None:
        self.store = store
        self.slack = slack
        self.folder = folder
        self.clients: list[SlackClient] = []
        self.outbox = Outbox(("slack",))
        self.incidents = Incidents(Ledger(b"audit"), self.outbox, Catalog)

    def worker(self, owner: str = "first", minute: float = 0.1) -> DeliveryWorker:
        """A worker as a process of its own would have it; Slack's ``minute`` is a short one."""
        client = SlackClient(
            token=self.slack.bot_token, base_url=self.slack.api_url, retry_handlers=[]
        )
        self.clients.append(client)
        cards = Cards(Catalog, "")
        surface = SlackSurface(
            client,
            self.store,
            cards,
            Catalog,
            C_INCIDENTS,
            self.folder,
            self.incidents,
            Limits(minute),
            Standing(0),
            Exports(Catalog, self.folder),
        )
        return DeliveryWorker(self.store, surface, owner, SEVERITY)

    async def declare(self, title: str = "Search is slow", severity: str = "sev2") -> int:
        async with self.store.write() as session:
            incident: Incident = await self.incidents.declare(
                session, title=title, severity=severity, actor="person:ana", origin=title
            )
        return incident.number

    async def opened(self, title: str = "Search is slow") -> int:
        """An incident whose channel, card, topic and pin are all there."""
        number = await self.declare(title)
        await self.drain()
        self.slack.clear_calls()
        return number

    async def say(self, number: int, key: str, text: str) -> None:
        async with self.store.write() as session:
            await self.outbox.say(session, number, key, "line", {"text": text})

    async def drain(self, *workers: DeliveryWorker, limit: float = 20) -> None:
        """Runs them until nothing is left to be sent."""
        tasks = [asyncio.create_task(worker.run()) for worker in workers or (self.worker(),)]
        try:
            async with asyncio.timeout(limit):
                while await self.open_rows():
                    await asyncio.sleep(0.01)
        finally:
            await stop(*tasks)

    async def open_rows(self) -> int:
        query = select(func.count(col(Delivery.id))).where(
            col(Delivery.state).in_(("pending", "sending"))
        )
        async with self.store.read() as session:
            return int((await session.execute(query)).scalar_one())

    async def rows(self, op: str) -> list[Delivery]:
        query = select(Delivery).where(Delivery.op == op).order_by(col(Delivery.id))
        async with self.store.read() as session:
            return list((await session.execute(query)).scalars())

    async def expire(self) -> None:
        """The time of a lease goes by."""
        async with self.store.write() as session:
            await session.execute(update(Delivery).values(lease_until=now() - timedelta(seconds=1)))

    def channel(self, number: int = 1) -> str:
        """The incident's channel; there must be one, not two."""
        names = [c["name"] for c in self.slack.state()["channels"].values()]
        (found,) = [name for name in names if name.startswith(f"inc-{number}-")]
        return str(found)

    def said(self, number: int = 1) -> list[str]:
        """The lines in an incident's channel, oldest first, without the card."""
        found: list[Message] = self.slack.messages(self.channel(number))
        return [m.text for m in found if m.text and " · " not in m.text and not m.subtype]

    def calls(self, method: str) -> list[Any]:
        return [call for call in self.slack.calls(method) if call.ok]


async def stop(*tasks: asyncio.Task[None]) -> None:
    """Cancels until they have ended: Python 3.11 may lose a cancellation in `wait_for`."""
    waiting = set(tasks)
    while waiting:
        for task in waiting:
            task.cancel()
        _, waiting = await asyncio.wait(waiting, timeout=0.5)


@pytest.fixture
async def post(store: Store, tmp_path: Path) -> AsyncIterator[Post]:
    async with SlackStub() as slack:
        await slack.join(C_INCIDENTS, slack.bot_user_id)
        made = Post(store, slack, tmp_path)
        yield made
        for client in made.clients:
            await client.close()

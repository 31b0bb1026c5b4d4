"""A postmortem, three places for it, and the workers that bring it there."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import update
from sqlmodel import col, select

from bot.access import Dialer
from bot.catalog import Catalog
from bot.chat.outside import PaperSurface
from bot.delivery import Delivery, DeliveryWorker, Job, Message, Outbox
from bot.incidents import Incident, Incidents
from bot.postmortems import Postmortem
from bot.postmortems.editing.papers import Papers
from bot.postmortems.editing.publishing import Publishing
from bot.postmortems.editing.tables import PaperCopy
from bot.postmortems.exports import Exports
from bot.registry import load
from bot.store import Store, now
from bot.timeline import Entry, Ledger, rows_of
from tests.delivery.conftest import stop
from tests.postmortems.exports.hostile import BY_HAND, CANARY, paper
from tests.postmortems.story import PNG
from tests.servers.google_drive import FOLDER, GoogleDrive

PEOPLE = [
    {"id": "ana", "name": "Ana Souza", "email": "ana@example.com", "roles": ["commander"]},
    {"id": "ben", "name": "Ben", "roles": ["responder"]},
]


class PapersRoom:
    """`made` opens it; ``places`` are those of `docs` and `repo` that are given."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.store = store
        self.folder = folder
        self.targets: list[dict[str, Any]] = []
        self.places: list[dict[str, Any]] = []
        self.incidents = Incidents(Ledger(b"k"), Outbox(()), self.catalog)
        self.publishing = Publishing(Papers(self.incidents))

    def catalog(self) -> Catalog:
        return Catalog.model_validate({
            "people": PEOPLE, "targets": self.targets, "paper_places": self.places,
        })  # fmt: skip

    def place(self, name: str, title: str, integration: str, url: str, **settings: str) -> None:
        self.targets.append({"name": f"{name}/x", "url": url, "settings": settings})
        self.places.append(
            {"id": name, "title": title, "integration": integration, "target": f"{name}/x"}
        )

    def drive(self, drive: GoogleDrive) -> None:
        self.place("docs", "Google Docs", "googledocs", drive.url, key=drive.key_file, folder=FOLDER)  # fmt: skip

    async def drafted(self, state: str = "final", **incident: object) -> "PapersRoom":
        (self.folder / "evidence").mkdir(parents=True)
        (self.folder / "evidence" / "p.png").write_bytes(PNG)
        async with self.store.write() as session:
            given = {
                "title": "Dark",
                "severity": "sev1",
                "origin": "o",
                "declared_by": "person:ana",
            }
            session.add(Incident(**{**given, **incident}))
            written = paper(more=BY_HAND).markdown
            session.add(
                Postmortem(incident_id=1, state=state, markdown=written, html="", drawn_from=1)
            )
        return self

    async def ask(self, place: str, by: str = "ana", number: int = 1) -> PaperCopy:
        person = self.catalog().person(by)
        assert person is not None
        async with self.store.write() as session:
            incident = await self.incidents.get(session, number)
            return await self.publishing.ask(session, incident, place, person)

    def surface(self) -> PaperSurface:
        exports = Exports(self.catalog, self.folder, [CANARY])
        return PaperSurface(self.store, self.incidents, load(), Dialer(self.catalog), exports)

    async def until(self, *states: str) -> None:
        """Workers of two processes, until the deliveries are so."""
        workers = [DeliveryWorker(self.store, self.surface(), str(n)) for n in range(2)]
        tasks = [asyncio.create_task(worker.run()) for worker in workers]
        query = select(Delivery.state).where(Delivery.surface == "papers").order_by(col(Delivery.id))  # fmt: skip
        try:
            async with asyncio.timeout(30):
                while True:
                    async with self.store.read() as session:
                        found = tuple((await session.execute(query)).scalars())
                    if found == states:
                        return
                    await asyncio.sleep(0.02)
        finally:
            await stop(*tasks)

    async def taken(self) -> Job:
        """By a worker that dies at once."""
        async with self.store.write() as session:
            ((job, _),) = await DeliveryWorker(self.store, self.surface(), "dead").take(session)
        return job

    async def lease_over(self) -> None:
        async with self.store.write() as session:
            await session.execute(update(Delivery).values(lease_until=now() - timedelta(seconds=1)))

    async def copy(self, place: str) -> PaperCopy:
        async with self.store.read() as session:
            return await session.get_one(PaperCopy, (1, place))

    async def change(self, **values: object) -> None:
        """Of the postmortem."""
        async with self.store.write() as session:
            found = await session.get_one(Postmortem, 1)
            for name, value in values.items():
                setattr(found, name, value)

    async def rows(self) -> list[Entry]:
        async with self.store.read() as session:
            assert await self.incidents.ledger.verify(session) == []
            return [r for r in await rows_of(session, 1) if r.kind.startswith("postmortem_publish")]

    async def kinds(self) -> list[str]:
        return [r.kind.removeprefix("postmortem_") for r in await self.rows()]

    async def said(self) -> list[str]:
        query = select(Message).where(Message.kind == "line").order_by(col(Message.id))
        async with self.store.read() as session:
            return [str(m.payload["text"]) for m in (await session.execute(query)).scalars()]

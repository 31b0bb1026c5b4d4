"""An incident with evidence to collect: real HTTP targets, and integrations of the tests' own."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import update
from sqlmodel import select

from bot.access import Dialer
from bot.alerts import EvidenceCollector
from bot.alerts.tables import CheckSample
from bot.catalog import Catalog, Check, Service, Target
from bot.chat.cards import Cards
from bot.contract import (
    Connection,
    Finding,
    Findings,
    Graph,
    Question,
    Series,
)
from bot.delivery import Delivery, Message
from bot.incidents import Incident
from bot.registry import Registry
from bot.store import now
from bot.timeline import Entry
from tests.alerts.room import Room, an_alert

SECRET = "xoxb-1234567890-abcdef"
BAD = f"boom \x1b[31m<!channel> `id` 7 password=hunter2 {SECRET} https://evil.example"


class Numbers:
    """An integration of the test's own: asks its target for one number a query, plainly."""

    async def collect(self, question: Question, connection: Connection) -> list[Graph]:
        graphs = []
        for title, path in question.queries.items():
            value = float((await connection.http.get(path)).text)
            points = [(question.since.timestamp(), value), (question.until.timestamp(), value)]
            graphs.append(Graph(title=title, unit="1", series=[Series(label=title, points=points)]))
        return graphs


class Lists:
    """Another: one finding for each line of what its target says, of the kind that it is asked for."""

    async def collect(self, question: Question, connection: Connection) -> list[Findings]:
        lines = (await connection.http.get("/lines")).text.splitlines()
        kind: Any = question.about["kind"]
        at = datetime.now(UTC) - timedelta(minutes=5)
        items = [Finding(text=line, at=at, link=f"https://x.example/{i}", key=f"flag:{line}")
                 for i, line in enumerate(lines)]  # fmt: skip
        return [Findings(kind=kind, title=f"The {kind}", items=items)]


class Desk:
    """The room with its evidence collector, and a service with these sources of evidence."""

    def __init__(self, room: Room, folder: Path, url: str, *evidence: dict[str, object]) -> None:
        self.room = room
        self.folder = folder
        check = Check(id="shop-home", url=url)
        service = Service.model_validate({
            "id": "shop", "title": "Shop", "tier": "p0", "checks": [check], "evidence": evidence,
        })  # fmt: skip
        targets = [
            Target(name="n/up", url=url), Target(name="n/off", url="http://127.0.0.1:9"),
            Target(name="n/locked", url=url, headers={"Authorization": "Bearer env:NO_SUCH_TOKEN"}),
            Target(name="n/cut", url=url.replace("127.0.0.1", "127.0.0.77")),
            Target(name="n/silent", url=url.replace("127.0.0.1", "127.0.0.78")),
        ]  # fmt: skip
        room.catalog = Catalog(services=[service], targets=targets)
        self.collector = self.replica()

    def replica(self) -> EvidenceCollector:
        registry = Registry(evidence={"numbers": Numbers(), "lists": Lists()})
        dialer = Dialer(lambda: self.room.catalog)
        return EvidenceCollector(
            self.room.store, self.room.incidents, registry, dialer, self.folder, "https://j.example"
        )

    async def incident(self) -> None:
        """An incident that is old enough to look at, with a sample of its check."""
        await self.room.route(an_alert())
        async with self.room.store.write() as session:
            before = now() - timedelta(seconds=30)
            await session.execute(update(Incident).values(declared_at=before))
            sample = CheckSample(
                check_id="shop-home", at=before, requests=4, failed=1, worst_ms=9, error="x"
            )
            session.add(sample)

    async def collect(self) -> list[Entry]:
        """The rows of the evidence, once everything was collected, once."""
        assert await self.collector.collect_next()
        assert not await self.collector.collect_next()
        return await self.rows()

    async def rows(self) -> list[Entry]:
        return [r for r in await self.room.rows() if r.kind.startswith("evidence_")]

    async def picture(self) -> dict[str, Any]:
        (row,) = [r for r in await self.rows() if "file" in r.data]
        return row.data

    async def missing(self) -> list[str]:
        return [r.text for r in await self.rows() if r.kind == "evidence_missing"]

    async def message(self) -> dict[str, Any]:
        """The one message that is edited in place."""
        async with self.room.store.read() as session:
            query = select(Message).where(Message.kind == "evidence")
            return (await session.execute(query)).scalar_one().payload

    async def shown(self) -> str:
        """The message as it is sent to Slack."""
        async with self.room.store.read() as session:
            query = select(Message).where(Message.kind == "evidence")
            message = (await session.execute(query)).scalar_one()
            cards = Cards(lambda: self.room.catalog, "")
            return str((await cards.render(session, message)).blocks)

    async def uploads(self) -> list[str]:
        return [row.payload["file"] for row in await self.room.all(Delivery) if row.op == "upload"]


def from_numbers(target: str = "n/up", path: str = "/value") -> dict[str, object]:
    return {"integration": "numbers", "target": target, "queries": {"Load": path}}


def from_lists(kind: str = "changes", target: str = "n/up") -> dict[str, object]:
    return {"integration": "lists", "target": target, "about": {"kind": kind},
            "link": "https://logs.example/?from=$since&to=$until&x=$x"}  # fmt: skip

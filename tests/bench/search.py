"""Search over 100,000 rows of timelines, and what was like one of 10,000 incidents, beside reading a timeline."""

import asyncio
import random
import statistics
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import insert, text

from bot.catalog import Catalog, Service
from bot.incidents import Incident
from bot.incidents.similar import Similar
from bot.postmortems.search import Search
from bot.store import Store, now
from bot.timeline import Timeline, rows_of
from tests.bench.table import Row
from tests.servers.postgres import postgres

ROWS, EACH = 100_000, 10
_ALERTS, _SERVICES = 200, 40
_BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
_WORDS = [
    "certificate", "timeout", "replica", "failover", "drain", "edge", "restart", "latency", "queue",
    "disk", "payments", "checkout", "deploy", "rollback", "dns", "route", "cache", "leader", "lag",
]  # fmt: skip
_ASKED = ("needle", "certificate", "timeout replica", '"disk full"', "chec", "error", "w777")


async def search() -> list[Row]:
    """Median milliseconds of a search and of a look for similar incidents, on each database."""
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows += await _on("SQLite", f"sqlite+aiosqlite:///{folder}/search.db")
        with postgres() as server:
            rows += await _on("PostgreSQL", server.create_database())
    return rows


async def _on(engine: str, url: str) -> list[Row]:
    store = Store(url)
    await store.migrate()
    await _fill(store)
    finder = Search(Catalog)
    catalog = _catalog()
    alike = Similar(lambda: catalog)
    ours, floor, past = list[float](), list[float](), list[float]()
    for number in range(5):
        for asked in _ASKED:
            async with store.read() as session:
                began = time.perf_counter()
                await finder.find(session, asked, None)
                ours.append(time.perf_counter() - began)
                began = time.perf_counter()
                await rows_of(session, 1 + number)
                floor.append(time.perf_counter() - began)
                began = time.perf_counter()
                await alike.find(session, ROWS // EACH - 7 * number)
                past.append(time.perf_counter() - began)
    await store.close()
    median = [statistics.median(each) * 1000 for each in (ours, past, floor)]
    beside = f"a timeline of {EACH} rows, read"
    names = (
        f"search, {ROWS:,} rows, {engine}",
        f"similar to one of {ROWS // EACH:,} incidents, {engine}",
    )
    return [
        Row(name, each, "ms", "< 100 ms", median[2], beside)
        for name, each in zip(names, median, strict=False)
    ]


def _catalog() -> Catalog:
    """Forty services, each on the next."""
    return Catalog(services=[
        Service(id=f"s{n}", title=f"Service {n}", tier="p1", depends_on=[f"s{n + 1}"] if n + 1 < _SERVICES else [])
        for n in range(_SERVICES)
    ])  # fmt: skip


async def _fill(store: Store) -> None:
    chance = random.Random(7)
    async with store.write() as session:
        for number in range(1, ROWS // EACH + 1):
            await session.execute(insert(Incident), {
                "id": number, "severity": "sev2", "origin": str(number), "status": "closed",
                "title": f"{' '.join(chance.choices(_WORDS, k=3))} trouble n{number // 3}",
                "services": [f"s{number % _SERVICES}"], "declared_by": "jackline",
                "trigger": {"alert": f"Alert{number % _ALERTS}", "labels": {"n": str(number % 400)}},
                "declared_at": _BEGAN + timedelta(minutes=number), "resolved_at": _BEGAN + timedelta(minutes=number + 9),
            })  # fmt: skip
            await session.execute(insert(Timeline), [_entry(number, seq, chance) for seq in range(1, EACH + 1)])  # fmt: skip
    if not store.is_sqlite:
        async with store.write() as session:
            await session.execute(text("ANALYZE"))


def _entry(number: int, seq: int, chance: random.Random) -> dict[str, object]:
    words = " ".join(chance.choices(_WORDS, k=9))
    rare = " needle" if (number, seq) == (500, 5) else ""
    said = f"error w{chance.randrange(5000)} {words}{rare} {'disk full' if seq == 7 else ''}"
    return {
        "incident_id": number, "seq": seq, "at": now(), "kind": "note_added", "actor": "jackline",
        "text": said, "data": {}, "link": "", "previous": "", "hash": "",
    }  # fmt: skip


if __name__ == "__main__":
    print(asyncio.run(search()))

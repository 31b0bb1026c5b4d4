"""Search over 100,000 rows of timelines, beside reading as many by their key; and what it costs a write."""

import asyncio
import random
import statistics
import tempfile
import time
from pathlib import Path

from sqlalchemy import insert, text

from bot.catalog import Catalog
from bot.incidents import Incident
from bot.postmortems.search import Search
from bot.store import Store, now
from bot.timeline import Entry, rows_of
from tests.bench.table import Row
from tests.servers.postgres import postgres

ROWS, EACH = 100_000, 100
_WORDS = [
    "certificate", "timeout", "replica", "failover", "drain", "edge", "restart", "latency", "queue",
    "disk", "payments", "checkout", "deploy", "rollback", "dns", "route", "cache", "leader", "lag",
]  # fmt: skip
_ASKED = ("needle", "certificate", "timeout replica", '"disk full"', "chec", "error", "w777")


async def search() -> list[Row]:
    """Median milliseconds of a search, on each database."""
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows.append(await _on("SQLite", f"sqlite+aiosqlite:///{folder}/search.db"))
        with postgres() as server:
            rows.append(await _on("PostgreSQL", server.create_database()))
    return rows


async def _on(engine: str, url: str) -> Row:
    store = Store(url)
    await store.migrate()
    await _fill(store)
    finder = Search(Catalog)
    ours, floor = [], []
    for number in range(5):
        for asked in _ASKED:
            async with store.read() as session:
                began = time.perf_counter()
                await finder.find(session, asked, None)
                ours.append(time.perf_counter() - began)
                began = time.perf_counter()
                await rows_of(session, 1 + number)
                floor.append(time.perf_counter() - began)
    await store.close()
    median = [statistics.median(each) * 1000 for each in (ours, floor)]
    return Row(
        f"search, {ROWS:,} rows, {engine}", median[0], "ms", "< 100 ms", median[1],
        f"a timeline of {EACH} rows, read",
    )  # fmt: skip


async def _fill(store: Store) -> None:
    chance = random.Random(7)
    async with store.write() as session:
        for number in range(1, ROWS // EACH + 1):
            await session.execute(insert(Incident), {
                "id": number, "title": f"{chance.choice(_WORDS)} trouble {number}", "severity": "sev2",
                "origin": str(number), "declared_by": "jackline", "status": "closed",
            })  # fmt: skip
            await session.execute(insert(Entry), [_entry(number, seq, chance) for seq in range(1, EACH + 1)])  # fmt: skip
    if not store.is_sqlite:
        async with store.write() as session:
            await session.execute(text("ANALYZE"))


def _entry(number: int, seq: int, chance: random.Random) -> dict[str, object]:
    words = " ".join(chance.choices(_WORDS, k=9))
    rare = " needle" if (number, seq) == (500, 50) else ""
    said = f"error w{chance.randrange(5000)} {words}{rare} {'disk full' if seq == 7 else ''}"
    return {
        "incident_id": number, "seq": seq, "at": now(), "kind": "note_added", "actor": "jackline",
        "text": said, "data": {}, "link": "", "previous": "", "hash": "",
    }  # fmt: skip


if __name__ == "__main__":
    print(asyncio.run(search()))

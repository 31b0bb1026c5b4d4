"""A postmortem's draft of a long timeline, beside reading that timeline from the database."""

import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from bot.postmortems.draft import draft
from bot.postmortems.render import html, markdown
from bot.store import Store
from bot.timeline import Ledger, Timeline, rows_of
from tests.bench.table import Row
from tests.postmortems.story import CATALOG, FACTS, NOON

ROWS, TIMES = 10_000, 5
NUMBER = FACTS.id
_NOTES = ("looked at the edge, nothing new", "action: restarted one more", "hypothesis: DNS",
          "dropped: DNS", "asked the vendor at +49 30 1234567, case 8817")  # fmt: skip


async def drafts() -> list[Row]:
    """Seconds for the text of ten thousand rows; the median of some turns."""
    with tempfile.TemporaryDirectory() as name:
        store = Store(f"sqlite+aiosqlite:///{Path(name)}/j.db")
        await store.migrate()
        await fill(store)
        async with store.read() as session:
            floor = await _read(lambda: _as_objects(session))
            own = await _read(lambda: rows_of(session, NUMBER))
            rows = await rows_of(session, NUMBER)
        await store.close()
    made = draft(FACTS, rows, CATALOG, {})
    text = _took(lambda: markdown(draft(FACTS, rows, CATALOG, {})))
    page = _took(lambda: html(made, {}))
    beside = "reading them with the ORM"
    return [
        Row(f"reading {ROWS:,} rows as a draft does", own, "s", "", floor, beside),
        Row(f"draft of {ROWS:,} rows as Markdown", text, "s", "3x", floor, beside),
        Row("its page of HTML", page, "s", "", floor, beside),
    ]


async def _as_objects(session: AsyncSession) -> list[Timeline]:
    """As an application reads its tables that does nothing about it."""
    query = select(Timeline).where(Timeline.incident_id == NUMBER).order_by(col(Timeline.seq))
    rows = list((await session.execute(query)).scalars())
    session.expunge_all()
    return rows


async def _read(work: Callable[[], Awaitable[object]]) -> float:
    found = []
    for _ in range(TIMES):
        began = time.perf_counter()
        await work()
        found.append(time.perf_counter() - began)
    return median(found)


def _took(work: Callable[[], object]) -> float:
    found = []
    for _ in range(TIMES):
        began = time.perf_counter()
        work()
        found.append(time.perf_counter() - began)
    return median(found)


async def fill(store: Store) -> None:
    """An incident in which machines talk most of the time, and people a tenth of it."""
    ledger, random = Ledger(b"key"), Random(3)
    async with store.write() as session:
        for seq in range(ROWS):
            kind, actor, text, data = _row(seq, random)
            at = NOON + timedelta(minutes=3, seconds=seq)
            await ledger.append(session, NUMBER, kind, actor, text, data=data, at=at)


def _row(seq: int, random: Random) -> tuple[str, str, str, dict[str, Any]]:
    if seq == 0:
        return "incident_declared", "source:alertmanager", "SEV1 declared: all is dark", {}
    if seq == ROWS - 1:
        moved = {"from": "investigating", "to": "resolved"}
        return "status_changed", "person:ana", "Status: investigating → resolved", moved
    dice, number = random.random(), random.randrange(2_000)
    if dice < 0.1:
        return "note_added", "person:bo", random.choice(_NOTES), {"surface": "slack"}
    if dice < 0.3:
        run: dict[str, Any] = {"run_id": number % 20, "step": f"step{number % 7}", "path": "direct"}
        if dice < 0.2:
            return "step_started", "jackline", f"step{number % 7}: http.get on http/edge", run
        return "step_succeeded", "jackline", "done in 0.4 s", {**run, "seconds": 0.4}
    kind = "alert_resolved" if dice < 0.6 else "alert_received"
    data = {"source": "alertmanager", "fingerprint": f"f{number}", "name": f"Errors{number % 50}",
            "labels": {"service": f"s{number % 300}"}, "starts_at": NOON.isoformat()}  # fmt: skip
    word = "resolved" if kind == "alert_resolved" else "firing: host 10.0.0.7 answers 503"
    return kind, "source:alertmanager", f"Errors{number % 50} {word}", data

"""Appends to the record and proves that nobody touched it."""

import hmac
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from bot.log import redact_text
from bot.store import now
from bot.timeline.chain import GENESIS, row_hash, seal
from bot.timeline.tables import Entry, Head


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a chain, in words."""

    incident_id: int
    seq: int
    problem: str


class Ledger:
    """Writes the timeline. Rows are only ever added, in the transaction that caused them."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    async def append(
        self,
        session: AsyncSession,
        incident_id: int,
        kind: str,
        actor: str,
        text: str,
        *,
        data: dict[str, Any] | None = None,
        link: str = "",
        at: datetime | None = None,
    ) -> Entry:
        """Adds a row; locks the incident's chain until the transaction ends.

        ``kind`` is in the past tense (``incident_declared``), ``actor`` is ``jackline``,
        ``person:<id>`` or ``source:<id>``. Credentials in text and data are cut out first.
        """
        query = select(Head).where(Head.incident_id == incident_id).with_for_update()
        head = (await session.execute(query)).scalar_one_or_none()
        previous, seq = (head.hash, head.seq + 1) if head else (GENESIS, 1)
        at, text, clean = at or now(), redact_text(text), _clean(data or {})
        digest = row_hash(incident_id, seq, at, kind, actor, text, clean, link, previous)
        entry = Entry(
            incident_id=incident_id, seq=seq, at=at, kind=kind, actor=actor, text=text,
            data=clean, link=link, previous=previous, hash=digest,
        )  # fmt: skip
        session.add(entry)
        mark = seal(self._key, incident_id, seq, digest)
        if head is None:
            session.add(Head(incident_id=incident_id, seq=seq, hash=digest, seal=mark))
        else:
            head.seq, head.hash, head.seal = seq, digest, mark
        await session.flush()
        return entry

    async def verify(self, session: AsyncSession, incident_id: int | None = None) -> list[Problem]:
        """Every break in one chain, or in all: edited, deleted, reordered, cut off, added."""
        heads = {h.incident_id: h for h in (await session.execute(select(Head))).scalars()}
        query = select(Entry.incident_id).distinct()
        known = set((await session.execute(query)).scalars()) | set(heads)
        wanted = sorted(known if incident_id is None else {incident_id} & known)
        problems: list[Problem] = []
        for each in wanted:
            problems += self._verify_one(await rows_of(session, each), heads.get(each), each)
        return problems

    def _verify_one(self, rows: list[Entry], head: Head | None, incident_id: int) -> list[Problem]:
        problems: list[Problem] = []
        previous = GENESIS
        for expected, row in enumerate(rows, start=1):
            if row.seq != expected:
                text = f"row {expected} is missing (next is {row.seq})"
                return [*problems, Problem(incident_id, expected, text)]
            digest = row_hash(
                incident_id, row.seq, row.at, row.kind, row.actor, row.text, row.data, row.link,
                row.previous,
            )  # fmt: skip
            if digest != row.hash:
                problems.append(Problem(incident_id, row.seq, "the row was edited"))
            elif row.previous != previous:
                problems.append(Problem(incident_id, row.seq, "does not follow the row before it"))
            previous = row.hash
        return problems + self._verify_end(rows, head, incident_id)

    def _verify_end(self, rows: list[Entry], head: Head | None, incident_id: int) -> list[Problem]:
        last = rows[-1].seq if rows else 0
        if head is None:
            return [Problem(incident_id, last, "the chain's seal is gone")]
        if not hmac.compare_digest(head.seal, seal(self._key, incident_id, head.seq, head.hash)):
            return [Problem(incident_id, head.seq, "the seal was not made with this audit key")]
        if last != head.seq:
            return [Problem(incident_id, last, f"the end is cut off: {head.seq} rows were sealed")]
        if rows and rows[-1].hash != head.hash:
            return [Problem(incident_id, last, "the last row is not the one that was sealed")]
        return []


async def rows_of(session: AsyncSession, incident_id: int, after: int = 0) -> list[Entry]:
    """An incident's rows in order, those after ``after``."""
    query = (
        select(Entry)
        .where(Entry.incident_id == incident_id, col(Entry.seq) > after)
        .order_by(col(Entry.seq))
    )
    return list((await session.execute(query)).scalars())


def _clean(value: Any) -> Any:  # noqa: ANN401 - JSON of any shape
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, dict):
        return {str(k): _clean(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(v) for v in value]
    return value

"""Appends to the record and proves that nobody touched it."""

import hmac
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert
from sqlalchemy import text as sql
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session
from sqlmodel import col, select

from bot.log import redact_text
from bot.store import now
from bot.timeline.chain import GENESIS, row_hash, seal
from bot.timeline.tables import Entry, Head

_EXACT = 2**53  # from here on JSON numbers lose their last digits
_HEAD = sql(
    "INSERT INTO timeline_head (incident_id, seq, hash, seal) VALUES (:incident, 0, :genesis, '') "
    "ON CONFLICT (incident_id) DO UPDATE SET incident_id = excluded.incident_id "
    "RETURNING seq, hash"
)
_ADD = insert(Entry.__table__)  # type: ignore[attr-defined]  # SQLModel does not declare it
_END = sql(
    "UPDATE timeline_head SET seq = :seq, hash = :hash, seal = :seal WHERE incident_id = :incident"
)


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
    ) -> None:
        """Adds a row in the session's transaction, behind what the session has to write."""

        def put(plain: Session) -> None:
            plain.flush()
            self.put(
                plain.connection(), incident_id, kind, actor, text, data=data, link=link, at=at
            )

        await session.run_sync(put)

    def put(
        self,
        connection: Connection,
        incident_id: int,
        kind: str,
        actor: str,
        text: str,
        *,
        data: dict[str, Any] | None = None,
        link: str = "",
        at: datetime | None = None,
    ) -> None:
        """Adds a row; locks the incident's chain until the transaction ends.

        ``kind`` is in the past tense (``incident_declared``), ``actor`` is ``jackline``,
        ``person:<id>`` or ``source:<id>``. Credentials in text and data are cut out first.
        """
        first = {"incident": incident_id, "genesis": GENESIS}
        head = connection.execute(
            _HEAD, first
        ).one()  # locked, so that two first rows queue as well
        row = {
            "incident_id": incident_id, "seq": head.seq + 1, "at": at or now(), "kind": kind,
            "actor": actor, "text": _clean(text), "data": _clean(data or {}),
            "link": _clean(link), "previous": head.hash,
        }  # fmt: skip
        digest = row_hash(**row)
        connection.execute(_ADD, {**row, "hash": digest})
        sealed = seal(self._key, incident_id, row["seq"], digest)
        end = {"incident": incident_id, "seq": row["seq"], "hash": digest, "seal": sealed}
        connection.execute(_END, end)

    async def verify(
        self,
        session: AsyncSession,
        incident_id: int | None = None,
        *,
        expected: Collection[int] = (),
    ) -> list[Problem]:
        """Every break in one chain, or in all: edited, deleted, reordered, cut off, added.

        ``expected`` are incidents that must have a chain: one taken away whole leaves no trace
        in the chains of the others.
        """
        heads = {h.incident_id: h for h in (await session.execute(select(Head))).scalars()}
        query = select(Entry.incident_id).distinct()
        known = set((await session.execute(query)).scalars()) | set(heads) | set(expected)
        wanted = sorted(known if incident_id is None else {incident_id} & known)
        problems: list[Problem] = []
        for each in wanted:
            try:
                rows = await rows_of(session, each)
            except (ValueError, TypeError):  # a column holds what we would never write
                problems.append(Problem(each, 0, "a row cannot be read: it was edited"))
                continue
            problems += self._verify_one(rows, heads.get(each), each)
        return problems

    def _verify_one(self, rows: list[Entry], head: Head | None, incident_id: int) -> list[Problem]:
        problems: list[Problem] = []
        previous = GENESIS
        for expected, row in enumerate(rows, start=1):
            if row.seq != expected:
                text = f"row {expected} is missing (next is {row.seq})"
                return [*problems, Problem(incident_id, expected, text)]
            if _digest(row) != row.hash:
                problems.append(Problem(incident_id, row.seq, "the row was edited"))
            elif row.previous != previous:
                problems.append(Problem(incident_id, row.seq, "does not follow the row before it"))
            previous = row.hash
        return problems + self._verify_end(rows, head, incident_id)

    def _verify_end(self, rows: list[Entry], head: Head | None, incident_id: int) -> list[Problem]:
        last = rows[-1].seq if rows else 0
        if head is None and not rows:
            return [Problem(incident_id, 0, "the whole record is gone")]
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


def entry_json(entry: Entry) -> dict[str, Any]:
    """One row, as the API and an export give it away."""
    return {
        "seq": entry.seq,
        "at": entry.at.isoformat(),
        "kind": entry.kind,
        "actor": entry.actor,
        "text": entry.text,
        "data": entry.data,
        "link": entry.link,
        "hash": entry.hash,
    }


def _digest(row: Entry) -> str:
    """What the row's hash should be; empty where it holds what has no canonical form."""
    try:
        return row_hash(
            row.incident_id, row.seq, row.at, row.kind, row.actor, row.text, row.data, row.link,
            row.previous,
        )  # fmt: skip
    except (ValueError, TypeError, AttributeError):
        return ""


def _clean(value: Any) -> Any:  # noqa: ANN401 - JSON of any shape
    """Without credentials, and in a form that both databases hand back as it was.

    Otherwise a row would be stored that could never be verified: no NUL and no half of a pair in
    text, no number that JSON readers disagree about.
    """
    if isinstance(value, str):
        return redact_text(value.encode("utf-8", "replace").decode().replace("\0", "\ufffd"))
    if isinstance(value, dict):
        return {_clean(str(k)): _clean(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(v) for v in value]
    if isinstance(value, int | float) and not -_EXACT < value < _EXACT:
        return str(value)
    return value

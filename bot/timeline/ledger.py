"""Appends to the record and proves that nobody touched it."""

import hmac
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import ColumnElement, Connection, Table, insert, select
from sqlalchemy import text as sql
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session
from sqlmodel import col

from bot.log import redact_text
from bot.store import now
from bot.timeline.chain import GENESIS, row_hash, seal
from bot.timeline.entry import Entry
from bot.timeline.tables import Head, Timeline

_EXACT = 2**53  # from here on JSON numbers lose their last digits
_HEAD = sql(
    "INSERT INTO timeline_head (incident_id, seq, hash, seal) VALUES (:incident, 0, :genesis, '') "
    "ON CONFLICT (incident_id) DO UPDATE SET incident_id = excluded.incident_id "
    "RETURNING seq, hash"
)
_TABLE = cast(Table, Timeline.__table__)  # type: ignore[attr-defined]  # SQLModel does not declare it
_ADD = insert(_TABLE)
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
        query = select(_TABLE.c.incident_id).distinct()
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
    return await entries(session, [incident_id], col(Timeline.seq) > after)


async def entries(
    session: AsyncSession, incidents: Collection[int] | None, *where: ColumnElement[bool],
    last: int | None = None,
) -> list[Entry]:  # fmt: skip
    """The rows of some incidents (None: of all) for which all of ``where`` holds, each incident's in order.

    ``last`` is how many of them, from the end.
    """
    if incidents is not None:
        where = (_TABLE.c.incident_id.in_(list(incidents)), *where)
    order = [_TABLE.c.incident_id, _TABLE.c.seq]
    query = select(_TABLE).where(*where).order_by(*order)
    if last is not None:
        query = select(_TABLE).where(*where).order_by(*(each.desc() for each in order)).limit(last)
    rows = [Entry(*row) for row in await session.execute(query)]
    return rows if last is None else rows[::-1]


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

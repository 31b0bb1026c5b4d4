"""What looks like a repeat and is none: an alert that fires again with the start that it had.

Alertmanager ends what Prometheus did not repeat in time, by a second too late or for the length of a
network's outage, and tells it anew with its first start. Taken for a repeat, it would count as ended
while it fires.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import exists, func, or_
from sqlalchemy import select as columns
from sqlalchemy.ext.asyncio import AsyncSession

from bot.alerts.deciding import Key
from bot.alerts.tables import StoredAlert, earlier, earlier_end

KEEPS = "keeps_start"  # of `bot.contract.Alert`, in a row on its way
# A notification that comes twice, or from a second Alertmanager, does so at once; a new one of a
# group comes after group_wait, which is 30 s by default.
LATE = timedelta(seconds=30)
_TABLE = StoredAlert.__table__  # type: ignore[attr-defined]  # SQLModel sets it on table classes
_A = _TABLE.c
_Identity = tuple[str, str, datetime, str]
_End = tuple[str, str, datetime]


class _Last(NamedTuple):
    """The last change of an alert."""

    status: str
    starts_at: datetime
    received_at: datetime


async def begin_anew(session: AsyncSession, rows: list[dict[str, Any]]) -> None:
    """Gives those rows that are no repeats a start of their own: when they came; their ends as well.

    Takes `KEEPS` out of every row.
    """
    rows = [row for row in rows if row.pop(KEEPS)]
    last = await _last(session, rows) if rows else {}
    rows = _turning(rows, last)
    known, ended = await _known(session, rows) if rows else (set(), set())
    for row in rows:
        key, identity = _key(row), _identity(row)
        before, at = last.get(key), row["received_at"]
        if identity in known:
            if before is None or before.status == row["status"] or at - before.received_at < LATE:
                continue  # a repeat
            if row["status"] == "resolved" and (*key, row["ends_at"]) in ended:
                continue  # the repeat of an earlier end, however late
            row["starts_at"] = at if row["status"] == "firing" else before.starts_at
            row["ends_at"] = row["ends_at"] and max(row["ends_at"], row["starts_at"])
        known.add(identity)
        if row["status"] == "resolved":
            if before and earlier(row["starts_at"], row["ends_at"], before.starts_at):
                continue  # of an earlier one, come late
            ended |= {(*key, row["ends_at"])} if row["ends_at"] else set()
        last[key] = _Last(row["status"], row["starts_at"], at)


def _turning(rows: list[dict[str, Any]], last: dict[Key, _Last]) -> list[dict[str, Any]]:
    """Those of alerts that do not only fire, or only end, as all others cannot begin anew."""
    states: dict[Key, set[str]] = {key: {change.status} for key, change in last.items()}
    for row in rows:
        states.setdefault(_key(row), set()).add(row["status"])
    return [row for row in rows if len(states[_key(row)]) > 1]


async def _last(session: AsyncSession, rows: Sequence[dict[str, Any]]) -> dict[Key, _Last]:
    fires = _TABLE.alias()
    late = exists().where(
        _A.status == "resolved", fires.c.status == "firing", fires.c.id < _A.id,
        fires.c.source == _A.source, fires.c.fingerprint == _A.fingerprint,
        earlier_end(_A, fires.c),
    )  # fmt: skip
    newest = columns(func.max(_A.id)).where(*_of(rows), ~late).group_by(_A.source, _A.fingerprint)
    query = columns(
        _A.source, _A.fingerprint, _A.status, _A.starts_at, _A.received_at
    ).where(_A.id.in_(newest))  # fmt: skip
    found = await session.execute(query)
    return {(source, fingerprint): _Last(*change) for source, fingerprint, *change in found}


async def _known(
    session: AsyncSession, rows: Sequence[dict[str, Any]]
) -> tuple[set[_Identity], set[_End]]:
    """What is stored: with the starts of these, and the ends at the times of theirs."""
    same = _A.starts_at.in_({row["starts_at"] for row in rows})
    ends = _A.ends_at.in_({row["ends_at"] for row in rows if row["ends_at"]})
    query = columns(_A.source, _A.fingerprint, _A.starts_at, _A.status, _A.ends_at)
    found = (await session.execute(query.where(*_of(rows), or_(same, ends)))).all()
    return {(r[0], r[1], r[2], r[3]) for r in found}, {(r[0], r[1], r[4]) for r in found if r[4]}


def _of(rows: Sequence[dict[str, Any]]) -> tuple[Any, Any]:
    sources, prints = ({row[name] for row in rows} for name in ("source", "fingerprint"))
    return _A.source.in_(sources), _A.fingerprint.in_(prints)


def _key(row: dict[str, Any]) -> Key:
    return row["source"], row["fingerprint"]


def _identity(row: dict[str, Any]) -> _Identity:
    return row["source"], row["fingerprint"], row["starts_at"], row["status"]

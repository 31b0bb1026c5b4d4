"""From what was accepted to the alerts that it holds.

Accepting costs one row a request; what makes alerts of it comes after the answer, many at once.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from msgspec import json
from sqlalchemy import delete, func, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.exc import SQLAlchemyError, StatementError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from bot.alerts.repeats import KEEPS, begin_anew
from bot.alerts.tables import Arrival, StoredAlert, has_ended
from bot.contract import Alert
from bot.log import get
from bot.store import Store, not_taken, now

log = get("alerts")
_CHUNK = 500  # alerts, about, that are made at once
_ALERTS = json.Decoder(list[Alert])
_WRITE = json.Encoder()
_TABLE = StoredAlert.__table__  # type: ignore[attr-defined]  # SQLModel sets it on table classes
_PENDING = select(Arrival.id, Arrival.size).where(Arrival.refused == "").order_by(col(Arrival.id))


def packed(alerts: Sequence[Alert]) -> dict[str, Any]:
    """The row of one request; its alerts are of one source."""
    return {
        "source": alerts[0].source,
        "received_at": now(),
        "size": len(alerts),
        "alerts": _WRITE.encode(alerts).decode(),
        "refused": "",
    }


async def oldest(session: AsyncSession, source: str = "") -> tuple[list[int], bool]:
    """The ids of what is to be made into alerts next, and whether more is waiting behind that.

    It is what one request brought, or several with some 500 alerts; perhaps only of one ``source``.
    """
    found: list[int] = []
    alerts = 0
    query = _PENDING.where(Arrival.source == source) if source else _PENDING
    for arrival_id, size in await session.execute(query.limit(_CHUNK)):
        if found and alerts + size > _CHUNK:
            return found, True
        found.append(arrival_id)
        alerts += size
    return found, len(found) == _CHUNK


async def unpack(session: AsyncSession, ids: Sequence[int]) -> None:
    """Makes alerts of these arrivals, in their order.

    A repeat, which has the identity of one that is stored, is left out: see `begin_anew`. What one of them
    raises may be its own fault: `at_fault` says so.
    """
    if not ids:
        return
    query = select(Arrival.received_at, Arrival.alerts).where(col(Arrival.id).in_(ids))
    # locked: who waits here, perhaps to count, finds that they are gone
    query = query.order_by(col(Arrival.id)).with_for_update()
    arrivals = (await session.execute(query)).all()
    rows = [row for received_at, alerts in arrivals for row in _rows(alerts, received_at)]
    if rows:
        await begin_anew(session, rows)
        sqlite = session.get_bind().dialect.name == "sqlite"
        new = (sqlite_insert if sqlite else postgresql_insert)(_TABLE)
        connection = await session.connection()
        await connection.execute(new.on_conflict_do_nothing(), rows)
    await session.execute(delete(Arrival).where(col(Arrival.id).in_(ids)))


def at_fault(error: Exception) -> bool:
    """Whether it comes from what was accepted, so that no other try helps: no database is away."""
    if isinstance(error, SQLAlchemyError | OSError):
        return not_taken(error) or type(error) is StatementError  # that is a value of no column's
    return not isinstance(error, MemoryError)


async def unpack_all(store: Store, source: str = "") -> None:
    """Makes alerts of all that was accepted, or of what one ``source`` sent."""
    while True:
        async with store.read() as session:
            ids, _ = await oldest(session, source)
        if not ids:
            return
        try:
            async with store.write() as session:
                await unpack(session, ids)
        except Exception as error:
            if not at_fault(error):
                raise
            await unpack_singly(store, source)


async def unpack_singly(store: Store, source: str = "") -> None:
    """The oldest, each on its own: what no alert can be made of is kept aside, for people."""
    async with store.read() as session:
        ids, _ = await oldest(session, source)
    for arrival_id in ids:
        try:
            async with store.write() as session:
                await unpack(session, [arrival_id])
        except Exception as error:
            if not at_fault(error):
                raise
            reason = str(getattr(error, "orig", None) or error) or type(error).__name__
            log.error("arrival_refused", arrival_id=arrival_id, error=reason)
            why = update(Arrival).where(col(Arrival.id) == arrival_id)
            async with store.write() as session:
                await session.execute(why.values(refused=reason[:1000]))


async def count_alerts(store: Store) -> dict[str, Any]:
    """``stored`` counts each accepted notification once; ``firing`` those not resolved since."""
    await unpack_all(store)  # what was accepted counts, whether or not anyone has looked at it yet
    async with store.read() as session:
        by_source = await session.execute(
            select(StoredAlert.source, func.count(col(StoredAlert.id))).group_by(StoredAlert.source)
        )
        sources = {str(source): int(number) for source, number in by_source.all()}
        fires = select(StoredAlert.source, StoredAlert.fingerprint).where(
            StoredAlert.status == "firing", ~has_ended()
        )
        firing = select(func.count()).select_from(fires.distinct().subquery())
        still = (await session.execute(firing)).scalar() or 0
    return {"stored": sum(sources.values()), "firing": still, "by_source": sources}


def _rows(alerts: str, received_at: datetime) -> Iterator[dict[str, Any]]:
    for alert in _ALERTS.decode(alerts):
        yield {
            "source": alert.source,
            "fingerprint": alert.fingerprint,
            "status": alert.status,
            "starts_at": alert.starts_at,
            "ends_at": alert.ends_at,
            "name": alert.name,
            "labels": alert.labels,
            "annotations": alert.annotations,
            "link": alert.link,
            "received_at": received_at,
            "state": "new",
            "decision": {},
            KEEPS: alert.keeps_start,
        }

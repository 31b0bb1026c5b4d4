"""What the simulator reads: the alerts of the last days, and what was so while they came.

Reads only.
"""

from collections.abc import AsyncIterator
from datetime import datetime

from sqlalchemy import func
from sqlalchemy import select as columns
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from bot.alerts.deciding import Key
from bot.alerts.replay import Accepted, Record
from bot.alerts.tables import Silence, StoredAlert, has_ended
from bot.incidents import Incident
from bot.timeline import Timeline

_AT_ONCE = 1000  # rows
_TABLE = StoredAlert.__table__  # type: ignore[attr-defined]  # SQLModel sets it on table classes


async def record_since(session: AsyncSession, since: datetime) -> Record:
    """What was open then, and what people did since."""
    silences = (await session.execute(select(Silence).order_by(col(Silence.id)))).scalars()
    incidents = list((await session.execute(select(Incident).order_by(col(Incident.id)))).scalars())
    cancelled = await _cancelled(session)
    ends = {i.number: i.resolved_at or cancelled.get(i.number) for i in incidents}
    given = []
    for incident in incidents:
        end = ends[incident.number]
        by_alert = incident.declared_by.startswith("source:")
        if (end is None or end > since) and not (by_alert and incident.declared_at >= since):
            given.append(incident)
    known = {incident.number for incident in given}
    return Record(since, list(silences), ends, given, await _firing(session, since, known))


async def count_since(session: AsyncSession, since: datetime) -> tuple[int, int]:
    """How many alerts came, and how many incidents they opened."""
    came = select(func.count(col(StoredAlert.id))).where(col(StoredAlert.received_at) >= since)
    opened = select(func.count(col(Incident.id))).where(
        col(Incident.declared_at) >= since, col(Incident.declared_by).startswith("source:")
    )
    return (await session.execute(came)).scalar_one(), (await session.execute(opened)).scalar_one()


async def alerts_since(session: AsyncSession, since: datetime) -> AsyncIterator[Accepted]:
    """In the order in which they were accepted."""
    query = (
        columns(*(_TABLE.c[name] for name in Accepted._fields))
        .where(_TABLE.c.received_at >= since)
        .order_by(_TABLE.c.id)
        .execution_options(yield_per=_AT_ONCE)
    )
    async for row in await session.stream(query):
        yield Accepted(*row)


async def _cancelled(session: AsyncSession) -> dict[int, datetime]:
    """When: of those that were resolved the incident itself knows it."""
    query = (
        select(Timeline.incident_id, func.max(Timeline.at))
        .join(Incident, col(Incident.id) == col(Timeline.incident_id))
        .where(Timeline.kind == "status_changed", Incident.status == "cancelled")
        .group_by(col(Timeline.incident_id))
    )
    return {row[0]: row[1] for row in await session.execute(query)}


async def _firing(
    session: AsyncSession, since: datetime, incidents: set[int]
) -> dict[Key, tuple[int, datetime]]:
    a = _TABLE.c
    query = columns(a.source, a.fingerprint, a.incident_id, a.starts_at).where(
        a.incident_id.in_(incidents), a.status == "firing", a.received_at < since, ~has_ended(),
    ).order_by(a.id)  # fmt: skip
    found = await session.execute(query)
    return {(source, name): (number, began) for source, name, number, began in found}

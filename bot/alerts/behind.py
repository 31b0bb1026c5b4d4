"""Whether what was accepted is also worked on: what Jackline's own sign of life stands for.

A process can live, and accept, while nobody is told: its database is away, or its router stands.
"""

import asyncio
from datetime import datetime, timedelta

from sqlalchemy import func
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from bot.alerts.tables import Arrival, StoredAlert
from bot.store import Store, is_away, now

LONGEST = timedelta(minutes=5)
"""A storm of ten thousand alerts is routed in less."""
_PATIENCE = 10.0  # seconds


async def oldest_waiting(session: AsyncSession) -> datetime | None:
    """When the oldest accepted alert came that is not routed yet. What is set aside waits for a person."""
    arrived = select(func.min(col(Arrival.received_at))).where(Arrival.refused == "")
    stored = select(func.min(col(StoredAlert.received_at))).where(StoredAlert.state == "new")
    found = [(await session.execute(query)).scalar() for query in (arrived, stored)]
    return min((each for each in found if each is not None), default=None)


async def standstill(store: Store) -> str:
    """Why nobody may rely on this Jackline now, though it runs; empty where all is well."""
    try:
        async with asyncio.timeout(_PATIENCE), store.read() as session:
            oldest = await oldest_waiting(session)
    except Exception as error:
        if not is_away(error):
            raise
        return "the database does not answer"
    waited = now() - oldest if oldest is not None else timedelta()
    if waited < LONGEST:
        return ""
    return f"an alert accepted {waited.total_seconds() / 60:.0f} minutes ago is not routed"

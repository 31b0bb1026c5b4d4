"""Queries that must go by an index, whatever PostgreSQL's planner expects."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

_SET = text("SELECT set_config('enable_seqscan', :to, true), set_config('enable_indexscan', :to, true)")  # fmt: skip


@asynccontextmanager
async def by_index(session: AsyncSession) -> AsyncIterator[None]:
    """Inside, bitmaps of full-text indexes are read rather than tables; nothing changes on SQLite.

    It ends with the transaction, also where that fails.
    """
    postgresql = session.get_bind().dialect.name == "postgresql"
    if postgresql:
        await session.execute(_SET, {"to": "off"})
    yield
    if postgresql:
        await session.execute(_SET, {"to": "on"})

"""The migrations and the table classes say the same, on both engines."""

import asyncio

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection
from sqlmodel import SQLModel

import bot.alerts
import bot.postmortems
import bot.runbooks
from bot.store import Store

ROOMS_WITH_TABLES = (bot.alerts, bot.postmortems, bot.runbooks)  # these import all the others


async def test_migrations_make_what_the_classes_declare(store: Store) -> None:
    """No column, index or constraint is missing on either side."""

    def compare(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, SQLModel.metadata))

    async with store.engine.connect() as connection:
        assert await connection.run_sync(compare) == []


async def test_several_replicas_may_migrate_at_once(database_url: str) -> None:
    """The migration takes a lock; the losers find that nothing is left to do."""
    stores = [Store(database_url) for _ in range(3)]
    await asyncio.gather(*(s.migrate() for s in stores))
    for each in stores:
        await each.close()

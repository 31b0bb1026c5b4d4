"""The migrations and the table classes say the same, on both engines."""

import asyncio
import sys

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlmodel import SQLModel

import bot.app
from bot.delivery import Binding
from bot.store import Store

EVERY_ROOM = bot.app  # wires them all, and so declares every table


async def test_migrations_make_what_the_classes_declare(store: Store) -> None:
    """No column, index or constraint is missing on either side; the search's index is no class's."""

    def ours(name: str | None, kind: str, _: object) -> bool:
        return not (
            kind in ("table", "index") and (name or "").startswith(("search_", "ix_search_"))
        )

    def compare(connection: Connection) -> list[object]:
        opts = {"compare_type": True, "include_name": ours}
        context = MigrationContext.configure(connection, opts=opts)
        return list(compare_metadata(context, SQLModel.metadata))

    async with store.engine.connect() as connection:
        assert await connection.run_sync(compare) == []


async def test_several_replicas_may_migrate_at_once(bare_url: str) -> None:
    """The migration takes a lock; the losers find that nothing is left to do."""
    stores = [Store(bare_url) for _ in range(3)]
    await asyncio.gather(*(s.migrate() for s in stores))
    for each in stores:
        await each.close()


MIGRATE = """
import asyncio, sys
from bot.store import Store

async def main():
    store = Store(sys.argv[1])
    await store.migrate()
    await store.close()

asyncio.run(main())
"""


@pytest.mark.server
async def test_two_processes_migrate_at_once(bare_url: str) -> None:
    """Real processes on an empty database: both end well, and the tables are there once."""
    migrating = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", MIGRATE, bare_url, stderr=asyncio.subprocess.PIPE
        )
        for _ in range(2)
    ]
    for process in migrating:
        _, errors = await process.communicate()
        assert process.returncode == 0, errors.decode()
    store = Store(bare_url)
    async with store.read() as session:
        versions = (await session.execute(text("SELECT version_num FROM alembic_version"))).all()
    assert len(versions) == 1
    await store.close()


async def test_migrating_again_changes_nothing(store: Store) -> None:
    """What is stored stays, whoever starts when."""
    async with store.write() as session:
        session.add(Binding(surface="s", key="k"))
    await store.migrate()
    async with store.read() as session:
        assert await session.get(Binding, ("s", "k")) is not None

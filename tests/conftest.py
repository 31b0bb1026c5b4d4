"""Fixtures every suite may use."""

import asyncio
import logging
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import structlog

from bot.store import Store

pytest_plugins = ["tests.servers.fixtures"]


@pytest.fixture(autouse=True)
def _own_log(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a test captures is closed after it: nobody may go on logging there.

    Nor is what was a password in one test cut out of the words of the next.
    """
    handlers = logging.root.handlers[:]
    monkeypatch.setattr("bot.log._known", set())
    yield
    structlog.reset_defaults()
    logging.root.handlers[:] = handlers


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.server)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database, once on each engine that Jackline runs on."""
    if request.param == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path}/jackline.db"
    else:
        yield request.getfixturevalue("postgres_url")


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with all tables: copied in a tenth of the time that making them takes."""
    path = tmp_path_factory.mktemp("migrated") / "jackline.db"

    async def make() -> None:
        store = Store(f"sqlite+aiosqlite:///{path}")
        await store.migrate()
        await store.close()

    asyncio.run(make())
    return path


@pytest.fixture
async def store(database_url: str, migrated: Path) -> AsyncIterator[Store]:
    """A migrated store."""
    if database_url.startswith("sqlite"):
        shutil.copy(migrated, database_url.removeprefix("sqlite+aiosqlite:///"))
    opened = Store(database_url)
    await opened.migrate()
    yield opened
    await opened.close()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A file's tests share servers, so one worker has them all; the longest file's need none."""
    for item in items:
        alone = item.get_closest_marker("alone") is not None
        item.add_marker(pytest.mark.xdist_group(item.nodeid if alone else str(item.path)))

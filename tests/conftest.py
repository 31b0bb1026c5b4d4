"""Fixtures every suite may use."""

import asyncio
import fcntl
import gc
import logging
import shutil
from collections.abc import AsyncIterator, Generator, Iterator
from pathlib import Path

import hypothesis
import pytest
import structlog

from bot.store import Store
from tests.servers.postgres import Postgres

pytest_plugins = ["tests.databases", "tests.servers.fixtures", "tests.sharing"]
# How long examples take, and their making, says how busy the machine is.
hypothesis.settings.register_profile(
    "jackline", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("jackline")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What is imported and collected stays: looking it through for garbage took half of the time."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(10_000, 20, 20)  # a test makes much and keeps nothing
        gc.enable()


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


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A SQLite file with all tables: copied in a tenth of the time that making them takes.

    The first of several workers makes it for all.
    """
    own = tmp_path_factory.getbasetemp()
    folder = own if worker_id == "master" else own.parent
    path, made = folder / "migrated.db", own / "migrated.db.new"
    with (folder / "migrated.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            asyncio.run(_migrate(f"sqlite+aiosqlite:///{made}"))
            made.rename(path)
    return path


@pytest.fixture(scope="session")
def migrated_postgres(postgres_server: Postgres) -> str:
    """The URL of a database with all tables, emptied for each test that asks for one.

    A database of each test's own costs ten times as much, and a copy of this one is no cheaper.
    """
    url = postgres_server.create_database()
    asyncio.run(_migrate(url))
    return url


async def _migrate(url: str) -> None:
    store = Store(url)
    await store.migrate()
    await store.close()


ENGINES = ["sqlite", pytest.param("postgresql", marks=pytest.mark.server)]


@pytest.fixture(params=ENGINES)
def bare_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without tables, once on each engine that Jackline runs on."""
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path}/jackline.db"
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture
def sqlite_url(tmp_path: Path, migrated: Path) -> str:
    """A SQLite file with all tables and no rows, for what need not be seen on each engine."""
    return f"sqlite+aiosqlite:///{shutil.copy(migrated, tmp_path / 'jackline.db')}"


@pytest.fixture(params=ENGINES)
def database_url(request: pytest.FixtureRequest) -> str:
    """A database with all tables and no rows, once on each engine that Jackline runs on."""
    return a_database(request.param, request)


def a_database(engine: str, request: pytest.FixtureRequest) -> str:
    """One with all tables and no rows."""
    if engine == "sqlite":
        return str(request.getfixturevalue("sqlite_url"))
    url = str(request.getfixturevalue("migrated_postgres"))
    request.getfixturevalue("postgres_server").empty(url.rpartition("/")[2])
    return url


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    """A store over each engine."""
    opened = Store(database_url)
    yield opened
    await opened.close()


@pytest.fixture
async def sqlite_store(sqlite_url: str) -> AsyncIterator[Store]:
    """A store over SQLite alone."""
    opened = Store(sqlite_url)
    yield opened
    await opened.close()

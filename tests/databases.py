"""What every test's database costs, but need not.

A Jackline has one engine for as long as it lives; here each test has its own, and SQLAlchemy keeps
what it has compiled for one engine only: that was a tenth of all the time. And it outlives a power
cut, which costs milliseconds at each commit; what a test stores need only outlive processes.
"""

from typing import Any

import pytest
from sqlalchemy import Connection, event
from sqlalchemy.engine import Engine
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.pool import ConnectionPoolEntry, Pool

_compiled: dict[Any, Any] = {}
_outlives = {"power cuts": False}


@pytest.fixture
def durable(monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite as Jackline opens it, for what is said of that."""
    monkeypatch.setitem(_outlives, "power cuts", True)


def pytest_configure() -> None:
    share_what_is_compiled()
    _do_not_wait_for_the_disk()


def share_what_is_compiled() -> None:
    """All engines of this process that speak the same dialect use one another's statements."""
    DefaultDialect.__eq__ = lambda self, other: type(self) is type(other)  # type: ignore[method-assign]
    DefaultDialect.__hash__ = lambda self: hash(type(self))  # type: ignore[method-assign]

    @event.listens_for(Engine, "engine_connect")
    def _share(connection: Connection) -> None:
        connection.execution_options(compiled_cache=_compiled)


def _do_not_wait_for_the_disk() -> None:
    """SQLite's files are left to the system to write; Jackline's own listener has them synced."""

    @event.listens_for(Pool, "checkout")
    def _hurry(connection: Any, entry: ConnectionPoolEntry, _proxy: object) -> None:
        if "hurried" not in entry.info:
            entry.info["hurried"] = True
            if "sqlite" in type(connection).__module__ and not _outlives["power cuts"]:
                cursor = connection.cursor()
                cursor.execute("PRAGMA synchronous=OFF")
                cursor.close()

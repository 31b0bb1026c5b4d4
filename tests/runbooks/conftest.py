"""The room over each database, with the integrations as Jackline itself loads them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from bot.registry import Registry, load
from bot.store import Store
from tests.runbooks.room import Room, write_folder
from tests.servers.fixtures import Start
from tests.servers.http_app import HttpApp

MakeRoom = Callable[..., Room]


@pytest.fixture(scope="session")
def registry() -> Registry:
    return load()


@pytest.fixture
def make_room(store: Store, registry: Registry, tmp_path: Path) -> MakeRoom:
    """`make_room(text, http__shop=url)`: one runbook, its targets, everything wired."""

    def make(text: str, **targets: str) -> Room:
        room = Room(store, write_folder(tmp_path / "runbooks", text, **targets), registry)
        assert room.library.problems == {}
        return room

    return make


@pytest.fixture
def shop(http_server: Start[HttpApp]) -> HttpApp:
    return http_server("shop")

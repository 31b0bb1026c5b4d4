"""The room for stories. On SQLite alone: that the engine does the same on both is tested elsewhere."""

import pytest

from bot.store import Store
from tests.runbooks.conftest import make_room, registry

__all__ = ["make_room", "registry"]


@pytest.fixture
def store(sqlite_store: Store) -> Store:
    return sqlite_store

"""The room for stories. On SQLite alone: that the engine does the same on both is tested elsewhere."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.store import Store
from tests.runbooks.conftest import make_room, registry

__all__ = ["make_room", "registry"]


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    """A migrated store."""
    opened = Store(f"sqlite+aiosqlite:///{tmp_path}/jackline.db")
    await opened.migrate()
    yield opened
    await opened.close()

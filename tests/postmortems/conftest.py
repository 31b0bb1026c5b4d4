"""A postmortem to work on, over each database."""

from pathlib import Path

import pytest

from bot.store import Store
from tests.postmortems.room import Room, papers_room


@pytest.fixture
async def room(store: Store, tmp_path: Path) -> Room:
    return await papers_room(store, tmp_path)

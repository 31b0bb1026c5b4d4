"""A world over each database, a clock that is moved by hand, and Rosa's phone."""

from pathlib import Path
from typing import Any

import pytest
import time_machine

from bot.store import Store, now
from tests.chat.console_world import World
from tests.chat.signin.people import Phone, set_up


@pytest.fixture
def world(tmp_path: Path, store: Store, quick_hashes: None) -> World:
    return World(tmp_path, store)


@pytest.fixture
def clock() -> Any:
    """Ten seconds into the half minute of a code: a second later it is the same code."""
    with time_machine.travel(now().replace(second=10, microsecond=0), tick=False) as moved:
        yield moved


@pytest.fixture
async def phone(world: World, clock: time_machine.Traveller) -> Phone:
    """Rosa's, after she followed a link and set both up; a second later."""
    secret = await set_up(await world.signed_in())
    clock.shift(1)
    return Phone(world, secret, clock)

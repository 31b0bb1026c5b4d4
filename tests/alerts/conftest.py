"""The room over each database: intake, router and checks as `bot.app` wires them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from bot.store import Store
from tests.alerts.room import Room
from tests.servers.fixtures import Start
from tests.servers.http_app import Answer, HttpApp


@pytest.fixture
async def room(store: Store) -> AsyncIterator[Room]:
    """A room whose intake is at work; the router works when a test says so."""
    made = Room(store)
    task = asyncio.create_task(made.intake.run())
    yield made
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


@pytest.fixture
def target(http_server: Start[HttpApp]) -> HttpApp:
    app = http_server("numbers")
    app.default = Answer(body="42")
    return app

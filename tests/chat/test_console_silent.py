"""The console while the database hangs: words within seconds, and no page that only looks live."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import psutil
import pytest

from bot.chat.console import guard, looks
from bot.store import Store
from tests.chat.console_world import HTMX, World
from tests.servers.fixtures import Start
from tests.servers.postgres import Postgres

pytestmark = pytest.mark.server


@pytest.fixture
async def hung(
    tmp_path: Path, postgres_factory: Start[Postgres], monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[httpx.AsyncClient]:
    """Rosa's browser; then everything of PostgreSQL is stopped, and no connection breaks."""
    monkeypatch.setattr(guard, "PATIENCE", 2.0)
    monkeypatch.setattr(looks, "PATIENCE", 1.0)
    server = postgres_factory()
    store = Store(server.create_database())
    await store.migrate()
    world = World(tmp_path, store)
    browser = await world.signed_in()
    await world.incident()
    assert (await browser.get("/incidents/1")).status_code == 200
    process = psutil.Process(server.process.popen.pid)
    frozen = [process, *process.children(recursive=True)]
    for each in frozen:
        each.suspend()
    try:
        yield browser
    finally:
        for each in frozen:
            each.resume()
        await store.close()


async def test_a_database_that_hangs_is_said(hung: httpx.AsyncClient) -> None:
    """A page, a note and the stream of a page: none is left waiting without an end."""
    note = {"incident": "1", "text": "DNS is fine", "key": "n" * 12}
    began = time.monotonic()
    async with asyncio.timeout(40):
        page, said, stream = await asyncio.gather(
            hung.get("/incidents/1"),
            hung.post("/say", data=note, headers=HTMX),
            hung.get("/events"),
        )
    assert time.monotonic() - began < 20
    assert [page.status_code, said.status_code, stream.status_code] == [503, 503, 200]
    assert "The database does not answer." in page.text
    assert "The database does not answer." in said.text
    assert "event: changed" not in stream.text

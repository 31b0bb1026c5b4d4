"""PostgreSQL's host dies or the network parts: nobody says so, and nobody waits for it for long."""

import asyncio
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from bot.store import Store, postgresql
from tests.servers.fixtures import Start
from tests.servers.netns import Network, network
from tests.servers.postgres import Postgres
from tests.servers.process import port_open, wait_for
from tests.servers.tools import require

pytestmark = pytest.mark.server
PORT = 5432


@pytest.fixture
def net() -> Iterator[Network]:
    with network(1) as found:
        yield found


@pytest.fixture
async def store(
    net: Network, postgres_factory: Start[Postgres], monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Store]:
    """Of a database whose address is in a network of its own."""
    monkeypatch.setattr(postgresql, "SILENT", 2.0)
    monkeypatch.setattr(postgresql, "REACHED", 2.0)
    server, place = postgres_factory(), net.places[0]
    url = make_url(server.create_database()).set(host=place.host, port=PORT)
    unix = Path(server.folder) / f".s.PGSQL.{server.port}"
    words = [*place.prefix, require("socat"), f"TCP-LISTEN:{PORT},fork", f"UNIX-CONNECT:{unix}"]
    with subprocess.Popen(words) as relay:
        try:
            wait_for(lambda: port_open(PORT, place.host), what="the relay")
            opened = Store(url.render_as_string(hide_password=False))
            await opened.look(text("SELECT 1"), {})
            yield opened
            await opened.close()
        finally:
            relay.terminate()


@pytest.mark.parametrize("asked", ["before", "meanwhile"])
async def test_a_host_that_is_gone_is_given_up(net: Network, store: Store, asked: str) -> None:
    """What is asked then, and what waited for its answer, fails in seconds; later all is well."""
    query = text("SELECT pg_sleep(3600)" if asked == "before" else "SELECT 1")
    waits = asyncio.create_task(store.look(query, {})) if asked == "before" else None
    await asyncio.sleep(0.3)
    net.cut(0)
    began = time.monotonic()
    with pytest.raises((DBAPIError, OSError)):
        async with asyncio.timeout(60):
            await (waits or store.look(query, {}))
    assert time.monotonic() - began < 20
    net.mend(0)
    assert await store.look(text("SELECT 1"), {})

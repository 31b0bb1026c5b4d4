"""Alive, ready, and what is said while the database is away."""

import asyncio
import time
from pathlib import Path

import psutil
import pytest
from sqlalchemy.ext.asyncio import create_async_engine

from tests.e2e.harness import firing
from tests.servers.fixtures import Start
from tests.servers.postgres import Postgres
from tests.web.conftest import Open, Web, is_problem


async def test_alive_and_ready(web: Web) -> None:
    assert (await web.http.get("/healthz")).json() == {"status": "ok"}
    assert (await web.http.get("/readyz")).json() == {"status": "ready"}


async def test_metrics_are_an_exposition_that_parses(web: Web) -> None:
    """The gauges stand there from the start, at nothing."""
    answer = await web.http.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    for name in ("incidents_open", "alerts_waiting", "outbox_unsent", "runs_unknown"):
        assert f"\njackline_{name} 0.0" in answer.text


async def test_an_unsent_delivery_shows_with_its_age(web: Web) -> None:
    async with web.jackline.store.write() as session:
        web.jackline.outbox.surfaces = ("slack",)
        await web.jackline.outbox.set_topic(session, 1, "topic")
    assert await web.metric("jackline_outbox_unsent") == 1
    assert 0 < await web.metric("jackline_outbox_oldest_seconds") < 10


async def away(web: Web) -> None:
    """What every route must say then: 503 with a time to come back, and still alive.

    Alerts are taken all the same: into the spool.
    """
    meanwhile = firing("Meanwhile")
    meanwhile["alerts"][0]["fingerprint"] = "meanwhile"
    assert (await web.alert(meanwhile)).status_code == 200
    for answer in (
        await web.http.get("/readyz"),
        await web.api("/incidents"),
        await web.http.get("/metrics"),
    ):
        is_problem(answer, 503)
        assert answer.headers["retry-after"] == "5"
    assert (await web.http.get("/healthz")).status_code == 200


async def stored(web: Web, count: int) -> None:
    """Waits until so many alerts are in the database."""
    async with asyncio.timeout(30):
        while (await web.api("/alerts/count")).json()["stored"] != count:
            await asyncio.sleep(0.05)


async def test_the_sqlite_file_is_gone(open_alone: Open, tmp_path: Path) -> None:
    """Not ready; all of it well again when the file is back, the alert of meanwhile in it."""
    file, hidden = tmp_path / "own" / "j.db", tmp_path / "hidden"
    async with open_alone() as web:
        await web.jackline.store.engine.dispose()  # an open connection would outlive the file
        file.parent.rename(hidden)
        await away(web)
        hidden.rename(file.parent)
        assert (await web.http.get("/readyz")).status_code == 200
        assert (await web.alert(firing())).status_code == 200
        await stored(web, 2)


@pytest.mark.server
async def test_postgresql_is_gone(open_alone: Open, postgres_factory: Start[Postgres]) -> None:
    """Killed under open connections: 503 until it is back, then well without a restart of ours."""
    postgres = postgres_factory()
    async with open_alone(DATABASE_URL=postgres.create_database()) as web:
        assert (await web.alert(firing())).status_code == 200
        postgres.crash()
        await away(web)
        postgres.start()
        assert (await web.http.get("/readyz")).status_code == 200
        await stored(web, 2)


async def test_the_databases_name_is_not_found(open_alone: Open) -> None:
    """The name service is down, and with it the way to the database: away like any other."""
    async with open_alone() as web:
        store = web.jackline.store
        here, store.engine = (
            store.engine,
            create_async_engine("postgresql+asyncpg://j@db.invalid/j"),
        )
        store.is_sqlite = False
        await away(web)
        await store.engine.dispose()
        store.engine, store.is_sqlite = here, True
        await stored(web, 1)


@pytest.mark.server
async def test_postgresql_says_nothing(open_alone: Open, postgres_factory: Start[Postgres]) -> None:
    """A database that hangs is not ready either, and we say so within seconds."""
    postgres = postgres_factory()
    async with open_alone(DATABASE_URL=postgres.create_database()) as web:
        assert (await web.http.get("/readyz")).status_code == 200
        server = psutil.Process(postgres.process.popen.pid)
        frozen = [server, *server.children(recursive=True)]
        for process in frozen:
            process.suspend()
        began = time.monotonic()
        try:
            answers = await asyncio.gather(*(web.http.get("/readyz") for _ in range(3)))
        finally:
            took = time.monotonic() - began
            for process in frozen:
                process.resume()
        for answer in answers:
            is_problem(answer, 503)
        assert took < 8
        assert (await web.http.get("/readyz")).status_code == 200


async def test_what_is_kept_nowhere_is_never_acknowledged(web: Web, tmp_path: Path) -> None:
    """The table is not there, nor a place for the spool: 503, and nothing is counted as accepted."""
    async with web.jackline.store.engine.begin() as connection:
        await connection.exec_driver_sql("ALTER TABLE arrival RENAME TO gone")
    spool = tmp_path / "data" / "spool"
    spool.write_text("in the way")
    is_problem(await web.alert(firing()), 503)
    spool.unlink()
    assert (await web.alert(firing())).status_code == 200
    async with web.jackline.store.engine.begin() as connection:
        await connection.exec_driver_sql("ALTER TABLE gone RENAME TO arrival")
    await stored(web, 1)
    assert await web.metric("jackline_alerts_accepted_total", source="alertmanager") == 1

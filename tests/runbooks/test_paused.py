"""An owner that is paused past its lease, and a database that goes away in the middle of a step."""

import asyncio
import os
import signal
import sys
import threading
from datetime import timedelta
from pathlib import Path

import pytest

from bot.registry import Registry
from bot.store import Store
from tests.runbooks.conftest import MakeRoom
from tests.runbooks.room import CALL, Room, runbook, running, write_folder
from tests.servers.fixtures import Start
from tests.servers.http_app import Answer, HttpApp
from tests.servers.postgres import Postgres
from tests.stopping import stop_between_writes

pytestmark = pytest.mark.server
ROOT = Path(__file__).parents[2]
PUT = "action: http.put\nwith: {target: shop, path: /restart, body: on}"


async def sent(shop: HttpApp, method: str) -> None:
    """Waits until the call has arrived."""
    async with asyncio.timeout(30):
        while not [r for r in shop.received if r.method == method]:
            await asyncio.sleep(0.02)


@pytest.mark.parametrize(
    ("step", "method", "state", "calls"),
    [(CALL, "POST", "unknown", 1), (PUT, "PUT", "succeeded", 2)],
    ids=["once", "idempotent"],
)
async def test_a_stopped_process_that_goes_on_is_fenced_off(
    make_room: MakeRoom, http_server: Start[HttpApp], step: str, method: str, state: str, calls: int
) -> None:
    """SIGSTOP, the lease runs out, another decides; SIGCONT: the late outcome changes nothing."""
    shop = http_server("shop")
    room = make_room(runbook(step), http__shop=shop.url)
    number = await room.approved()
    taken = threading.Event()
    shop.answers[f"{method} /restart"] = Answer(held=taken)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.runbooks.engine_process", room.store.url,
        str(room.library.folder), cwd=ROOT, stdout=asyncio.subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    assert process.stdout
    try:
        await sent(shop, method)
        await stop_between_writes(process, room.store)
        shop.answers[f"{method} /restart"] = Answer()
        async with asyncio.timeout(30):
            while (await room.run(number)).state not in ("unknown", "succeeded"):
                await room.work(1, room.another("second"))
                await asyncio.sleep(0.1)
        before = (await room.rows(), await room.run(number), await room.attempts(number))
        assert before[1].state == state
        process.send_signal(signal.SIGCONT)
        taken.set()
        async with asyncio.timeout(30):  # its answer comes, and it reports it
            while b"run_taken_over" not in (line := await process.stdout.readline()):
                assert line, "it has ended"
    finally:
        process.kill()
        await process.wait()
    assert (await room.rows(), await room.run(number), await room.attempts(number)) == before
    assert len([r for r in shop.received if r.method == method]) == calls
    assert await room.kinds()


@pytest.mark.parametrize(
    ("step", "method", "states"),
    [(CALL, "POST", {"unknown", "succeeded"}), (PUT, "PUT", {"succeeded"})],
    ids=["once", "idempotent"],
)
async def test_the_database_stops_in_the_middle_of_a_step(
    tmp_path: Path, registry: Registry, postgres_factory: Start[Postgres],
    http_server: Start[HttpApp], monkeypatch: pytest.MonkeyPatch,
    step: str, method: str, states: set[str],
) -> None:  # fmt: skip
    """The answer comes while there is nowhere to write it; once the database is back, it is told."""
    for module in ("journal", "engine"):
        monkeypatch.setattr(f"bot.runbooks.{module}.LEASE", timedelta(seconds=2))
    shop, server = http_server("shop"), postgres_factory()
    store = Store(server.create_database("midstep"))
    await store.migrate()
    folder = write_folder(tmp_path / "runbooks", runbook(step), http__shop=shop.url)
    room = Room(store, folder, registry)
    number = await room.approved()
    taken = threading.Event()
    shop.answers[f"{method} /restart"] = Answer(held=taken)
    try:
        async with running(room.engine):
            await sent(shop, method)
            server.crash()
            taken.set()
            await asyncio.sleep(1)  # it has its answer, and nowhere to write it
            shop.answers[f"{method} /restart"] = Answer()
            server.start()
            async with asyncio.timeout(40):
                while (await room.run(number)).state not in states:
                    await asyncio.sleep(0.2)
    finally:
        await store.close()
    calls = len([r for r in shop.received if r.method == method])
    assert calls == 1 if method == "POST" else calls in (1, 2)

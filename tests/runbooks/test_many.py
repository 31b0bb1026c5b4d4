"""Three processes on one PostgreSQL share four hundred runs."""

import asyncio
import os
import sys
from collections import Counter
from pathlib import Path

import pytest
from sqlmodel import col, func, select

from bot.registry import Registry
from bot.runbooks import Run
from bot.store import Store
from tests.runbooks.room import Room, runbook, write_folder
from tests.servers.fixtures import Start
from tests.servers.http_app import HttpApp

pytestmark = [pytest.mark.server, pytest.mark.alone, pytest.mark.timeout(300)]
ROOT = Path(__file__).parents[2]
RUNS, INCIDENTS, PROCESSES = 400, 40, 3
ONCE = """action: http.call
with: {target: "http/s{{ inputs.number }}", path: "/did/{{ inputs.number }}"}
verify: [{expect: "out.status == 200"}]"""
FRONT = "approvals: {count: 0}\ninputs: {number: {type: integer, required: true}}"


async def filled(room: Room) -> None:
    """Runs that need nobody's approval, spread over incidents as in a bad week."""
    for first in range(0, RUNS, RUNS // INCIDENTS):
        async with room.store.write() as session:
            incident = await room.incidents.declare(
                session,
                title=f"Down {first}",
                severity="sev2",
                actor="person:ana",
                origin=str(first),
            )
            for number in range(first, first + RUNS // INCIDENTS):
                await room.runs.start(
                    session, incident, "fix", {"number": number}, origin=f"r{number}",
                    requester="ana",
                )  # fmt: skip


async def test_each_run_is_executed_exactly_once(
    tmp_path: Path, registry: Registry, postgres_url: str, http_server: Start[HttpApp]
) -> None:
    """Counted at the target: each call once, none twice, none missing."""
    shop = http_server("shop")
    store = Store(postgres_url)
    await store.migrate()
    targets = {f"http__s{number}": shop.url for number in range(RUNS)}  # so that none waits
    folder = write_folder(tmp_path / "runbooks", runbook(ONCE, front=FRONT), **targets)
    room = Room(store, folder, registry)
    await filled(room)
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.runbooks.engine_process", postgres_url, str(folder),
            "15", cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)},
        )
        for _ in range(PROCESSES)
    ]  # fmt: skip
    try:
        async with asyncio.timeout(240):
            while await count(store, "succeeded") < RUNS:
                await asyncio.sleep(0.5)
    finally:
        for process in processes:
            process.terminate()
        await asyncio.gather(*(process.wait() for process in processes))
    did = Counter(r.path for r in shop.received if r.method == "POST")
    assert did == {f"/did/{number}": 1 for number in range(RUNS)}
    async with store.read() as session:
        assert await room.ledger.verify(session) == []
    await store.close()


async def count(store: Store, state: str) -> int:
    async with store.read() as session:
        query = select(func.count(col(Run.id))).where(Run.state == state)
        return int((await session.execute(query)).scalar_one())

"""The whole room over one real store, driven by hand: every claim happens when a test says so."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import update

from bot.access import Dialer
from bot.catalog import Person
from bot.delivery import Outbox
from bot.incidents import Incident, Incidents
from bot.registry import Registry, load
from bot.runbooks import Decisions, Library, Run, RunEngine, Runs, StepAttempt
from bot.runbooks.journal import Journal
from bot.runbooks.plan import Planner
from bot.store import Store, now
from bot.timeline import Entry, Ledger
from bot.timeline.ledger import rows_of
from tests.servers.http_app import HttpApp

NOWHERE = "http://127.0.0.1:9"
PEOPLE = [
    {"id": "ana", "name": "Ana", "roles": ["responder", "commander"]},
    {"id": "ben", "name": "Ben", "roles": ["responder", "approver"]},
    {"id": "cleo", "name": "Cleo", "roles": ["responder", "approver"]},
    {"id": "dora", "name": "Dora", "roles": ["admin"]},
    {"id": "eli", "name": "Eli", "roles": []},
]
CALL = """action: http.call
with: {target: shop, path: /restart, body: {why: test}}
verify:
  - {expect: "out.status == 200", else: "The shop refused"}"""


def runbook(*steps: str, front: str = "", name: str = "fix") -> str:
    """A runbook with steps ``s1``, ``s2`` …; each text is the step without its id."""
    blocks = [
        f"## {number}. Step\n```yaml step\nid: s{number}\n{_complete(step)}\n```\n"
        for number, step in enumerate(steps, start=1)
    ]
    head = f"---\nschema: runbook/v1\nid: {name}\ntitle: Fix the shop\n{front}\n---\n"
    return head + "\n".join(blocks)


def _complete(step: str) -> str:
    """A step that changes things must say how it is undone; most tests do not care."""
    changes = step.startswith(("action: http.call", "action: http.put", "action: faulty."))
    return f"{step}\nundo: auto" if changes and "\nundo:" not in step else step


def look(path: str, more: str = "") -> str:
    return f'action: http.check\nwith: {{target: shop, path: "/{path}"}}\n{more}'


def put(path: str, body: str = "1", more: str = "") -> str:
    return f'action: http.put\nwith: {{target: shop, path: "/{path}", body: {body}}}\n{more}'


def write_folder(folder: Path, text: str, **targets: str) -> Path:
    """One runbook and a catalog of the people above, one service and the targets."""
    (folder / "catalog").mkdir(parents=True, exist_ok=True)
    (folder / "fix.md").write_text(text, "utf-8")
    catalog = {
        "services": [{"id": "shop", "title": "Shop", "tier": "p0"}],
        "people": PEOPLE,
        "targets": [
            {"name": name.replace("__", "/"), "url": url}
            for name, url in ({"http__shop": NOWHERE} | targets).items()
        ],
        "paths": [
            {"name": "direct"},
            {"name": "dead", "kind": "pinned", "connect_to": {"127.0.0.1": "127.0.0.2"}},
        ],
    }
    (folder / "catalog" / "all.yaml").write_text(json.dumps(catalog))
    return folder


class Room:
    """Incidents, runs and engines as `bot.app` wires them."""

    def __init__(self, store: Store, folder: Path, registry: Registry | None = None) -> None:
        self.store = store
        self.registry = registry or load()
        self.library = Library(folder, self.registry)
        self.ledger = Ledger(b"audit")
        self.incidents = Incidents(self.ledger, Outbox(()), lambda: self.library.catalog)
        self.runs = Runs(self.incidents, self.library)
        self.planner = Planner(self.registry, Dialer(lambda: self.library.catalog))
        self.engine = self.another("first")

    def another(self, owner: str) -> RunEngine:
        """An engine as another process would have it."""
        planner = Planner(self.registry, Dialer(lambda: self.library.catalog))
        return RunEngine(Journal(self.store, self.runs, owner), planner)

    def person(self, name: str) -> Person:
        found = self.library.catalog.person(name)
        assert found is not None
        return found

    async def start(
        self, requester: str = "ana", *, origin: str = "key", name: str = "fix", **inputs: Any
    ) -> int:
        """Has a run asked for (or proposed, without a requester); its id."""
        async with self.store.write() as session:
            incident: Incident = await self.incidents.declare(
                session, title="Down", severity="sev1", actor="person:ana", origin="incident"
            )
            run = await self.runs.start(
                session, incident, name, inputs, origin=origin, requester=requester
            )
        return run.number

    async def approved(self, *, origin: str = "key", name: str = "fix", **inputs: Any) -> int:
        """A run that is planned, asked for by Ana and approved by Ben, but not begun."""
        number = await self.start(origin=origin, name=name, **inputs)
        await self.work(1)
        await self.approve(number, "ben")
        return number

    async def approve(self, number: int, person: str, digest: str = "") -> Run:
        digest = digest or (await self.run(number)).plan_digest
        async with self.store.write() as session:
            return await self.runs.approve(session, number, self.person(person), digest, "test")

    async def ask(self, verb: str, number: int, person: str = "ana", *args: Any, **kw: Any) -> Run:
        """``request``, ``refuse``, ``abort``, ``undo`` or ``settle`` as a person's click."""
        of = Decisions(self.runs) if verb == "settle" else self.runs
        async with self.store.write() as session:
            done: Run = await getattr(of, verb)(session, number, self.person(person), *args, **kw)
            return done

    async def work(self, rounds: int = 9, engine: RunEngine | None = None) -> None:
        """Claims and does what there is to do."""
        engine = engine or self.engine
        for _ in range(rounds):
            claimed = await engine.journal.claim()
            if not claimed:
                return
            for run, epoch in claimed:
                await engine._guarded(run, epoch)

    async def run(self, number: int) -> Run:
        async with self.store.read() as session:
            return await session.get_one(Run, number)

    async def attempts(self, number: int, phase: str = "do") -> list[StepAttempt]:
        return await self.engine.journal.attempts(number, phase)

    async def rows(self) -> list[Entry]:
        async with self.store.read() as session:
            return await rows_of(session, 1)

    async def kinds(self) -> list[str]:
        """The timeline's kinds, once each commit's row is checked to be in the chain."""
        async with self.store.read() as session:
            assert await self.ledger.verify(session) == []
        return [row.kind for row in await self.rows()]


async def expire(room: Room) -> None:
    """As if the owner had been paused past its lease."""
    async with room.store.write() as session:
        await session.execute(update(Run).values(lease_until=now() - timedelta(seconds=1)))


@asynccontextmanager
async def running(*engines: RunEngine) -> AsyncIterator[None]:
    """Engines that look for work by themselves, for the time of the block."""
    tasks = [asyncio.create_task(engine.run()) for engine in engines]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def until(room: Room, number: int, state: str, limit: float = 20) -> Run:
    """The run once it is in a state."""
    async with asyncio.timeout(limit):
        while True:
            async with room.store.read() as session:
                run = await session.get(Run, number)
            if run is not None and run.state == state:
                return run
            await asyncio.sleep(0.05)


async def done(room: Room, **inputs: object) -> Run:
    number = await room.approved(**inputs)
    await room.work()
    return await room.run(number)


def paths(shop: HttpApp, method: str = "GET") -> list[str]:
    return [r.path for r in shop.received if r.method == method]

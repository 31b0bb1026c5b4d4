"""A run's steps: beside two bare commits, and beside ``sh`` with curl and ansible-playbook."""

import asyncio
import gc
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from sqlalchemy import Column, Integer, MetaData, String, Table, insert, update

from bot import registry
from bot.contract import Call, Connection, Effect, Frozen, Preview
from bot.log import configure
from bot.registry import Registry
from bot.store import Store
from tests.bench.table import Row
from tests.runbooks.room import Room, runbook, write_folder
from tests.servers.http_app import http_app

STEPS = 300
HTTP_STEPS = 20
FREE = "approvals: {count: 0}"


class Nothing:
    """An action that does nothing, so that only the journal is measured."""

    name: ClassVar[str] = "bench.nothing"
    effect: ClassVar[Effect] = Effect.READ
    reverts: ClassVar[bool] = False

    class Params(Frozen):
        """None."""

    def target(self, params: Any) -> str:
        return "http/shop"

    async def preview(self, params: Any, connection: Connection) -> Preview:
        return Preview()

    async def apply(self, params: Any, connection: Connection) -> dict[str, Any]:
        return {}

    async def verify(self, params: Any, connection: Connection) -> bool | None:
        return True

    def undo(self, params: Any, state: Mapping[str, Any]) -> Call | None:
        return None


def steps() -> list[Row]:
    """Milliseconds a step, as a server that has been up for a while takes them."""
    _as_served()
    asyncio.run(_journalled(20))
    ours, what = asyncio.run(_journalled(STEPS)), "journalled step that does nothing"
    return [
        Row(what, ours, "ms", "1.5x", _bare(), "2 bare commits"),
        Row(what, ours, "ms", "", asyncio.run(_stored()), "2 commits through the store"),
    ]


def http_steps() -> list[Row]:
    """Seconds for a runbook of 20 HTTP calls, from the claim to its end."""
    _as_served()
    text, what = (
        runbook(*map(_put, range(HTTP_STEPS)), front=FREE),
        f"runbook of {HTTP_STEPS} HTTP steps",
    )
    with http_app("shop") as shop:
        asyncio.run(_run(text, shop.url))
        ours = asyncio.run(_run(text, shop.url))
        return [
            Row(what, ours, "s", "1.5x", _curl(shop.url), "sh + curl"),
            Row(what, ours, "s", "1/30x", _ansible(shop.url), "ansible-playbook"),
        ]


def _as_served() -> None:
    """What `jackline serve` does before it begins to work."""
    configure("error")
    gc.freeze()


def _put(number: int) -> str:
    return f"action: http.check\nwith: {{target: shop, path: /{number}}}"


async def _journalled(steps: int) -> float:
    text = runbook(*["action: bench.nothing"] * steps, front=FREE)
    actions = Registry(actions={"bench.nothing": Nothing()})
    return await _run(text, "http://127.0.0.1:9", actions) / steps * 1000


async def _run(text: str, url: str, actions: Registry | None = None) -> float:
    with tempfile.TemporaryDirectory() as name:
        store = Store(f"sqlite+aiosqlite:///{name}/jackline.db")
        await store.migrate()
        folder = write_folder(Path(name) / "runbooks", text, http__shop=url)
        room = Room(store, folder, actions or registry.load())
        number = await room.start()
        await room.work(1)
        began = time.perf_counter()
        await room.work()
        took = time.perf_counter() - began
        assert (await room.run(number)).state == "succeeded"
        await store.close()
    return took


def _bare() -> float:
    """An intent and its outcome as two transactions of SQLite, as durable as ours."""
    with tempfile.TemporaryDirectory() as name:
        database = sqlite3.connect(f"{name}/bare.db", isolation_level=None)
        database.execute("pragma journal_mode=wal")
        database.execute("pragma synchronous=full")
        database.execute("create table step (id integer primary key, state text, output text)")
        began = time.perf_counter()
        for number in range(STEPS):
            database.execute("begin immediate")
            database.execute("insert into step values (?, 'intent', '')", (number,))
            database.execute("commit")
            database.execute("begin immediate")
            database.execute(
                "update step set state = 'done', output = '{}' where id = ?", (number,)
            )
            database.execute("commit")
        took = time.perf_counter() - began
        database.close()
    return took / STEPS * 1000


async def _stored() -> float:
    """The same two commits as any part of Jackline makes them."""
    table = Table(
        "step", MetaData(), Column("id", Integer, primary_key=True), Column("state", String)
    )
    with tempfile.TemporaryDirectory() as name:
        store = Store(f"sqlite+aiosqlite:///{name}/bare.db")
        async with store.write() as session:
            await (await session.connection()).run_sync(table.metadata.create_all)
        began = time.perf_counter()
        for number in range(STEPS):
            async with store.write() as session:
                await session.execute(insert(table), {"id": number, "state": "intent"})
            async with store.write() as session:
                done = update(table).where(table.c.id == number).values(state="done")
                await session.execute(done)
        took = time.perf_counter() - began
        await store.close()
    return took / STEPS * 1000


def _curl(url: str) -> float:
    script = "set -e\n" + "\n".join(f"curl -sf {url}/{n} -o /dev/null" for n in range(HTTP_STEPS))
    began = time.perf_counter()
    subprocess.run(["sh", "-c", script], check=True)
    return time.perf_counter() - began


def _ansible(url: str) -> float:
    tasks = [{"ansible.builtin.uri": {"url": f"{url}/{n}"}} for n in range(HTTP_STEPS)]
    play = [{"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": tasks}]
    program = shutil.which("ansible-playbook", path=str(Path(sys.executable).parent))
    assert program, "ansible-core is in the development lock"
    with tempfile.TemporaryDirectory() as name:
        book = Path(name) / "play.yml"
        book.write_text(json.dumps(play))
        env = os.environ | {
            "ANSIBLE_HOME": name, "ANSIBLE_PYTHON_INTERPRETER": sys.executable, "LC_ALL": "C.UTF-8",
            "ANSIBLE_LOCALHOST_WARNING": "false",
        }  # fmt: skip
        began = time.perf_counter()
        done = subprocess.run(
            [program, "-i", "localhost,", book], env=env, capture_output=True, check=False
        )
        took = time.perf_counter() - began
    assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()
    return took

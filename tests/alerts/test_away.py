"""The database away, the disk full, the process killed over and over: what was answered is there.

Whoever sends hears 200 only for what is kept; each of these is found once, in the end.
"""

import asyncio
import json
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import psutil
import pytest
from sqlmodel import select

from bot.alerts import Intake, StoredAlert
from bot.alerts.arrivals import unpack_all
from bot.store import Store
from tests.alerts.room import an_alert
from tests.e2e.forked import ROOT
from tests.e2e.harness import Bot, firing, write_runbooks
from tests.servers.fixtures import Start
from tests.servers.postgres import Postgres

pytestmark = [pytest.mark.server, pytest.mark.alone, pytest.mark.timeout(300)]
NOWHERE = "http://127.0.0.1:9"
RATE = 200  # alerts a second
KILLS = 20


class Senders:
    """Sends alerts, each another one, again until it hears 200; ``heard`` are those."""

    def __init__(self, bot: Bot, at_once: int = 8, pause: float = 0.0) -> None:
        self.bot = bot
        self.pause = pause
        self.heard: set[str] = set()
        self.slowest = 0.0
        self.statuses: Counter[int] = Counter()
        self._number = 0
        self._going = True
        self._at_once = at_once

    @asynccontextmanager
    async def sending(self) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(self._send()) for _ in range(self._at_once)]
        try:
            yield
        finally:
            self._going = False
            await asyncio.gather(*tasks)

    async def _send(self) -> None:
        while self._going:
            self._number += 1
            payload = firing(service="none")
            payload["alerts"][0]["fingerprint"] = fingerprint = f"f{self._number}"
            while self._going and fingerprint not in self.heard:
                began = time.monotonic()
                try:
                    status = (await self.bot.alert(payload)).status_code
                except httpx.HTTPError:
                    await asyncio.sleep(0.02)
                    continue
                self.statuses[status] += 1
                self.slowest = max(self.slowest, time.monotonic() - began)
                if status == 200:
                    self.heard.add(fingerprint)
                await asyncio.sleep(self.pause)


async def stored(url: str) -> Counter[str]:
    store = Store(url)
    await unpack_all(store)
    async with store.read() as session:
        found = Counter((await session.execute(select(StoredAlert.fingerprint))).scalars())
    await store.close()
    return found


def a_bot(folder: Path, url: str) -> Bot:
    return Bot(
        folder, write_runbooks(folder / "runbooks", team="T0", edge=NOWHERE, shop=NOWHERE), url
    )


async def drained(bot: Bot) -> bool:
    return not list((bot.folder / "data" / "spool").glob("*.spool"))


async def test_killed_twenty_times_under_load(database_url: str, tmp_path: Path) -> None:
    """Nothing that was acknowledged is missing, nothing is there twice."""
    bot = a_bot(tmp_path, database_url)
    async with bot:
        senders = Senders(bot)
        async with senders.sending():
            for _ in range(KILLS):
                wanted = len(senders.heard) + 20
                await bot.until(partial(_more, senders, wanted), "alerts to be taken")
                await bot.stop(signal.SIGKILL)
                await bot.start()
    found = await stored(database_url)
    assert senders.heard <= set(found)
    assert set(found.values()) == {1}


async def _more(senders: Senders, than: int) -> bool:
    return len(senders.heard) > than


@pytest.mark.parametrize(
    ("how", "away"), [("stopped", 60.0), ("frozen", 12.0), ("killed as well", 12.0)]
)
async def test_the_database_is_away(
    postgres_factory: Start[Postgres], tmp_path: Path, how: str, away: float
) -> None:
    """At 200 alerts a second: all are taken meanwhile, and stored soon after it is back."""
    server = postgres_factory()
    url = server.create_database()
    async with a_bot(tmp_path, url) as bot:
        senders = Senders(bot, at_once=20, pause=20 / RATE)
        async with senders.sending():
            await asyncio.sleep(1)
            if how == "frozen":
                _to_all(server, signal.SIGSTOP)
            else:
                server.stop()
            before = len(senders.heard)
            await asyncio.sleep(away / 2)
            if how == "killed as well":  # it cannot start without its database
                assert (await bot.http.get("/readyz")).status_code == 503
                await bot.stop(signal.SIGKILL)
                server.start()
                await bot.start()
            await asyncio.sleep(away / 2)
            during = len(senders.heard) - before
            if how == "frozen":
                _to_all(server, signal.SIGCONT)
            elif how == "stopped":
                server.start()
            began = time.monotonic()
            await bot.until(lambda: drained(bot), "the spool to be drained", limit=30)
            took = time.monotonic() - began
        await bot.stop()
    found = await stored(url)
    print(f"{how}: {during} taken in {away:.0f} s, drained in {took:.1f} s, slowest answer "
          f"{senders.slowest:.1f} s")  # fmt: skip
    assert during > away * RATE / 4
    assert set(senders.statuses) <= {200}
    assert senders.heard <= set(found)
    assert set(found.values()) == {1}


async def test_frozen_while_it_is_asked_whether_it_is_there(
    postgres_factory: Start[Postgres], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLAlchemy then waits for the answer to a ROLLBACK, without end; senders hear within seconds."""
    server, whole = postgres_factory(), asyncpg.Connection.fetchrow
    url = server.create_database()
    store = Store(url)
    await store.migrate()
    intake = Intake(store, tmp_path / "spool")
    writer = asyncio.create_task(intake.run())
    await intake.accept([an_alert("Before")])

    async def freezing(connection: Any, query: str, *args: Any, **more: Any) -> Any:
        if query == ";":  # the ping
            _to_all(server, signal.SIGSTOP)
        return await whole(connection, query, *args, **more)

    try:
        with monkeypatch.context() as patched:
            patched.setattr(asyncpg.Connection, "fetchrow", freezing)
            async with asyncio.timeout(20):
                await intake.accept([an_alert("Meanwhile")])
        assert list((tmp_path / "spool").glob("*.spool"))
    finally:
        _to_all(server, signal.SIGCONT)
    async with asyncio.timeout(60):
        while list((tmp_path / "spool").glob("*.spool")):
            await asyncio.sleep(0.1)
    writer.cancel()
    await asyncio.gather(writer, return_exceptions=True)
    await store.close()
    assert sorted((await stored(url)).values()) == [1, 1]


def _to_all(server: Postgres, number: int) -> None:
    """Also to those that serve the connections: nobody answers, and no connection breaks."""
    process = psutil.Process(server.process.popen.pid)
    for each in (process, *process.children(recursive=True)):
        each.send_signal(number)


async def test_a_full_disk(tmp_path: Path) -> None:
    """503 and nothing else; once there is room again it goes on by itself."""
    place = tmp_path / "data"
    place.mkdir()
    bot = a_bot(tmp_path, f"sqlite+aiosqlite:///{place}/jackline.db")
    bot.spawn = _on_a_small_disk(place)
    async with bot:
        assert bot.process is not None
        inside = Path(f"/proc/{bot.process.pid}/root{place}")
        senders = Senders(bot)
        async with senders.sending():
            await bot.until(partial(_more, senders, 50), "alerts to be taken")
            _fill(inside / "filler")
            await bot.until(partial(_said, senders, 503), "a refusal")
            await asyncio.sleep(1)
            (inside / "filler").unlink()
            seen = len(senders.heard)
            await bot.until(partial(_more, senders, seen + 50), "alerts to be taken again")
            await bot.until(lambda: _none(inside / "spool"), "the spool to be drained")
        count = await bot.api("/alerts/count")
    assert set(senders.statuses) == {200, 503}
    assert count["stored"] >= len(senders.heard)
    assert count["stored"] <= len(senders.heard) + len(senders.heard) // 2


async def _said(senders: Senders, status: int) -> bool:
    return senders.statuses[status] > 3


async def _none(folder: Path) -> bool:
    return not list(folder.glob("*.spool"))


def _fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file:
        try:
            for size in (1 << 20, 1 << 12):
                while True:
                    try:
                        file.write(b"x" * size)
                    except OSError:
                        break
        except OSError:
            return


def _on_a_small_disk(place: Path) -> Any:
    mount = f"mount -t tmpfs -o size=24m none {place} && exec {sys.executable} -m bot.cli serve"

    async def spawn(env: dict[str, str], log: Path) -> Any:
        with log.open("ab") as output:
            return await asyncio.create_subprocess_exec(
                "unshare", "--user", "--map-root-user", "--mount", "sh", "-c", mount,
                stdout=output, stderr=output, env=env, cwd=ROOT,
            )  # fmt: skip

    return spawn


async def test_other_sources_have_room_in_a_flood(tmp_path: Path) -> None:
    """One source sends ever more than can be stored: it is told so, the other is served."""
    url = f"sqlite+aiosqlite:///{tmp_path}/jackline.db"
    bot = a_bot(tmp_path, url)
    async with bot:
        body: dict[str, Any] = firing(service="none")
        template = json.dumps(body["alerts"][0])
        body["alerts"] = [json.loads(template) | {"fingerprint": f"f{n}"} for n in range(2000)]
        for alert in body["alerts"]:
            alert["labels"]["severity"] = "warning"
        flood = [asyncio.create_task(bot.alert(body)) for _ in range(30)]
        await asyncio.sleep(0.5)
        assert (await bot.alert(firing())).status_code == 200
        answers = Counter(r.status_code for r in await asyncio.gather(*flood))
    assert set(answers) == {200, 503}

"""A real process, killed without warning: what was answered with 200 is on disk."""

import asyncio
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from sqlmodel import select

from bot.alerts import StoredAlert
from bot.alerts.arrivals import unpack_all
from bot.store import Store
from tests.e2e.harness import Bot, firing, write_runbooks

pytestmark = pytest.mark.server


@pytest.fixture
async def bot(database_url: str, tmp_path: Path) -> AsyncIterator[Bot]:
    nowhere = "http://127.0.0.1:9"
    runbooks = write_runbooks(tmp_path / "runbooks", team="T0", edge=nowhere, shop=nowhere)
    async with Bot(tmp_path, runbooks, database_url) as running:
        yield running
        await running.stop(signal.SIGKILL)  # nothing here is about stopping politely


async def on_disk(url: str) -> set[str]:
    """The fingerprints of the stored alerts, read while nobody else is there."""
    store = Store(url)
    await unpack_all(store)
    async with store.read() as session:
        found = set((await session.execute(select(StoredAlert.fingerprint))).scalars())
    await store.close()
    return found


async def test_killed_right_after_the_answer(bot: Bot, database_url: str) -> None:
    """The alert is there; started again, Jackline makes the incident of it, once."""
    assert (await bot.alert(firing())).status_code == 200
    await bot.stop(signal.SIGKILL)
    assert await on_disk(database_url) == {"468b1d51ea167ee1"}
    await bot.start()
    assert (await bot.alert(firing())).status_code == 200  # the sender repeats it
    incidents = await bot.until(lambda: bot.api("/incidents"), "an incident")
    # not always number 1: PostgreSQL does not hand out again what the killed process had drawn
    await bot.row("alert_received", incidents[0]["id"])
    assert len(await bot.api("/incidents")) == 1


async def test_killed_in_a_burst(bot: Bot, database_url: str) -> None:
    """Of 300 senders, each one that heard 200 before the end finds its alert stored."""
    acknowledged: set[str] = set()

    async def send(number: int) -> None:
        payload = firing()
        payload["alerts"][0]["fingerprint"] = f"f{number}"
        try:
            if (await bot.alert(payload)).status_code == 200:
                acknowledged.add(f"f{number}")
        except httpx.HTTPError:
            return

    senders = [asyncio.create_task(send(number)) for number in range(300)]
    while len(acknowledged) < 100:
        await asyncio.sleep(0)
    await bot.stop(signal.SIGKILL)
    await asyncio.gather(*senders)
    assert len(acknowledged) >= 100
    assert acknowledged <= await on_disk(database_url)


async def test_a_body_over_the_limit_over_a_real_socket(bot: Bot) -> None:
    """No length announced: cut off with 413, and the next request is served."""

    async def body() -> AsyncIterator[bytes]:
        for _ in range(200):
            yield b" " * 65536

    answer = await bot.http.post("/webhooks/alertmanager", content=body())
    assert answer.status_code == 413
    assert (await bot.alert(firing())).status_code == 200

"""The weekly digest by real processes that are killed: in the channel once, whoever is left posts it."""

import asyncio
import json
import shutil
import signal
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from bot.store import now
from tests.e2e.dying import STRIDE, Driver
from tests.e2e.harness import Bot, write_runbooks
from tests.servers.postgres import Postgres
from tests.slackstub import C_INCIDENTS, SlackStub

pytestmark = [pytest.mark.server, pytest.mark.slow, pytest.mark.timeout(300)]
HEAD = "Incidents of week"


def with_digest(folder: Path, slack: SlackStub) -> Path:
    """Due since two minutes."""
    nowhere = "http://127.0.0.1:9"
    runbooks = write_runbooks(folder, team=slack.team_id, edge=nowhere, shop=nowhere)
    due = now() - timedelta(minutes=2)
    entry = {"id": "eng", "channel": C_INCIDENTS, "day": f"{due:%a}".lower(), "at": f"{due:%H:%M}"}
    (runbooks / "catalog" / "digest.yaml").write_text(json.dumps({"digests": [entry]}))
    return runbooks


async def there(slack: SlackStub) -> bool:
    return bool(slack.messages(C_INCIDENTS, contains=HEAD))


async def play(folder: Path, at: int, side: str, url: str) -> Driver:
    """Until it is there and nothing is left to be said."""
    folder.mkdir()
    async with SlackStub(retry_delays=(0, 0.2, 0.5)) as slack:
        await slack.join(C_INCIDENTS, slack.bot_user_id)
        bot = Bot(folder, with_digest(folder / "r", slack), url, **Bot.slack_env(slack, "socket"))
        driver = Driver(slack, bot, at, side)

        async def said() -> bool:
            return await there(slack) and await driver.delivered()

        async def nothing() -> None:
            return

        try:
            await driver.step(said, nothing)
        finally:
            await bot.stop()
            await bot.http.aclose()
        assert len(slack.messages(C_INCIDENTS, contains=HEAD)) == 1, (at, side)
        return driver


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
async def test_killed_at_each_commit(
    engine: str, tmp_path: Path, migrated: Path, postgres_server: Postgres
) -> None:
    """Just before and just after each commit that it takes; several at a time, for most of it is waiting."""
    several = asyncio.Semaphore(5)

    async def one(at: int, side: str) -> Driver:
        name = f"{side}-{at}"
        url = f"sqlite+aiosqlite:///{tmp_path}/{name}.db"
        if engine == "sqlite":
            shutil.copy(migrated, tmp_path / f"{name}.db")
        async with several:
            made = postgres_server.create_database() if engine == "postgresql" else url
            return await play(tmp_path / name, at, side, made)

    calm = await one(0, "after")
    assert calm.died_at == []
    assert 3 <= calm.total < STRIDE, "posted, claimed, sent"
    firsts = [(at, side) for at in range(1, calm.total + 1) for side in ("before", "after")]
    for (at, side), driver in zip(firsts, await asyncio.gather(*(one(*f) for f in firsts)), strict=True):  # fmt: skip
        assert driver.died_at == [at] or at == calm.total, (at, side, driver.died_at)


async def test_two_replicas_of_which_one_dies(
    tmp_path: Path, migrated_postgres: str, postgres_server: Postgres
) -> None:
    """Both see that it is due; one is killed with its first commit in hand."""
    postgres_server.empty(migrated_postgres.rpartition("/")[2])
    async with SlackStub(retry_delays=(0, 0.2, 0.5)) as slack:
        await slack.join(C_INCIDENTS, slack.bot_user_id)
        runbooks = with_digest(tmp_path / "r", slack)
        env = Bot.slack_env(slack, "socket") | {"JACKLINE_AUDIT_KEY": "k" * 32}
        folders = [tmp_path / "one", tmp_path / "two"]
        for folder in folders:
            folder.mkdir()
        one, two = (Bot(folder, runbooks, migrated_postgres, **env) for folder in folders)
        Driver(slack, one, 1, "before")
        await one.launch()
        try:
            async with two:
                await two.until(partial(there, slack), "the digest", limit=60)
                await two.said_all()
                assert len(slack.messages(C_INCIDENTS, contains=HEAD)) == 1
        finally:
            await one.stop(signal.SIGKILL)
            await one.http.aclose()

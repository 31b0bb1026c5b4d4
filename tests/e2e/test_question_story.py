"""A rule that asks first, through Slack: a question, a click, an incident; and the click may crash.

The crash tests play the same with SIGKILL at commits, just before one and just after it.
"""

import json
import shutil
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from bot.alerts import Question
from bot.store import Store, now
from tests.e2e.dying import STRIDE, Driver, killed_at_each
from tests.e2e.harness import Bot, firing, write_runbooks
from tests.servers.postgres import Postgres
from tests.slackstub import C_INCIDENTS, U_ANA, U_BEN, U_CAROL, Message, SlackStub

pytestmark = [pytest.mark.server, pytest.mark.timeout(300)]
RULE = {"match": {"service": "shop"}, "declare": "ask", "runbook": "move-traffic"}


def write(folder: Path, slack: SlackStub) -> Path:
    nowhere = "http://127.0.0.1:9"
    runbooks = write_runbooks(folder, team=slack.team_id, edge=nowhere, shop=nowhere)
    (runbooks / "catalog" / "rules.yaml").write_text(json.dumps({"rules": [RULE]}))
    return runbooks


@asynccontextmanager
async def asking(folder: Path, database_url: str) -> AsyncIterator[tuple[SlackStub, Bot]]:
    async with SlackStub(retry_delays=(0, 0.2, 0.5), trigger_ttl=10) as slack:
        await slack.join(C_INCIDENTS, slack.bot_user_id)
        bot = Bot(folder, write(folder / "runbooks", slack), database_url,
                  **Bot.slack_env(slack, "socket"))  # fmt: skip
        bot.env["JACKLINE_SLACK__DIGEST_CHANNEL"] = C_INCIDENTS
        async with bot:
            await slack.wait_sockets()
            yield slack, bot


def question(slack: SlackStub) -> Message:
    """The one that stands in the channel; LookupError until it does."""
    found = slack.messages(C_INCIDENTS, contains="Is it an incident?")
    if not found:
        raise LookupError("not asked yet")
    (asked,) = found
    return asked


async def test_asked_and_declared_by_a_click(tmp_path: Path, database_url: str) -> None:
    """Who has no role is told so; later alerts edit the question; a restart forgets nothing."""
    async with asking(tmp_path, database_url) as (slack, bot):
        assert (await bot.alert(firing())).is_success
        asked = await slack.wait_message(C_INCIDENTS, "Is it an incident?")
        stranger = await slack.click(C_INCIDENTS, asked.ts, "question_declare", U_CAROL)
        said = await slack.wait_response(stranger.id, 5)
        assert "I do not know you" in said["text"]
        later = firing("ShopSlow")
        later["alerts"][0]["fingerprint"] = "other"
        assert (await bot.alert(later)).is_success

        async def edited() -> bool:
            return "ShopSlow" in str(question(slack).blocks)

        await bot.until(edited, "the question to count the second alert")
        assert await bot.api("/incidents") == []
        await bot.stop()
        await bot.start()
        await slack.wait_sockets()

        await slack.click(C_INCIDENTS, asked.ts, "question_declare", U_BEN)
        row = await bot.row("question_answered")
        assert row["actor"] == "person:ben"
        (incident,) = await bot.api("/incidents")
        assert incident["declared_by"] == "person:ben"

        async def told() -> bool:
            rows = Counter(r["kind"] for r in (await bot.incident())["timeline"])
            return rows["alert_received"] == 2

        await bot.until(told, "both alerts to be told")
        await bot.row("runbook_proposed")
        await bot.said_all()
        assert "Ben declared #1 at" in str(question(slack).blocks)
        assert "question_refuse" not in str(question(slack).blocks)


async def test_nobody_answers(tmp_path: Path, database_url: str) -> None:
    """By its own clock it is declared, and the question says so."""
    async with asking(tmp_path, database_url) as (slack, bot):
        assert (await bot.alert(firing())).is_success
        await slack.wait_message(C_INCIDENTS, "Is it an incident?")
        store = Store(database_url)
        async with store.write() as session:
            await session.execute(update(Question).values(due_at=now() - timedelta(seconds=1)))
        await store.close()
        await bot.row("alert_received")
        await bot.said_all()
        assert "It became #1 by itself" in str(question(slack).blocks)
        (incident,) = await bot.api("/incidents")
        assert incident["declared_by"] == "jackline"


async def play(driver: Driver) -> dict[str, Any]:
    """Sends again what was not acknowledged, presses again what did not react."""
    slack, bot = driver.slack, driver.bot

    async def asked() -> bool:
        return bool(slack.messages(C_INCIDENTS, contains="Is it an incident?"))

    async def send() -> None:
        (await bot.alert(firing())).raise_for_status()

    async def press() -> None:
        await slack.click(C_INCIDENTS, question(slack).ts, "question_declare", U_ANA, wait=0.2)

    async def nothing() -> None:
        return

    async def edited() -> bool:
        return "Ana declared #" in str(question(slack).blocks) and await driver.delivered()

    await driver.step(asked, send)
    await driver.step(lambda: driver.has("question_answered"), press)
    await driver.step(lambda: driver.has("alert_received"), nothing)
    await driver.step(lambda: driver.has("runbook_proposed"), nothing)
    await driver.step(edited, nothing)
    return await driver.incident()


async def play_once(folder: Path, at: int, side: str, database_url: str) -> Driver:
    folder.mkdir()
    async with SlackStub(echo_own_events=False, trigger_ttl=10) as slack:
        await slack.join(C_INCIDENTS, slack.bot_user_id)
        runbooks = write(folder / "runbooks", slack)
        bot = Bot(folder, runbooks, database_url, **Bot.slack_env(slack, "socket"))
        bot.env["JACKLINE_SLACK__DIGEST_CHANNEL"] = C_INCIDENTS
        driver = Driver(slack, bot, at, side)
        try:
            incident = await play(driver)
            check(incident, slack, await bot.api("/audit"), await bot.api("/incidents"))
        finally:
            await bot.stop()
            await bot.http.aclose()
        return driver


def check(incident: dict[str, Any], slack: SlackStub, audit: Any, all_: list[Any]) -> None:
    """One question, one answer, one incident with its alert, one channel; a whole record."""
    assert audit["ok"], audit
    assert [i["id"] for i in all_] == [incident["id"]]
    counted = Counter(row["kind"] for row in incident["timeline"])
    once = ("incident_declared", "question_answered", "alert_received", "runbook_proposed")
    assert {kind: counted[kind] for kind in once} == dict.fromkeys(once, 1)
    assert incident["declared_by"] == "person:ana"
    question(slack)
    names = [c["name"] for c in slack.state()["channels"].values() if c["name"].startswith("inc-")]
    assert len(names) == 1


@pytest.mark.alone
@pytest.mark.timeout(900)
async def test_killed_at_every_commit(tmp_path: Path, migrated: Path) -> None:
    """Just before and just after each."""

    def fresh(name: str) -> str:
        return f"sqlite+aiosqlite:///{shutil.copy(migrated, tmp_path / f'{name}.db')}"

    await killed_at_each(play_once, range(1, STRIDE + 1), fresh, tmp_path, 10)


@pytest.mark.alone
@pytest.mark.timeout(900)
async def test_killed_at_every_fifth_commit_on_postgresql(
    postgres_server: Postgres, tmp_path: Path
) -> None:
    """What differs is the engine, not the flow."""
    await killed_at_each(
        play_once, (2, 7), lambda _: postgres_server.create_database(), tmp_path, 10
    )

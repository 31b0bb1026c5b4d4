"""A rule that asks first, with SIGKILL at every commit, just before it and just after it."""

import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.dying import STRIDE, Driver, killed_at_each
from tests.e2e.harness import Bot, firing
from tests.e2e.test_question_story import question, write
from tests.servers.postgres import Postgres
from tests.slackstub import C_INCIDENTS, U_ANA, SlackStub

pytestmark = [pytest.mark.server, pytest.mark.alone, pytest.mark.timeout(900)]


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
    return await driver.step(driver.incident, nothing)


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
            check(incident, slack, await driver.get("/audit"), await driver.get("/incidents"))
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


async def test_killed_at_every_commit(tmp_path: Path, migrated: Path) -> None:
    """Just before and just after each."""

    def fresh(name: str) -> str:
        return f"sqlite+aiosqlite:///{shutil.copy(migrated, tmp_path / f'{name}.db')}"

    await killed_at_each(play_once, range(1, STRIDE + 1), fresh, tmp_path, 10)


async def test_killed_at_every_fifth_commit_on_postgresql(
    postgres_server: Postgres, tmp_path: Path
) -> None:
    """What differs is the engine, not the flow."""
    await killed_at_each(
        play_once, (2, 7), lambda _: postgres_server.create_database(), tmp_path, 10
    )

"""A rule that asks first, through Slack: a question, a click, an incident."""

import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from bot.alerts import Question
from bot.store import Store, now
from tests.e2e.harness import Bot, firing, write_runbooks
from tests.slackstub import C_INCIDENTS, U_BEN, U_CAROL, Message, SlackStub

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

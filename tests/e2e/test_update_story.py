"""Updates through Slack: a form with a draft, a second look, and the words where they are read."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.e2e.harness import Bot, write_runbooks
from tests.slackstub import C_GENERAL, U_ANA, U_BEN, U_CAROL, SlackStub

pytestmark = pytest.mark.server
URL = "sqlite+aiosqlite:///{}/jackline.db"


def write(folder: Path, slack: SlackStub, channel: str) -> Path:
    nowhere = "http://127.0.0.1:9"
    runbooks = write_runbooks(folder, team=slack.team_id, edge=nowhere, shop=nowhere)
    places = {"audiences": [{"id": "customers", "channels": [channel]}]}
    (runbooks / "catalog" / "updates.yaml").write_text(json.dumps(places))
    return runbooks


@asynccontextmanager
async def telling(mode: str, folder: Path) -> AsyncIterator[tuple[SlackStub, Bot, str, str]]:
    """An incident in its channel, and the channel that customers read."""
    async with SlackStub(retry_delays=(0, 0.2, 0.5), trigger_ttl=10) as slack:
        await slack.join(C_GENERAL, slack.bot_user_id)
        news = slack.add_channel("news", [slack.bot_user_id]).id
        runbooks = write(folder / "runbooks", slack, news)
        bot = Bot(folder, runbooks, URL.format(folder), **Bot.slack_env(slack, mode))
        if mode == "http":
            to = f"{bot.url}/slack/events"
            slack.configure(delivery="http", events_url=to, commands_url=to, interactivity_url=to)
        async with bot:
            if mode == "socket":
                await slack.wait_sockets()
            await slack.command("/incident declare Kafka burns", U_ANA, C_GENERAL)
            await bot.row("incident_declared")
            await bot.said_all()
            channels = slack.state()["channels"].values()
            (channel,) = [c["id"] for c in channels if c["name"].startswith("inc-1-")]
            yield slack, bot, channel, news


@pytest.mark.parametrize("mode", ["socket", "http"])
async def test_customers_are_told_by_the_form(mode: str, tmp_path: Path) -> None:
    """Two actions from the channel: the form, and the button of its preview."""
    async with telling(mode, tmp_path) as (slack, bot, channel, news):
        card = await slack.wait_message(channel, contains="Kafka burns")
        assert "Updates: none yet, next" in str(card.blocks)
        opened = await slack.command("/incident update customers", U_ANA, channel)
        view = await slack.wait_view(opened.id)
        draft = view["blocks"][0]["element"]["initial_value"]
        assert draft == "We are investigating a problem."
        wrong = await slack.submit_view(view["id"], {"text": draft, "next": "soon"}, U_ANA)
        assert "I cannot read 'soon'" in wrong.errors["next"]
        await slack.submit_view(view["id"], {"text": "We look at <it>", "next": "30m"}, U_ANA)

        async def previewed() -> str:
            shown = [m for m in slack.ephemerals(channel, U_ANA) if "not sent yet" in str(m.blocks)]
            return shown[-1].ts if shown else ""

        preview = await bot.until(previewed, "the preview")
        assert slack.messages(news) == []
        for _ in range(2):
            await slack.click(channel, preview, "update_send", U_ANA, wait=1)
        out = await slack.wait_message(news, contains="We look at &lt;it&gt;")
        assert "Next update by" in str(out.blocks)
        assert "Kafka" not in str(out.blocks)
        row = await bot.row("communication_sent")
        assert row["text"] == "Update to customers: We look at <it>"
        await bot.said_all()
        assert len(slack.messages(news)) == 1


async def test_without_a_form(tmp_path: Path) -> None:
    """By mention; for a stranger; and where Slack opens no form, or takes too long over it."""
    async with telling("socket", tmp_path) as (slack, bot, channel, _):
        await slack.join(channel, U_CAROL)
        refused = await slack.command("/incident update", U_CAROL, channel, wait=20)
        assert "I do not know you" in str(refused.responses)
        slack.fault("views.open", error="expired_trigger_id")
        spoken = await slack.command("/incident update", U_ANA, channel, wait=20)
        assert "not sent yet" in str(spoken.responses), spoken
        slack.fault("views.open", "hang")
        slow = await slack.command("/incident update", U_ANA, channel, wait=20)
        assert slow.acked
        assert "not sent yet" in str(slow.responses), slow
        await slack.mention(channel, "update Still looking", U_BEN)
        await slack.wait_message(channel, contains="Still looking")
        await bot.said_all()

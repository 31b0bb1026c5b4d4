"""Reminders through Slack, by two replicas of which one is killed: asked once, answered, silent."""

import asyncio
import signal
from datetime import timedelta
from pathlib import Path

import pytest

from bot.incidents import Incident
from bot.store import Store
from tests.e2e.harness import Bot, firing, write_runbooks
from tests.e2e.test_slack_story import press
from tests.slackstub import C_INCIDENTS, U_ANA, U_BEN, Message, SlackStub

pytestmark = [pytest.mark.server, pytest.mark.slow, pytest.mark.timeout(180)]


async def age(url: str, minutes: int) -> None:
    """The incident was declared so much earlier."""
    store = Store(url)
    async with store.write() as session:
        incident = await session.get_one(Incident, 1, with_for_update=True)
        incident.declared_at -= timedelta(minutes=minutes)
    await store.close()


def asked(slack: SlackStub, channel: str) -> list[Message]:
    """The reminders that still ask."""
    return [
        m
        for m in slack.messages(channel)
        if "⏰" in str(m.blocks) and "reminder_1h" in str(m.blocks)
    ]


async def test_once_by_any_replica(tmp_path: Path, postgres_url: str) -> None:
    """Who is asked is mentioned, the channel is not; the button answers, and nothing is asked twice."""
    async with SlackStub(retry_delays=(0, 0.2, 0.5), trigger_ttl=10) as slack:
        await slack.join(C_INCIDENTS, slack.bot_user_id)
        nowhere = "http://127.0.0.1:9"
        runbooks = write_runbooks(tmp_path / "r", team=slack.team_id, edge=nowhere, shop=nowhere)
        env = Bot.slack_env(slack, "socket") | {"JACKLINE_SLACK__DIGEST_CHANNEL": C_INCIDENTS}
        folders = [tmp_path / "one", tmp_path / "two"]
        for folder in folders:
            folder.mkdir()
        env["JACKLINE_AUDIT_KEY"] = "k" * 32
        one, two = (Bot(folder, runbooks, postgres_url, **env) for folder in folders)
        async with one, two:
            await slack.wait_sockets(2)
            assert (await one.alert(firing())).is_success
            await one.row("incident_declared")
            await one.said_all()
            (channel,) = [
                c["id"]
                for c in slack.state()["channels"].values()
                if c["name"].startswith("inc-1-")
            ]
            await age(postgres_url, 65)

            async def reminded() -> bool:
                return len(asked(slack, channel)) == 2

            await one.until(reminded, "two reminders")
            (taken,) = [
                m for m in asked(slack, channel) if "Nobody has taken this up" in str(m.blocks)
            ]
            assert f"<@{U_ANA}> <@{U_BEN}>" in str(taken.blocks)
            assert "<!" not in taken.text
            digest = slack.messages(C_INCIDENTS, contains="#1")[-1]
            await one.until(lambda: _true("overdue" in str(digest.blocks)), "the digest")

            await one.stop(signal.SIGKILL)
            await press(slack, channel, taken.ts, "incident_ack", U_BEN)
            row = await two.row("incident_acknowledged")
            assert row["actor"] == "person:ben"

            async def struck() -> bool:
                return all("taken" not in str(m.blocks) for m in asked(slack, channel))

            # the one that died may have had a message of that channel in hand: for its lease, half a minute
            await two.until(struck, "the reminder to be struck out", limit=60)
            await one.start()
            (late,) = [m for m in asked(slack, channel) if "next update" in str(m.blocks)]
            shown = await press(slack, channel, late.ts, "update_write", U_ANA)
            view = await slack.wait_view(shown.id)
            await slack.submit_view(view["id"], {"text": "We look at it"}, U_ANA)
            await two.row("communication_sent")
            await slack.command("/incident lead", U_ANA, channel, wait=1)
            await asyncio.sleep(6)  # one more look of both
            await two.said_all()
            assert asked(slack, channel) == []
            said = [m for m in slack.messages(channel) if "Nobody has taken" in str(m.blocks)]
            assert len(said) == 1


async def _true(found: bool) -> bool:
    return found

"""A served Jackline: two incidents are merged in Slack, and one alert is split off again."""

from pathlib import Path
from typing import Any

import pytest

from tests.e2e.harness import Bot, firing, write_runbooks
from tests.slackstub import U_ANA, U_BEN, U_CAROL, SlackStub

pytestmark = pytest.mark.server


async def asked(slack: SlackStub, text: str, channel: str) -> str:
    """Types a command; the message that Ana alone sees, with its button."""
    before = {m.ts for m in slack.ephemerals(channel, U_ANA)}
    await slack.command(text, U_ANA, channel, wait=20)
    (new,) = [m for m in slack.ephemerals(channel, U_ANA) if m.ts not in before]
    return new.ts


async def channel_of(slack: SlackStub, bot: Bot, number: int) -> str:
    async def look() -> Any:
        named = slack.state()["channels"].values()
        return [c["id"] for c in named if c["name"].startswith(f"inc-{number}-")]

    return str((await bot.until(look, f"the channel of {number}"))[0])


@pytest.mark.timeout(120)
async def test_merged_split_and_told(tmp_path: Path, database_url: str) -> None:
    """Shown to who asks, done by a button, told in both channels with a way from one to the other."""
    nowhere = "http://127.0.0.1:9"
    async with SlackStub(retry_delays=(0, 0.2, 0.5), trigger_ttl=10) as slack:
        runbooks = write_runbooks(
            tmp_path / "runbooks", team=slack.team_id, edge=nowhere, shop=nowhere
        )
        env = Bot.slack_env(slack, "socket")
        async with Bot(tmp_path, runbooks, database_url, **env) as bot:
            await slack.wait_sockets()
            other = firing("CdnDown", service="cdn")
            other["alerts"][0] |= {"fingerprint": "cdn", "annotations": {"summary": "CDN is slow"}}
            assert (await bot.alert(firing())).is_success
            await bot.row("alert_received")
            assert (await bot.alert(other)).is_success
            await bot.row("alert_received", 2)
            shop, cdn = await channel_of(slack, bot, 1), await channel_of(slack, bot, 2)
            await bot.said_all()

            ts = await asked(slack, "/incident merge into #2", shop)
            done = await slack.click(shop, ts, "incident_merge", U_ANA, wait=20)
            assert "#1 is part of #2 now." in str(done.responses)
            again = await slack.click(shop, ts, "incident_merge", U_ANA, wait=20)
            assert "That was done before." in str(again.responses)
            there = await slack.wait_message(shop, contains="Merged into #2: CDN is slow")
            assert f"<#{cdn}|inc-2-cdn-is-slow>" in str(there.blocks)
            await slack.wait_message(cdn, contains="#1 was merged into this one")
            await bot.said_all()
            assert {U_ANA, U_BEN} <= set(slack.state()["channels"][cdn]["members"])
            assert "SEV1 | merged into #2" in str(slack.state()["channels"][shop]["topic"])
            assert not slack.state()["channels"][shop]["is_archived"]
            card = await slack.wait_message(shop, contains="(merged into #2)")
            stranger = await slack.click(shop, card.ts, "incident_unmerge", U_CAROL, wait=20)
            assert "do not know you" in str(stranger.responses)
            listed = await bot.api("/incidents")
            assert [(i["status"], i["merged_into"]) for i in listed] == [
                ("declared", None), ("merged", 2),
            ]  # fmt: skip

            later = firing("ShopSlow")
            later["alerts"][0] |= {"fingerprint": "slow"}
            assert (await bot.alert(later)).is_success
            await slack.wait_message(cdn, contains="ShopSlow firing")

            ts = await asked(slack, "/incident split alertname=ShopSlow", cdn)
            done = await slack.click(cdn, ts, "incident_split", U_ANA, wait=20)
            assert "Incident 3 was split off #2." in str(done.responses)
            new = await channel_of(slack, bot, 3)
            await slack.wait_message(new, contains="Split off #2: 1 alert: ShopSlow (1)")
            await bot.row("runbook_proposed", 3)
            await slack.click(shop, card.ts, "incident_unmerge", U_BEN, wait=20)
            back = await bot.row("incident_unmerged")
            assert back["text"] == "By itself again, declared: 1 alert came back from #2"
            await bot.said_all()
            assert (await bot.api("/audit"))["ok"]

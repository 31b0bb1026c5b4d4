"""A served Jackline pages people: through a kill, to the next level, until a link acknowledges it."""

import asyncio
import json
import signal
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from sqlalchemy import update

from bot.paging.tables import Page
from bot.store import Store, now
from tests.e2e.harness import Bot, firing, write_runbooks
from tests.servers.http_app import Received, http_app
from tests.slackstub import U_ANA, U_BEN, SlackStub


@pytest.mark.server
@pytest.mark.timeout(120)
async def test_paged_until_somebody_has_it(tmp_path: Path, database_url: str) -> None:
    """Each person once; what was due while it was dead is done when it is back."""
    nowhere = "http://127.0.0.1:9"
    runbooks = write_runbooks(tmp_path / "runbooks", team="T0", edge=nowhere, shop=nowhere)
    with http_app("pager") as pager:
        path = runbooks / "catalog" / "all.yaml"
        catalog = json.loads(path.read_text())
        for person in catalog["people"]:
            person["reach"] = [{"notifier": "hook", "to": f"/{person['id']}"}]
        catalog["targets"].append({"name": "webhook/pager", "url": pager.url})
        path.write_text(json.dumps(catalog | {
            "notifiers": [{"id": "hook", "integration": "webhook", "target": "webhook/pager", "when": "pages"}],
            "schedules": [{"id": "first", "layers": [{"people": ["ana"], "since": "2026-01-01"}]}],
            "escalations": [{"id": "shop", "severity": ["sev1", "sev2", "sev3", "sev4"],
                             "levels": [{"who": ["schedule:first"], "after": "1h"}, {"who": ["ben"], "after": "1h"}]}],
        }))  # fmt: skip
        bot = Bot(tmp_path, runbooks, database_url)
        bot.env["JACKLINE_CONSOLE__PUBLIC_URL"] = bot.url
        async with bot:
            assert (await bot.alert(firing())).is_success
            await bot.row("page_delivered")
            await bot.stop(signal.SIGKILL)
            store = Store(database_url)
            async with store.write() as session:
                await session.execute(update(Page).values(due_at=now()))
            await bot.start()
            await bot.row("page_escalated")

            async def reached() -> bool:
                return len(pager.received) > 1

            await bot.until(reached, "the second level")
            assert [request.path for request in pager.received] == ["/ana", "/ben"]
            await _acknowledge(bot, pager.received[1])
            row = await bot.row("page_acknowledged")
            assert row["actor"] == "person:ben"
            async with store.write() as session:
                await session.execute(update(Page).values(due_at=now()))
            metrics = (await bot.http.get("/metrics")).text
            assert 'jackline_pages{state="acknowledged"} 1.0' in metrics
            assert json.loads((await bot.http.get("/api/v1/audit")).text)["ok"]
            assert len(pager.received) == 2
            await store.close()


async def _acknowledge(bot: Bot, request: Received) -> None:
    """As the person does it: the link shows a button."""
    link = request.json()["link"]
    assert parse_qs(urlsplit(link).query)["token"]
    async with httpx.AsyncClient(trust_env=False) as phone:
        assert "I am Ben, and I have it" in (await phone.get(link)).text
        done = await phone.post(link, headers={"Origin": bot.url})
    assert "Ben has it" in done.text


@pytest.mark.server
@pytest.mark.timeout(120)
@pytest.mark.parametrize("mode", ["socket", "http"])
async def test_paged_and_acknowledged_in_slack(
    tmp_path: Path, database_url: str, mode: str
) -> None:
    """By command, over both of Slack's ways in; the message is edited, a second click changes nothing."""
    nowhere = "http://127.0.0.1:9"
    async with SlackStub(retry_delays=(0, 0.2, 0.5), trigger_ttl=10) as slack:
        runbooks = write_runbooks(
            tmp_path / "runbooks", team=slack.team_id, edge=nowhere, shop=nowhere
        )
        bot = Bot(tmp_path, runbooks, database_url, **Bot.slack_env(slack, mode))
        if mode == "http":
            url = f"{bot.url}/slack/events"
            slack.configure(
                delivery="http", events_url=url, commands_url=url, interactivity_url=url
            )
        async with bot:
            if mode == "socket":
                await slack.wait_sockets()
            assert (await bot.alert(firing())).is_success
            await bot.row("alert_received")
            await bot.said_all()
            (channel,) = [c["id"] for c in slack.state()["channels"].values()
                          if c["name"].startswith("inc-1-")]  # fmt: skip
            said = await slack.command("/inc escalate @shop look at it", U_ANA, channel, wait=20)
            assert "@shop is paged for #1" in str(said.responses)
            page = await slack.wait_message(channel, "@shop")
            oncall = await slack.command("/incident oncall", U_ANA, channel, wait=20)
            assert "no on-call schedule" in str(oncall.responses)
            await asyncio.gather(
                *(slack.click(channel, page.ts, "page_ack", U_BEN) for _ in range(2))
            )
            row = await bot.row("page_acknowledged")
            assert row["actor"] == "person:ben"

            async def edited() -> bool:
                return "Ben has acknowledged" in str(slack.messages(channel, contains="@shop"))

            await bot.until(edited, "the message to say who has it")
            rows = (await bot.incident())["timeline"]
            assert [r["kind"] for r in rows].count("page_acknowledged") == 1

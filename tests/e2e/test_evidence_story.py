"""A served Jackline looks for evidence, is killed in the middle, and goes on: told once, in Slack too."""

import asyncio
import json
import signal
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update
from sqlmodel import col

from bot.alerts.evidence.tables import EvidenceLook
from bot.delivery import Delivery
from bot.store import Store, now
from tests.e2e.harness import Bot, firing, write_runbooks
from tests.servers.fixtures import Start
from tests.servers.http_app import Answer, HttpApp
from tests.slackstub import SlackStub

pytestmark = pytest.mark.server
LOKI, SENTRY = "/loki/api/v1/query_range", "/api/0/organizations/acme/issues/"
WORDS = ["card", "cart", "stock", "price", "login", "mail", "search"]


def lines() -> Answer:
    """Seven kinds of errors, the first the most frequent."""
    values = [
        [f"{time.time_ns()}", f"error: no {word} after {n} s, password=hunter2"]
        for place, word in enumerate(WORDS)
        for n in range(len(WORDS) - place)
    ]
    data = {"resultType": "streams", "result": [{"stream": {}, "values": values}]}
    return Answer(body=json.dumps({"status": "success", "data": data}))


def write_evidence(runbooks: Path, loki: HttpApp, sentry: HttpApp) -> None:
    catalog = json.loads((runbooks / "catalog" / "all.yaml").read_text())
    catalog["services"][0]["evidence"] = [
        {"integration": "loki", "target": "loki/main"},
        {"integration": "sentry", "target": "sentry/main",
         "about": {"organization": "acme", "project": "shop"}},
    ]  # fmt: skip
    catalog["targets"] += [
        {"name": "loki/main", "url": loki.url},
        {"name": "sentry/main", "url": sentry.url},
    ]
    (runbooks / "catalog" / "all.yaml").write_text(json.dumps(catalog))


@pytest.mark.timeout(120)
async def test_killed_in_the_middle(
    tmp_path: Path, database_url: str, http_server: Start[HttpApp]
) -> None:
    """One message, one row for each answer, one file; what was answered is not asked for again."""
    loki, sentry = http_server("loki"), http_server("sentry")
    loki.answers[LOKI], sentry.answers[SENTRY] = lines(), Answer(body="[]", latency=2)
    async with SlackStub() as slack:
        nowhere = "http://127.0.0.1:9"
        runbooks = write_runbooks(
            tmp_path / "runbooks", team=slack.team_id, edge=nowhere, shop=nowhere
        )
        write_evidence(runbooks, loki, sentry)
        store = Store(database_url)
        async with Bot(tmp_path, runbooks, database_url, **Bot.slack_env(slack, "socket")) as bot:
            assert (await bot.alert(firing())).is_success
            row = await bot.row("evidence_attached")
            await bot.stop(signal.SIGKILL)
            assert row["text"].startswith("Evidence: Error lines (loki (loki/main)): ")
            sentry.answers[SENTRY] = Answer(body="[]")
            async with store.write() as session:  # the leases of the dead one
                past = now() - timedelta(seconds=1)
                await session.execute(
                    update(Delivery)
                    .where(col(Delivery.state) == "sending")
                    .values(lease_until=past)
                )
                await session.execute(update(EvidenceLook).values(lease_until=past))
            await bot.start()
            shown = await told(slack, bot)
            rows = [r for r in (await bot.incident())["timeline"] if "evidence" in r["kind"]]
            await bot.said_all()
            assert (await bot.api("/audit"))["ok"]
        await store.close()
        state = slack.state()
    assert [r["data"]["title"] for r in rows] == ["Error lines", "Errors that are new or rise in shop"]  # fmt: skip
    assert len(loki.received) == 1
    assert "7x" in shown
    assert "`error: no card after" in shown
    assert "• none" in shown
    shared = [
        f["name"]
        for c in state["channels"].values()
        for m in c["messages"]
        for f in m.get("files", [])
    ]
    assert [name.rpartition(".")[2] for name in shared] == ["txt"]
    assert "hunter2" not in json.dumps([rows, state]) + bot.log()


async def told(slack: SlackStub, bot: Bot) -> str:
    """The one message of evidence, once nothing is awaited any more."""

    def messages() -> list[Any]:
        channels = slack.state()["channels"].values()
        found = [m for c in channels if c["name"].startswith("inc-") for m in c["messages"]]
        return [m for m in found if "*Evidence*" in json.dumps(m.get("blocks"))]

    for _ in range(400):
        text = json.dumps(messages(), ensure_ascii=False)
        if "new or rise" in text and "Still looking" not in text:
            assert len(messages()) == 1
            return text
        await asyncio.sleep(0.05)
    raise AssertionError(f"{messages()}\n{bot.log()}")

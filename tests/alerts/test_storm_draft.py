"""The postmortem of a storm: its critical incident has every machine-checkable point of the rubric."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.app import Jackline
from bot.settings import load
from tests.alerts import storm
from tests.e2e.harness import Bot
from tests.postmortems.rubric import Truth, score
from tests.slackstub import SlackStub

pytestmark = [pytest.mark.server, pytest.mark.alone, pytest.mark.timeout(240)]
COUNT = 4_000


async def test_a_storms_draft_has_every_point(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody commands it and ends it; no runbook is run, nobody is told, and the draft says so."""
    monkeypatch.setattr(storm, "START", datetime.now(UTC) - timedelta(minutes=3))
    url = f"sqlite+aiosqlite:///{tmp_path}/j.db"
    async with SlackStub(rate_limits=True, echo_own_events=False) as slack:
        bot = storm.a_bot(tmp_path, url, **Bot.slack_env(slack, "socket"))
        async with bot:
            await storm.send(bot.url, storm.posts(COUNT))
            await bot.until(lambda: storm.routed(bot), "all alerts to be routed", limit=120)
            number = await _ended(bot)

            async def drafted() -> Any:
                rows = (await bot.api(f"/incidents/{number}"))["timeline"]
                return any(row["kind"] == "postmortem_drafted" for row in rows)

            await bot.until(drafted, "the draft", limit=60)
            severity = (await bot.api(f"/incidents/{number}"))["severity"]
            rows = (await bot.api(f"/incidents/{number}"))["timeline"]
    text = (tmp_path / "data" / "postmortems" / f"INC-{number}.md").read_text()
    found = score(text, Truth(severity, never=("Ana", "U1")))
    print(f"{len(rows)} rows, {len(text):,} characters", found)
    assert found.full, found


async def _ended(bot: Bot) -> int:
    """Ana commands the critical one and ends it, as from the console; its number."""
    parts = Jackline(load(bot.env))
    async with parts.store.write() as session:
        listed = await parts.incidents.listed(session)
        number = next(i.number for i in listed if i.services[0] == "c0-0")
        found = await parts.incidents.get(session, number)
        await parts.incidents.take_command(session, found, "ana")
        for status in ("monitoring", "resolved"):
            await parts.incidents.set_status(session, found, status, "person:ana")
    await parts.close()
    return number

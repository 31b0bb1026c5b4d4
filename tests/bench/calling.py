"""From an alert's POST to the first call of Slack that it causes, with a Slack that answers at once."""

import asyncio
import json
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.bench.table import Row
from tests.e2e.harness import Bot, firing, serve, write_runbooks
from tests.slackstub import SlackStub

ALERTS = 25
PAUSE = 3.3  # seconds between two of them: Slack makes no more channels a minute, so nor do we
NOWHERE = "http://127.0.0.1:9"


async def calling() -> list[Row]:
    """Each alert is an incident of its own; beside it, the answer to the POST alone."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with SlackStub(trigger_ttl=10, echo_own_events=False) as slack:
            runbooks = _runbooks(folder, slack.team_id)
            bot = Bot(folder, runbooks, "", **Bot.slack_env(slack, "socket"))
            bot.spawn = serve
            async with bot:
                await slack.wait_sockets()
                took = [await _one(bot, slack, number) for number in range(ALERTS + 3)][3:]
    answers, calls = (
        sorted(each)[len(took) * 95 // 100] * 1000 for each in zip(*took, strict=True)
    )
    return [
        Row("alert in → first call of Slack, 95th percentile", calls, "ms", "≤ 25", answers,
            "the answer to its POST"),
    ]  # fmt: skip


async def _one(bot: Bot, slack: SlackStub, number: int) -> tuple[float, float]:
    """Seconds until the answer, and until Slack is called."""
    slack.clear_calls()
    payload: dict[str, Any] = firing(f"Alert{number}", service="none")
    payload["alerts"][0]["fingerprint"] = f"f{number}"
    began = time.monotonic()
    assert (await bot.alert(payload)).status_code == 200
    answered = time.monotonic()

    async def called() -> bool:
        return bool(slack.calls("conversations.create"))

    await bot.until(called, "a channel")
    begun = slack.calls("conversations.create")[0].started
    await bot.said_all()
    await asyncio.sleep(PAUSE)
    return answered - began, begun - began


def _runbooks(folder: Path, team: str) -> Path:
    runbooks = write_runbooks(folder / "runbooks", team=team, edge=NOWHERE, shop=NOWHERE)
    place = runbooks / "catalog" / "all.yaml"
    catalog = json.loads(place.read_text())
    catalog["rules"] = [{"match": {"service": "none"}, "group": ["alertname"]}]
    place.write_text(json.dumps(catalog))
    return runbooks

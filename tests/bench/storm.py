"""A storm of 100,000 alerts out of 20 causes, until each is in its incident."""

import asyncio
import tempfile
import time
from pathlib import Path

import psutil

from tests.alerts.storm import CAUSES, a_bot, has_channel, posts, routed, send
from tests.bench.table import Row
from tests.e2e.harness import Bot, serve
from tests.slackstub import SlackStub

COUNT = 100_000


async def storm() -> list[Row]:
    """Seconds until all are stored and routed, beside the time in which they were sent; memory."""
    bodies = posts(COUNT)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        url = f"sqlite+aiosqlite:///{folder}/j.db"
        async with SlackStub(rate_limits=True, echo_own_events=False) as slack:
            bot = a_bot(folder, url, **Bot.slack_env(slack, "socket"))
            bot.spawn = serve
            async with bot:
                began = time.monotonic()
                sending = asyncio.create_task(send(bot.url, bodies))
                await bot.until(lambda: has_channel(slack), "the critical one's channel", limit=60)
                opened = time.monotonic() - began
                await sending
                sent = time.monotonic() - began
                await bot.until(lambda: routed(bot), "all alerts to be routed", limit=300)
                took = time.monotonic() - began
                assert bot.process is not None
                memory = psutil.Process(bot.process.pid).memory_info().rss / 2**20
                found = len(await bot.api("/incidents"))
            calls = slack.calls()
    assert found == CAUSES, f"{found} incidents"
    refused = sum(call.status == 429 for call in calls)
    return [
        Row(f"storm of {COUNT:,} alerts, until all are in {CAUSES} incidents", took, "s", "", sent,
            "sending them, by one process"),
        Row("until the critical one's channel is open", opened, "s", "≤ 5 s", sent, "sending them"),
        Row("memory after it", memory, "MiB", "", 500, "what it may take"),
        Row("calls of Slack refused in it", refused, "", "", len(calls), "calls of Slack"),
    ]  # fmt: skip

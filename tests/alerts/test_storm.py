"""A storm makes as many incidents as it has causes. The whole of it, 100,000, is in the benches."""

import asyncio
import time
from pathlib import Path

import psutil
import pytest

from tests.alerts.storm import CAUSES, a_bot, has_channel, posts, routed, send
from tests.e2e.harness import Bot
from tests.servers.haproxy import tcp_balancer
from tests.servers.process import HOST
from tests.slackstub import SlackStub

pytestmark = [pytest.mark.server, pytest.mark.alone, pytest.mark.timeout(300)]
COUNT = 8_000


async def test_a_storm_makes_as_many_incidents_as_it_has_causes(tmp_path: Path) -> None:
    """Twenty, each with all of its services' alerts; Slack is not flooded, nor the memory."""
    bodies = posts(COUNT)
    async with SlackStub(rate_limits=True, echo_own_events=False) as slack:
        bot = a_bot(
            tmp_path, f"sqlite+aiosqlite:///{tmp_path}/j.db", **Bot.slack_env(slack, "socket")
        )
        async with bot:
            began = time.monotonic()
            sending = asyncio.create_task(send(bot.url, bodies))
            await bot.until(lambda: has_channel(slack), "the critical one's channel", limit=60)
            opened = time.monotonic() - began
            await sending
            took = time.monotonic() - began
            await bot.until(lambda: routed(bot), "all alerts to be routed", limit=300)
            done = time.monotonic() - began
            memory = psutil.Process(bot.process.pid).memory_info().rss / 2**20  # type: ignore[union-attr]  # it runs
            incidents = await bot.api("/incidents")
            count = await bot.api("/alerts/count")
            calls = slack.calls()
    refused = sum(call.status == 429 for call in calls)
    print(f"taken in {took:.1f} s, routed in {done:.1f} s, first channel after {opened:.1f} s, "
          f"{memory:.0f} MiB, {count['stored']} stored, {len(calls)} calls of Slack, {refused} of them "
          "refused")  # fmt: skip
    assert len(incidents) == CAUSES
    assert {i["services"][0] for i in incidents} == {f"c{n}-0" for n in range(CAUSES)}
    assert opened < done / 2  # it does not wait for the others; in seconds: the benches
    assert memory < 500
    assert refused <= 2  # its limits are kept before it says so, but for a moment's difference


async def test_two_replicas_take_it_together(postgres_url: str, tmp_path: Path) -> None:
    """On one PostgreSQL, behind a TCP balancer: still one incident for each cause."""
    bodies = posts(COUNT)
    bots = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        bots.append(a_bot(tmp_path / name, postgres_url))
    async with bots[0], bots[1]:
        with tcp_balancer([bot.port for bot in bots]) as port:
            await send(f"http://{HOST}:{port}", bodies)
        taken = [await _accepted(bot) for bot in bots]
        await bots[0].until(lambda: routed(bots[0]), "all alerts to be routed", limit=200)
        incidents = await bots[0].api("/incidents")
        count = await bots[1].api("/alerts/count")
    assert sum(taken) == COUNT
    assert min(taken) > COUNT / 10  # both had their share, as large as the machine made it
    assert {i["services"][0] for i in incidents} == {f"c{n}-0" for n in range(CAUSES)}
    assert len(incidents) == CAUSES
    assert 0 < count["firing"] < count["stored"] < COUNT  # repeats are stored once


async def _accepted(bot: Bot) -> float:
    text = (await bot.http.get("/metrics")).text
    line = next(x for x in text.splitlines() if x.startswith("jackline_alerts_accepted_total"))
    return float(line.split()[-1])

"""How soon an incident's channel is ready, and how soon a burst of commands is acknowledged."""

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from slack_sdk.web.async_client import AsyncWebClient

from tests.bench.table import Row
from tests.e2e.harness import Bot, serve, write_runbooks
from tests.slackstub import C_GENERAL, U_ANA, SlackStub

LATENCY, ROUNDS, BURST = 0.1, 5, 20


@asynccontextmanager
async def playing(latency: float) -> AsyncIterator[tuple[SlackStub, Bot]]:
    """A Jackline process on SQLite, connected by Socket Mode."""
    with tempfile.TemporaryDirectory() as folder:
        async with SlackStub(latency=latency, trigger_ttl=10) as slack:
            runbooks = write_runbooks(
                Path(folder) / "runbooks", team=slack.team_id,
                edge="http://127.0.0.1:9", shop="http://127.0.0.1:9",
            )  # fmt: skip
            env = Bot.slack_env(slack, "socket")
            bot = Bot(Path(folder), runbooks, "", **env)
            bot.spawn = serve
            async with bot:
                await slack.wait_sockets()
                yield slack, bot


async def declare_to_ready() -> list[Row]:
    """One command at ``LATENCY`` a call, in round trips; beside a bot that calls one by one."""
    firsts, lasts, calls = [], [], 0
    async with playing(LATENCY) as (slack, bot):
        for number in range(ROUNDS + 1):
            slack.clear_calls()
            began = time.monotonic()
            await slack.command(f"/incident declare sev2 Search is slow {number}", U_ANA, C_GENERAL)
            await asyncio.sleep(12 * LATENCY)
            while not slack.calls(
                "chat.postMessage"
            ):  # the first time parts of it are still loaded
                await asyncio.sleep(LATENCY)
            await bot.said_all()
            made = [c for c in slack.calls() if c.ended and c.method != "auth.test"]
            posts = [c.ended for c in made if c.method == "chat.postMessage" and c.ended]
            if number:  # the first one warms up: it also asks who the bot is
                firsts.append((min(posts) - began) / LATENCY)
                lasts.append((max(c.ended or 0 for c in made) - began) / LATENCY)
                calls = len(made)
        first, last = await _one_by_one(slack)
    return [
        Row("declare → first message", min(firsts), "round trips", "≤ 2.5", first, "one by one"),
        Row("declare → last call", min(lasts), "round trips", "≤ 4", last, "one by one"),
        Row("Slack calls an incident", calls, "calls", "", 8, "one by one"),
    ]


async def _one_by_one(slack: SlackStub) -> tuple[float, float]:
    """A peer: the eight calls of an incident, each after the other's answer."""
    client = AsyncWebClient(slack.bot_token, base_url=slack.api_url)
    began = time.monotonic()
    made = await client.conversations_create(name="peer-1")
    channel = made["channel"]["id"]
    await client.conversations_setTopic(channel=channel, topic="sev2")
    post = await client.chat_postMessage(channel=channel, text="Search is slow")
    first = time.monotonic() - began
    await client.pins_add(channel=channel, timestamp=post["ts"])
    await client.conversations_invite(channel=channel, users=U_ANA)
    for text in ("roles", "links"):
        await client.chat_postMessage(channel=channel, text=text)
    await client.conversations_info(channel=channel)
    return first / LATENCY, (time.monotonic() - began) / LATENCY


async def burst() -> list[Row]:
    """Twenty people at once; the floor is the same burst of what is acknowledged unstored."""
    async with playing(LATENCY) as (slack, bot):
        await slack.command("/incident help", U_ANA, C_GENERAL, wait=5)

        async def worst(text: str) -> float:
            async def one(number: int) -> float:
                said = await slack.command(text.format(number), U_ANA, C_GENERAL)
                return float(said.seconds)

            return 1000 * max(await asyncio.gather(*(one(n) for n in range(BURST))))

        floor = await worst("/incident")
        declared = await worst("/incident declare sev3 Burst {}")

        async def all_there() -> bool:
            return len(await bot.api("/incidents")) == BURST

        await bot.until(all_there, f"{BURST} incidents")
    return [
        Row(f"worst ack, {BURST} declares at once", declared, "ms", "< 150", floor, "no writes")
    ]

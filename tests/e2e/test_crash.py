"""SIGKILL at every committed boundary of the flow, enumerated, loses and doubles nothing.

The story is played once without a crash, which counts the commits; then once for each commit and
each side of it. The person driving it does what a person would: sends again what was not
acknowledged, and presses again what did not react.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.forked import Forker
from tests.e2e.harness import Bot, firing, write_runbooks
from tests.servers.postgres import Postgres
from tests.slackstub import U_ANA, U_BEN, HumanError, SlackStub

pytestmark = [pytest.mark.server, pytest.mark.alone, pytest.mark.timeout(900)]
CHUNKS = 6
ONCE = (
    "incident_declared", "alert_received", "runbook_proposed", "run_planned", "run_requested",
    "run_approved", "run_started", "run_succeeded", "alert_resolved", "postmortem_drafted",
)  # fmt: skip


class Driver:
    """Plays the story to its end, however often the process dies."""

    def __init__(self, slack: SlackStub, bot: Bot) -> None:
        self.slack = slack
        self.bot = bot
        self.deaths = 0

    async def alive(self) -> None:
        """Starts the process again if it died; from then on it lives."""
        process = self.bot.process
        if process is None or process.returncode is not None:
            self.deaths += process is not None
            if process is not None:
                self.bot.env["CRASH_AT"] = "0"
            await self.bot.launch()

    async def step(self, look: Any, act: Any) -> Any:
        """Acts until what was wanted is there."""
        for _ in range(600):
            await self.alive()
            try:
                if found := await look():
                    return found
                await act()
            except (httpx.HTTPError, HumanError, AssertionError, LookupError):
                pass
            await asyncio.sleep(0.05)
        raise AssertionError(f"the story got stuck\n{self.bot.log()}")

    async def incident(self) -> dict[str, Any]:
        """The incident, or nothing yet.

        Not always number 1: PostgreSQL does not hand out again what a killed process had drawn.
        """
        for listed in await self.bot.api("/incidents"):
            return await self.bot.incident(listed["id"])
        return {}

    async def has(self, kind: str) -> bool:
        return kind in {row["kind"] for row in (await self.incident()).get("timeline", [])}

    def channel(self) -> str:
        """The incident's channel; LookupError until it is there."""
        for channel in self.slack.state()["channels"].values():
            if channel["name"].startswith("inc-"):
                return str(channel["id"])
        raise LookupError("no channel yet")

    async def press(self, text: str, action: str, user: str) -> None:
        found = self.slack.messages(self.channel(), contains=text)
        await self.slack.click(self.channel(), found[0].ts, action, user, wait=0.2)

    async def play(self) -> dict[str, Any]:
        """The whole story."""

        async def nothing() -> None:
            return

        async def send(status: str) -> None:
            (await self.bot.alert(firing(status=status))).raise_for_status()

        plan = "Runbook Move traffic"
        await self.step(lambda: self.has("alert_received"), lambda: send("firing"))
        await self.step(lambda: self.has("run_planned"), nothing)
        await self.step(
            lambda: self.has("run_requested"), lambda: self.press(plan, "run_request", U_ANA)
        )
        await self.step(
            lambda: self.has("run_approved"), lambda: self.press(plan, "run_approve", U_BEN)
        )
        await self.step(lambda: self.has("run_succeeded"), nothing)
        await self.step(lambda: self.has("alert_resolved"), lambda: send("resolved"))
        await self.step(
            lambda: self.has("postmortem_drafted"),
            lambda: self.press("SEV1 · The shop", "incident_resolve", U_ANA),
        )
        await self.step(self.delivered, nothing)
        return await self.incident()

    async def delivered(self) -> bool:
        text = (await self.bot.http.get("/metrics")).text
        return "jackline_outbox_unsent 0.0" in text


async def play_once(
    forker: Forker, folder: Path, edge: Any, at: int, side: str, database_url: str
) -> tuple[dict[str, Any], SlackStub, Driver, int]:
    folder.mkdir()
    edge.set_runtime({"routing.traffic.primary": "", "routing.traffic.standby": ""})
    async with SlackStub(echo_own_events=False, trigger_ttl=10) as slack:
        runbooks = write_runbooks(
            folder / "runbooks", team=slack.team_id, edge=edge.admin_url, shop=edge.url
        )
        bot = Bot(folder, runbooks, database_url, **Bot.slack_env(slack, "socket"))
        bot.spawn = forker.spawn
        bot.env |= {"CRASH_AT": str(at), "CRASH_SIDE": side, "CRASH_COUNT": str(folder / "count")}
        bot.env |= {"JACKLINE_SLACK__DIGEST_CHANNEL": ""}
        driver = Driver(slack, bot)
        try:
            incident = await driver.play()
            check(incident, slack, driver, await bot.api("/audit"))
        finally:
            await bot.stop()
            await bot.http.aclose()
        return incident, slack, driver, int((folder / "count").read_text())


def check(incident: dict[str, Any], slack: SlackStub, driver: Driver, audit: Any) -> None:
    """One channel, one run, each message once, a whole record."""
    assert audit["ok"], audit
    names = [c["name"] for c in slack.state()["channels"].values() if c["name"].startswith("inc-")]
    assert names == [f"inc-{incident['id']}-the-shop-is-down"]
    assert [r["state"] for r in incident["runs"]] == ["succeeded"]
    rows = incident["timeline"]
    assert [r["seq"] for r in rows] == list(range(1, len(rows) + 1))
    counted = Counter(r["kind"] for r in rows)
    assert {k: counted[k] for k in ONCE} == dict.fromkeys(ONCE, 1)
    posts = Counter(m.text.split(" (")[0].split(": ")[0] for m in slack.messages(driver.channel()))
    assert posts["🔴 SEV1 · The shop is down"] == 1, posts
    assert posts["Runbook Move traffic to the standby"] == 1, posts


@pytest.mark.parametrize("chunk", range(CHUNKS))
async def test_killed_at_every_commit(
    chunk: int, tmp_path: Path, envoy_server: Any, http_server: Any
) -> None:
    """Each commit of the flow, just before and just after it, in ``CHUNKS`` parts."""

    def fresh(name: str) -> str:
        return f"sqlite+aiosqlite:///{tmp_path}/{name}.db"

    await _killed(1 + chunk, CHUNKS, fresh, tmp_path, envoy_server, http_server)


async def test_killed_at_some_commits_on_postgresql(
    postgres_server: Postgres, tmp_path: Path, envoy_server: Any, http_server: Any
) -> None:
    """Every tenth commit: what differs is the engine, not the flow."""

    def fresh(_: str) -> str:
        return postgres_server.create_database()

    await _killed(2, 10, fresh, tmp_path, envoy_server, http_server)


async def _killed(
    first: int,
    every: int,
    fresh: Callable[[str], str],
    tmp_path: Path,
    envoy_server: Any,
    http_server: Any,
) -> None:
    apps = {name: http_server(name) for name in ("primary", "standby")}
    edge = envoy_server(
        clusters={n: a.port for n, a in apps.items()}, weights={"primary": 100, "standby": 0}
    )
    async with Forker() as forker:
        _, _, calm, total = await play_once(
            forker, tmp_path / "calm", edge, 0, "after", fresh("calm")
        )
        assert calm.deaths == 0
        assert total > 20, "the flow has more boundaries than that"
        died = 0
        for at in (commits := range(first, total + 1, every)):
            for side in ("before", "after"):
                name = f"{side}-{at}"
                _, _, driver, _ = await play_once(
                    forker, tmp_path / name, edge, at, side, fresh(name)
                )
                died += driver.deaths
    # The last boundaries may fall after the story's end in a play that coalesced more.
    assert died >= len(commits), (died, len(commits))

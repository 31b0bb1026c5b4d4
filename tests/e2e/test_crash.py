"""SIGKILL at every committed boundary of the flow, enumerated, loses and doubles nothing."""

import shutil
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.dying import STRIDE, Driver, killed_at_each
from tests.e2e.harness import Bot, firing, write_runbooks
from tests.servers.postgres import Postgres
from tests.slackstub import U_ANA, U_BEN, SlackStub

pytestmark = [pytest.mark.server, pytest.mark.alone, pytest.mark.timeout(900)]
CHUNKS = 8
ONCE = (
    "incident_declared", "alert_received", "runbook_proposed", "run_planned", "run_requested",
    "run_approved", "run_started", "run_succeeded", "alert_resolved", "postmortem_drafted",
)  # fmt: skip


async def press(driver: Driver, text: str, action: str, user: str) -> None:
    found = driver.slack.messages(driver.channel(), contains=text)
    await driver.slack.click(driver.channel(), found[0].ts, action, user, wait=0.2)


async def play(driver: Driver) -> dict[str, Any]:
    """The whole story."""

    async def nothing() -> None:
        return

    async def send(status: str) -> None:
        (await driver.bot.alert(firing(status=status))).raise_for_status()

    plan = "Runbook Move traffic"
    await driver.step(lambda: driver.has("alert_received"), lambda: send("firing"))
    await driver.step(lambda: driver.has("run_planned"), nothing)
    await driver.step(
        lambda: driver.has("run_requested"), lambda: press(driver, plan, "run_request", U_ANA)
    )
    await driver.step(
        lambda: driver.has("run_approved"), lambda: press(driver, plan, "run_approve", U_BEN)
    )
    await driver.step(lambda: driver.has("run_succeeded"), nothing)
    await driver.step(lambda: driver.has("alert_resolved"), lambda: send("resolved"))
    await driver.step(
        lambda: driver.has("postmortem_drafted"),
        lambda: press(driver, "SEV1 · The shop", "incident_resolve", U_ANA),
    )
    await driver.step(driver.delivered, nothing)
    return await driver.step(driver.incident, nothing)


async def play_once(edge: Any, folder: Path, at: int, side: str, database_url: str) -> Driver:
    folder.mkdir()
    edge.set_runtime({"routing.traffic.primary": "", "routing.traffic.standby": ""})
    async with SlackStub(echo_own_events=False, trigger_ttl=10) as slack:
        runbooks = write_runbooks(
            folder / "runbooks", team=slack.team_id, edge=edge.admin_url, shop=edge.url
        )
        bot = Bot(folder, runbooks, database_url, **Bot.slack_env(slack, "socket"))
        bot.env |= {"JACKLINE_SLACK__DIGEST_CHANNEL": ""}
        driver = Driver(slack, bot, at, side)
        try:
            incident = await play(driver)
            check(incident, slack, driver, await driver.get("/audit"))
        finally:
            await bot.stop()
            await bot.http.aclose()
        return driver


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
    chunk: int, tmp_path: Path, migrated: Path, envoy_server: Any, http_server: Any
) -> None:
    """Each commit of the flow, just before and just after it, in ``CHUNKS`` parts."""

    def fresh(name: str) -> str:
        return f"sqlite+aiosqlite:///{shutil.copy(migrated, tmp_path / f'{name}.db')}"

    firsts = range(1 + chunk, STRIDE + 1, CHUNKS)
    edge = _edge(envoy_server, http_server)
    await killed_at_each(partial(play_once, edge), firsts, fresh, tmp_path, 20, calm=chunk == 0)


async def test_killed_at_every_fifth_commit_on_postgresql(
    postgres_server: Postgres, tmp_path: Path, envoy_server: Any, http_server: Any
) -> None:
    """What differs is the engine, not the flow."""

    def fresh(_: str) -> str:
        return postgres_server.create_database()

    edge = _edge(envoy_server, http_server)
    await killed_at_each(partial(play_once, edge), (2, 7), fresh, tmp_path, 20)


def _edge(envoy_server: Any, http_server: Any) -> Any:
    apps = {name: http_server(name) for name in ("primary", "standby")}
    return envoy_server(
        clusters={n: a.port for n, a in apps.items()}, weights={"primary": 100, "standby": 0}
    )

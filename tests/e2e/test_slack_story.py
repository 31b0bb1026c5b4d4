"""The main job, played through Slack: alert → incident → channel → runbook → postmortem."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.harness import Bot, firing, write_runbooks
from tests.slackstub import C_GENERAL, U_ANA, U_BEN, U_CAROL, HumanError, SlackStub

pytestmark = pytest.mark.server


@pytest.fixture
def edge(envoy_server: Any, http_server: Any) -> Any:
    """A real Envoy before two real servers."""
    apps = {name: http_server(name) for name in ("primary", "standby")}
    return envoy_server(
        clusters={n: a.port for n, a in apps.items()}, weights={"primary": 100, "standby": 0}
    )


@asynccontextmanager
async def story(
    mode: str, database_url: str, folder: Path, edge: Any
) -> AsyncIterator[tuple[SlackStub, Bot]]:
    async with SlackStub(retry_delays=(0, 0.2, 0.5), trigger_ttl=10) as slack:
        runbooks = write_runbooks(
            folder / "runbooks", team=slack.team_id, edge=edge.admin_url, shop=edge.url
        )
        bot = Bot(folder, runbooks, database_url, **Bot.slack_env(slack, mode))
        if mode == "http":
            url = f"{bot.url}/slack/events"
            slack.configure(
                delivery="http", events_url=url, commands_url=url, interactivity_url=url
            )
        async with bot:
            if mode == "socket":
                await slack.wait_sockets()
            yield slack, bot


async def press(
    slack: SlackStub, channel: str, ts: str, action: str, user: str, wait: float = 0.3
) -> Any:
    """Presses a button once Slack shows it; ``wait``: up to so many seconds for an answer."""
    for _ in range(200):
        try:
            return await slack.click(channel, ts, action, user, wait=wait)
        except HumanError:
            await asyncio.sleep(0.05)
    raise AssertionError(f"{action} never appeared")


async def play(slack: SlackStub, bot: Bot, edge: Any) -> dict[str, Any]:
    """The whole story; returns the incident as it ended."""
    assert (await bot.alert(firing())).status_code == 200
    run = await bot.run_in("proposed")
    channel = next(c for c in slack.state()["channels"].values() if c["name"].startswith("inc-1-"))[
        "id"
    ]
    plan = await slack.wait_message(channel, contains="Runbook Move traffic")
    assert "→" in str(plan.blocks), plan.blocks
    card = (await slack.wait_message(channel, contains="SEV1 · The shop")).ts

    await press(slack, channel, card, "incident_lead", U_ANA)
    await press(slack, channel, plan.ts, "run_request", U_ANA)
    await bot.run_in("waiting")
    own = await press(slack, channel, plan.ts, "run_approve", U_ANA, wait=20)
    assert "another person" in str(own.responses), own
    stranger = await press(slack, channel, plan.ts, "run_approve", U_CAROL, wait=20)
    assert "do not know you" in str(stranger.responses), stranger
    await press(slack, channel, plan.ts, "run_approve", U_BEN)
    done = await bot.run_in("succeeded")
    assert done["plan_digest"] == run["plan_digest"]
    assert edge.runtime()["routing.traffic.standby"] == "100"

    assert (await bot.alert(firing(status="resolved"))).status_code == 200
    await bot.row("alert_resolved")
    resolved = await slack.command("/incident resolve", U_ANA, channel, wait=20)
    assert "resolved" in str(resolved.responses), resolved
    await bot.row("postmortem_drafted")
    return await bot.incident()


@pytest.fixture(params=["socket", "http"])
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def test_the_whole_story(mode: str, database_url: str, tmp_path: Path, edge: Any) -> None:
    """One alert leads to one channel, one run of two approved steps, and a postmortem."""
    async with story(mode, database_url, tmp_path, edge) as (slack, bot):
        incident = await play(slack, bot, edge)
        await bot.said_all()
        kinds = [row["kind"] for row in incident["timeline"]]
        by_the_clock = ("evidence_attached", "alerts_ended")  # looked for every few seconds
        assert [k for k in kinds if k not in by_the_clock] == [
            "incident_declared", "alert_received", "runbook_proposed", "run_planned",
            "commander_assigned", "status_changed", "run_requested", "run_approved",
            "status_changed", "run_started", "step_started", "step_succeeded", "step_started",
            "step_succeeded", "run_succeeded", "alert_resolved", "status_changed",
            "postmortem_drafted",
        ]  # fmt: skip
        ours = [c for c in slack.state()["channels"].values() if c["name"].startswith("inc-")]
        assert [c["name"] for c in ours] == ["inc-1-the-shop-is-down"]
        assert "SEV1 | resolved" in str(ours[0]["topic"])
        assert (await bot.api("/audit"))["ok"]
        assert (await bot.stop()) == 0


async def test_a_retried_and_a_doubled_mention_declare_once(
    mode: str, database_url: str, tmp_path: Path, edge: Any
) -> None:
    """The same event twice, and the same message under two event ids, make one incident."""
    async with story(mode, database_url, tmp_path, edge) as (slack, bot):
        await slack.join(C_GENERAL, slack.bot_user_id)
        text = "declare sev3 Search is slow"
        await slack.mention(C_GENERAL, text, U_ANA, copies=3, new_event_ids=False)
        await slack.mention(C_GENERAL, text, U_ANA, copies=2, new_event_ids=True)

        async def both() -> bool:
            return len(await bot.api("/incidents")) == 2

        # Two messages of Ana, five deliveries: two incidents, and never more.
        await bot.until(both, "two incidents")
        await bot.said_all()
        assert await both()


async def test_menu_form_and_wrong_words(
    mode: str, database_url: str, tmp_path: Path, edge: Any
) -> None:
    """A bare command opens the form; nonsense gets the right usage, seen by its sender alone."""
    async with story(mode, database_url, tmp_path, edge) as (slack, bot):
        opened = await slack.command("/incident", U_ANA, C_GENERAL)
        view = await slack.wait_view(opened.id)
        view_id = view["id"] if isinstance(view, dict) else view.id
        await slack.submit_view(view_id, {"title": "Search is down", "severity": "sev1"}, U_ANA)
        found = await bot.until(lambda: bot.api("/incidents"), "the incident")
        assert (found[0]["title"], found[0]["severity"]) == ("Search is down", "sev1")
        wrong = await slack.command("/incident severty sev1", U_ANA, C_GENERAL, wait=20)
        assert "did you mean 'severity'" in wrong.responses[0]["text"]
        unknown = await slack.command("/incident declare x", U_CAROL, C_GENERAL, wait=20)
        assert "do not know you" in unknown.responses[0]["text"]
        assert wrong.responses[0]["response_type"] == "ephemeral"
        assert len(await bot.api("/incidents")) == 1


async def test_slack_away_blocks_nothing_and_catches_up(
    database_url: str, tmp_path: Path, edge: Any
) -> None:
    """While Slack is down the incident is handled; back again, Slack shows it, once, in order."""
    async with story("socket", database_url, tmp_path, edge) as (slack, bot):
        slack.configure(down=True)
        await slack.cut_sockets()
        assert (await bot.alert(firing())).status_code == 200
        await bot.run_in("proposed")
        slack.configure(down=False)

        async def channel() -> Any:
            return [c for c in slack.state()["channels"].values() if c["name"].startswith("inc-1-")]

        (found,) = await bot.until(channel, "the channel")
        await slack.wait_message(found["id"], contains="Runbook Move traffic")
        await bot.said_all()
        texts = [m.text for m in slack.messages(found["id"]) if m.text]
        assert sum("Runbook Move" in t for t in texts) == 1
        assert sum("SEV1 · The shop" in t for t in texts) == 1


@pytest.mark.parametrize("fault", ["drop_before", "drop_after", "http_500", "ratelimited"])
async def test_a_lost_answer_never_doubles_anything(
    fault: str, database_url: str, tmp_path: Path, edge: Any
) -> None:
    """Whatever becomes of an answer of Slack's: one channel, each message once."""
    async with story("socket", database_url, tmp_path, edge) as (slack, bot):
        for method in ("conversations.create", "chat.postMessage"):
            slack.fault(method, kind=fault, times=1)
        assert (await bot.alert(firing())).status_code == 200
        await bot.run_in("proposed")

        async def told() -> Any:
            ours = [c for c in slack.state()["channels"].values() if c["name"].startswith("inc-1-")]
            return ours and slack.messages(ours[0]["id"], contains="Runbook Move") and ours

        ours = await bot.until(told, "the plan in Slack")
        await bot.said_all()
        assert len(ours) == 1
        texts = [m.text for m in slack.messages(ours[0]["id"]) if m.text]
        assert sum("Runbook Move" in t for t in texts) == 1
        assert sum("SEV1 · The shop" in t for t in texts) == 1

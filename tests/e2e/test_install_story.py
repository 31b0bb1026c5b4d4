"""Installing Jackline in a second workspace: by whom, how it is refused, and what is kept of it."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text, update
from sqlmodel import select

from bot.chat.slack.tables import SlackInstallation, SlackInstallState
from bot.cli.doctor import diagnose
from bot.store import now
from tests.e2e.forked import ROOT
from tests.e2e.spaces import Spaces, spaces, words
from tests.slackstub import C_GENERAL

pytestmark = [pytest.mark.server, pytest.mark.timeout(120)]


@pytest.fixture
async def at(tmp_path: Path, database_url: str) -> AsyncIterator[Spaces]:
    async with spaces("socket", database_url, tmp_path) as made:
        yield made


async def installed(at: Spaces) -> list[SlackInstallation]:
    async with at.store() as store, store.read() as session:
        return list((await session.execute(select(SlackInstallation))).scalars())


async def test_installed_by_the_platform_team(at: Spaces) -> None:
    """The page says where and what next; the token is on disk, and nobody can read it there."""
    at.two.ws.scopes = "chat:write,commands"
    page = await at.install()
    assert page.status_code == 200, page.text
    assert "Jackline is installed in Stub Works 2 (T0STUB0002)" in words(page)
    assert "It lacks the scopes app_mentions:read, " in words(page)
    assert "T0STUB0002:U…" in words(page)
    (row,) = await installed(at)
    assert (row.key, row.team_name, row.installed_by) == ("T0STUB0002", "Stub Works 2", "dora")
    assert (row.bot_user_id, row.removed_at) == (at.two.bot_user_id, None)
    token = at.two.bot_token
    assert token.startswith("xoxb-")
    assert token not in row.token
    data = [p for p in at.bot.folder.rglob("*") if p.is_file()]
    assert data
    assert not [p for p in data if token.encode() in p.read_bytes()]
    async with at.browser("dora") as browser:
        shown = await browser.get("/settings")
    assert at.one.client_secret not in shown.text
    assert token not in shown.text


async def test_who_may_not(at: Spaces) -> None:
    """A stranger is led to the sign-in, others are told which role it needs; Slack is not asked."""
    async with at.browser() as stranger:
        for path in ("/slack/install", "/slack/oauth_redirect?code=1&state=2"):
            answer = await stranger.get(path)
            assert (answer.status_code, answer.headers["location"]) == (303, "/signin")
    async with at.browser("ana") as responder:
        for path in ("/slack/install", "/slack/oauth_redirect?code=1&state=2"):
            answer = await responder.get(path)
            assert answer.status_code == 403
            assert "needs the role 'admin'" in answer.text.replace("&#39;", "'")
    assert at.one.calls("oauth.v2.access") == []


async def test_what_leads_back_counts_once_and_here_alone(at: Spaces) -> None:
    """Another browser, another person, a made-up state, a second time: each is refused with a page."""
    at.one.consent(at.two.team_id)
    async with at.browser("dora") as browser, at.browser("dora") as other:
        back = await at.to_slack(browser)
        forged = await browser.get("/slack/oauth_redirect?code=1&state=made-up")
        assert forged.status_code == 422
        assert "Begin again at /slack/install" in words(forged)
        assert (await browser.get("/slack/oauth_redirect")).status_code == 303, "by hand"
        assert (await other.get(back)).status_code == 422
        other.cookies.set("jackline_slack_install", browser.cookies["jackline_slack_install"])
        assert (await browser.head(back)).status_code == 200, "a preview uses nothing up"
        assert (await browser.get(back)).status_code == 200
        assert (await browser.get(back)).status_code == 422
        assert (await other.get(back)).status_code == 422
    assert len(at.one.calls("oauth.v2.access")) == 1
    assert len(await installed(at)) == 1


async def test_too_late_and_not_allowed(at: Spaces) -> None:
    """Nothing is installed, and the page says why and what to do."""
    async with at.browser("dora") as browser:
        back = await at.to_slack(browser)
        async with at.store() as store, store.write() as session:
            long_ago = now() - timedelta(seconds=1)
            await session.execute(update(SlackInstallState).values(expires_at=long_ago))
        late = await browser.get(back)
        assert late.status_code == 422
        assert "it took too long" in words(late)
        at.one.consent(at.two.team_id, allow=False)
        denied = await browser.get(await at.to_slack(browser))
        assert denied.status_code == 422
        assert "Nobody allowed it in Slack" in words(denied)
        at.one.consent(at.two.team_id)
        back = await at.to_slack(browser)
        at.one.ws.app.grants.clear()
        unknown = await browser.get(back)
        assert unknown.status_code == 422
        assert "Slack does not know the code" in words(unknown)
        back = await at.to_slack(browser)
        at.one.fault("oauth.v2.access", "http_500")
        away = await browser.get(back)
        assert away.status_code == 503
        assert "Nothing was installed" in words(away)
    assert await installed(at) == []


async def test_its_own_workspace_needs_none(at: Spaces) -> None:
    """It goes by the token of the settings, and no other is kept."""
    at.one.consent("")
    async with at.browser("dora") as browser:
        page = await browser.get(await at.to_slack(browser))
    assert "Nothing to install" in words(page)
    assert await installed(at) == []
    done = await at.one.command("/incident list", wait=20)
    assert done.responses


async def test_who_is_not_installed_is_refused_once_in_the_log(at: Spaces) -> None:
    """No traceback; the person is told, and events change nothing."""
    for _ in range(2):
        done = await at.two.command("/incident declare Down", channel=C_GENERAL)
        assert done.acked
        assert "not installed in this workspace" in done.text
    await at.two.emit_event({"type": "app_mention", "channel": C_GENERAL, "user": "U1",
                             "text": "declare Down", "ts": "1.1"})  # fmt: skip

    def taken() -> bool:
        return [d["outcome"] for d in at.two.deliveries("events_api")] == ["acked"]

    await at.two.wait_for(taken, 10)
    assert await at.bot.api("/incidents") == []
    log = (at.bot.folder / "bot.log").read_text()
    assert log.count("slack_workspace_unknown") == 1
    assert "Traceback" not in log


async def test_a_token_moved_to_another_row_opens_nothing(at: Spaces) -> None:
    """Who may write the database cannot have Jackline speak where it was not installed."""
    assert (await at.install()).status_code == 200
    async with at.store() as store, store.write() as session:
        await session.execute(text("UPDATE slack_installation SET key = 'T0OTHER'"))
    await at.bot.stop()
    await at.bot.start()

    async def told() -> bool:
        return "cannot be opened" in (await at.bot.http.get("/readyz")).json()["slack"]

    await at.bot.until(told, "the trouble to be said")


async def test_the_command_line_lists_it_and_the_doctor_asks_each(
    at: Spaces, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By name, also what is wrong with one of them; never a token."""
    for name, value in at.bot.env.items():
        if name.startswith("JACKLINE_"):
            monkeypatch.setenv(name, value)
    assert (await at.install()).status_code == 200
    token = at.two.bot_token

    async def line() -> tuple[bool, str]:
        found = {r.name: (r.ok, r.detail) for r in await diagnose()}
        assert token not in str(found)
        return found["slack in Stub Works 2 (T0STUB0002)"]

    assert await line() == (True, "jackline")
    at.two.ws.scopes = "chat:write"
    assert "the app lacks the scopes app_mentions:read" in (await line())[1]
    at.two.ws.revoked.add(token)
    assert await line() == (
        False, "Slack refuses the bot's token: account_inactive. Install the app again.",
    )  # fmt: skip
    listed = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-m", "bot.cli", "slack", "workspaces", "--json"],
        env=at.bot.env, cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    (row,) = json.loads(listed.stdout)
    assert (row["key"], row["installed_by"]) == ("T0STUB0002", "dora")
    assert "token" not in row

"""Slack over HTTP: only what Slack signed, and only just now, is listened to."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from sqlalchemy import func
from sqlmodel import col, select

from bot.chat.slack.tables import SlackRequest
from bot.incidents import Incident
from bot.web.limit import BODY_LIMIT
from tests.e2e.harness import Bot
from tests.slackstub import C_GENERAL, U_ANA, SlackStub
from tests.web.conftest import Open, Web

pytestmark = pytest.mark.server  # the stub listens on a port
FORM = "application/x-www-form-urlencoded"


class Signed:
    """The app connected to Slack over HTTP, and what Slack would send it."""

    def __init__(self, web: Web, slack: SlackStub) -> None:
        self.web = web
        self.slack = slack

    def command(self, text: str = "declare sev2 Search is slow") -> str:
        """A slash command's body."""
        return urlencode({
            "command": "/incident", "text": text, "team_id": self.slack.team_id,
            "user_id": U_ANA, "channel_id": C_GENERAL, "trigger_id": f"{time.time()}.1.x",
            "response_url": f"{self.slack.url}/actions/none",
        })  # fmt: skip

    async def send(self, body: str, headers: dict[str, str]) -> httpx.Response:
        return await self.web.http.post(
            "/slack/events", content=body, headers={"Content-Type": FORM, **headers}
        )

    async def declared(self, wanted: int = 0) -> int:
        """How many incidents there are, once there are ``wanted`` and nothing is in hand."""
        for _ in range(400):
            async with self.web.jackline.store.read() as session:
                count = (await session.execute(select(func.count(col(Incident.id))))).scalar_one()
                new = select(func.count()).where(SlackRequest.state == "new")
                waiting = (await session.execute(new)).scalar_one()
            if count >= wanted and not waiting:
                break
            await asyncio.sleep(0.05)
        return int(count)


@asynccontextmanager
async def connected(open_alone: Open, tmp_path: Any) -> AsyncIterator[Signed]:
    async with SlackStub() as slack:
        folder = tmp_path / "runbooks" / "catalog"
        folder.mkdir(parents=True)
        ana = {"id": "ana", "name": "Ana", "slack": [f"{slack.team_id}:{U_ANA}"]}
        (folder / "people.yaml").write_text(json.dumps({"people": [ana]}))
        given = {k.removeprefix("JACKLINE_"): v for k, v in Bot.slack_env(slack, "http").items()}
        async with open_alone(**given) as web:
            yield Signed(web, slack)


@pytest.fixture
async def slack(open_alone: Open, tmp_path: Any) -> AsyncIterator[Signed]:
    async with connected(open_alone, tmp_path) as signed:
        yield signed


async def test_what_slack_signed_is_done(slack: Signed) -> None:
    """A command with a right signature of this moment: stored, acknowledged, done."""
    body = slack.command()
    answer = await slack.send(body, slack.slack.deliverer.sign(body))
    assert (answer.status_code, answer.text) == (200, "")
    assert await slack.declared(1) == 1


async def test_what_cannot_be_stored_is_not_acknowledged(slack: Signed) -> None:
    """The database takes nothing: an event gets an error, so Slack sends it again; a person words."""
    event = json.dumps({
        "type": "event_callback", "team_id": slack.slack.team_id, "event_id": "Ev1",
        "event": {"type": "app_mention", "user": U_ANA, "channel": C_GENERAL, "ts": "1.1",
                  "text": "<@U1> declare Down"},
    })  # fmt: skip
    kind = {"Content-Type": "application/json"}
    sign = slack.slack.deliverer.sign
    store = slack.web.jackline.store
    async with store.engine.begin() as connection:
        await connection.exec_driver_sql("ALTER TABLE slack_request RENAME TO gone")
    answer = await slack.send(event, {**sign(event), **kind})
    assert answer.status_code == 500
    body = slack.command()
    answer = await slack.send(body, sign(body))
    assert answer.status_code == 200
    assert "The database did not take the requests." in answer.text
    async with store.engine.begin() as connection:
        await connection.exec_driver_sql("ALTER TABLE gone RENAME TO slack_request")
    assert (await slack.send(event, {**sign(event), **kind})).status_code == 200
    assert await slack.declared(1) == 1


async def test_what_slack_did_not_sign_is_refused(slack: Signed) -> None:
    """Unsigned, signed with another secret, for another body, half signed: 401, nothing done."""
    body = slack.command()
    sign = slack.slack.deliverer.sign
    right = sign(body)
    wrong = [
        {},
        {"X-Slack-Request-Timestamp": right["X-Slack-Request-Timestamp"]},
        {"X-Slack-Signature": right["X-Slack-Signature"]},
        {**right, "X-Slack-Signature": "v0=" + "0" * 64},
        {**right, "X-Slack-Signature": ""},
        {**right, "X-Slack-Request-Timestamp": "now"},
        {**right, "X-Slack-Request-Timestamp": "9" * 5000},
        sign(body + "&x=1"),
    ]
    assert [(await slack.send(body, headers)).status_code for headers in wrong] == [401] * 8
    assert await slack.declared() == 0


# Five minutes, and as long as the request may be on its way to be read while still ahead of time.
@pytest.mark.parametrize("seconds", [-3600, -301, 360, 3600])
async def test_an_old_signature_is_refused(slack: Signed, seconds: int) -> None:
    """A request that was overheard cannot be played again later, nor signed ahead."""
    body = slack.command()
    headers = slack.slack.deliverer.sign(body, int(time.time()) + seconds)
    assert (await slack.send(body, headers)).status_code == 401
    assert await slack.declared() == 0


async def test_played_again_at_once_it_changes_nothing(slack: Signed) -> None:
    """Within Slack's five minutes the same request is the same command: one incident."""
    body = slack.command()
    headers = slack.slack.deliverer.sign(body)
    assert [(await slack.send(body, headers)).status_code for _ in range(3)] == [200] * 3
    assert await slack.declared(1) == 1


async def test_slacks_question_whose_url_this_is(slack: Signed) -> None:
    """The challenge is given back, to Slack alone."""
    body = json.dumps({"type": "url_verification", "token": "x", "challenge": "c1"})
    kind = {"Content-Type": "application/json"}
    answer = await slack.send(body, {**slack.slack.deliverer.sign(body), **kind})
    assert "c1" in answer.text
    assert (await slack.send(body, kind)).status_code == 401


async def test_a_body_without_end_is_cut_off(slack: Signed) -> None:
    """Before any signature is checked, nobody gets to fill the memory."""
    body = "x" * (BODY_LIMIT + 1)
    assert (await slack.send(body, slack.slack.deliverer.sign(body))).status_code == 413


async def test_how_it_stands_with_slack_is_seen_from_outside(slack: Signed) -> None:
    """Ready says it beside, the metrics count it, and the console's banner says what to do."""
    web = slack.web
    assert web.jackline.slack is not None
    assert (await web.http.get("/readyz")).json() == {"status": "ready", "slack": "over HTTP"}
    assert await web.metric("jackline_slack_troubles") == 0
    event = {"type": "event_callback", "team_id": slack.slack.team_id, "event_id": "Ev9",
             "event": {"type": "app_uninstalled"}}  # fmt: skip
    body, kind = json.dumps(event), {"Content-Type": "application/json"}
    assert (await slack.send(body, {**slack.slack.deliverer.sign(body), **kind})).status_code == 200
    answer = await web.http.get("/readyz")
    assert answer.status_code == 200, "the console works, so Jackline is ready"
    assert "Install the app again" in answer.json()["slack"]
    assert "Install the app again" in web.jackline._notice()
    assert await web.metric("jackline_slack_troubles") == 1
    await web.jackline.slack.surface.look()
    assert (await web.http.get("/readyz")).json()["slack"] == "over HTTP"
    slack.slack.configure(down=True)
    await web.jackline.slack.surface.look()
    assert await web.metric("jackline_slack_down") == 1

"""Socket Mode: two sockets, replaced when they are dead, whatever the library thinks of them."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from types import SimpleNamespace
from typing import Any

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.chat.slack.app import SlackIn, build_app
from bot.chat.slack.sockets import Sockets
from bot.chat.slack.standing import Standing
from tests.chat.spoken import workspaces
from tests.delivery.conftest import stop
from tests.slackstub import SlackStub

pytestmark = pytest.mark.server  # the stub listens on a port
PING = 0.2


class Line:
    """The bolt app over its sockets; what came in is in ``heard``."""

    def __init__(self, slack: SlackStub) -> None:
        self.slack = slack
        self.standing = Standing(2)
        self.heard: list[str] = []
        self.client = AsyncWebClient(token=slack.bot_token, base_url=slack.api_url)
        incoming = SlackIn(self._inbox(), workspaces(self.client, self.standing))
        self.app = build_app(slack.api_url, "", incoming)
        self.sockets = Sockets(self.app, slack.app_token, self.standing, PING)

    def _inbox(self) -> Any:
        """The one that stores is tested elsewhere."""

        async def accept(kind: str, key: str, body: dict[str, Any]) -> None:
            self.heard.append(body["text"])

        return SimpleNamespace(accept=accept)

    async def says(self, text: str) -> None:
        await self.slack.command(f"/incident {text}")

    async def until(self, ready: Callable[[], object]) -> None:
        await self.slack.wait_for(ready, 20)


@pytest.fixture
async def line(slack: SlackStub) -> AsyncIterator[Line]:
    made = Line(slack)
    running = asyncio.create_task(made.sockets.run())
    await made.until(lambda: made.standing.sockets == 2)
    yield made
    await stop(running)
    if made.client.session is not None:
        await made.client.session.close()


async def test_two_sockets_and_what_comes_by_either(line: Line) -> None:
    for n in range(4):
        await line.says(f"note {n}")
    assert line.heard == [f"note {n}" for n in range(4)]
    assert line.standing.state() == "2 of 2 sockets"


async def test_a_socket_that_slack_closes_is_replaced(line: Line) -> None:
    """Slack does so every few hours; the other one hears meanwhile."""
    before = line.slack.hub.connections
    await line.slack.disconnect_sockets("refresh_requested", every=False)
    await line.says("note still heard")
    await line.until(lambda: line.slack.hub.connections > before and line.standing.sockets == 2)
    assert line.heard == ["note still heard"]


async def test_cut_they_come_back(line: Line) -> None:
    await line.slack.cut_sockets()
    await line.until(lambda: line.slack.hub.connections >= 4 and line.standing.sockets == 2)
    await line.says("note again")
    assert line.heard == ["note again"]


async def test_dead_while_all_looks_healthy(line: Line) -> None:
    """Open, and not a byte comes: both are replaced, and what is said then is heard."""
    line.slack.configure(sockets_frozen=True)
    await line.until(lambda: line.slack.hub.connections >= 4)
    line.slack.configure(sockets_frozen=False)
    await line.until(lambda: line.standing.sockets == 2 and len(line.slack.hub.sockets) == 2)
    await line.says("note awake")
    assert "note awake" in line.heard


async def test_nobody_reads_from_it(line: Line) -> None:
    """Pings are answered, but the library's task that hands on what comes has ended."""
    dying = [t for t in asyncio.all_tasks() if "process_messages" in str(t.get_coro())]
    assert len(dying) == 2
    for task in dying:
        task.cancel()
    await line.until(lambda: line.slack.hub.connections >= 4 and line.standing.sockets == 2)
    await line.says("note read")
    assert line.heard == ["note read"]


async def test_slack_away_at_the_start(slack: SlackStub) -> None:
    """Nobody waits for it, and it is tried again until it is there."""
    slack.configure(down=True)
    made = Line(slack)
    running = asyncio.create_task(made.sockets.run())
    await asyncio.sleep(0.5)
    assert made.standing.state() == "0 of 2 sockets"
    slack.configure(down=False)
    await made.until(lambda: made.standing.sockets == 2)
    await stop(running)
    if made.client.session is not None:
        await made.client.session.close()


async def test_a_refused_token_is_said_with_what_to_do(
    slack: SlackStub, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """In the console's words, and without a traceback for each try."""
    slack.ws.app_token = "xapp-another"
    made = Line(slack)
    made.sockets.token = "xapp-revoked"
    running = asyncio.create_task(made.sockets.run())
    await made.until(made.standing.words)
    assert "app-level token" in made.standing.words()
    assert "connections:write" in made.standing.words()
    await stop(running)
    assert "Traceback" not in caplog.text + capfd.readouterr().err
    assert not [r for r in caplog.records if r.levelno >= logging.ERROR]
    if made.client.session is not None:
        await made.client.session.close()


@pytest.mark.parametrize(
    ("event", "ours"),
    [
        ({"type": "app_uninstalled"}, True),
        ({"type": "tokens_revoked", "tokens": {"bot": ["U0JACKBOT1"]}}, True),
        ({"type": "tokens_revoked", "tokens": {"oauth": ["U0ANA00001"]}}, False),
    ],
)
async def test_taken_out_of_slack(line: Line, event: dict[str, Any], ours: bool) -> None:
    """Said at once, also while nothing is to be sent; a person's own token is none of ours."""
    await line.slack.emit_event(event)
    await line.until(lambda: [d["outcome"] for d in line.slack.deliveries()] == ["acked"])
    assert bool(line.standing.words()) is ours
    line.standing.token_works()
    assert line.standing.words() == ""

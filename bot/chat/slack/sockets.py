"""Socket Mode: two sockets, each looked after by a watchdog.

A socket can be dead while the process is healthy: nothing comes in any more, and nothing says so.
So each is replaced as soon as Slack no longer answers its pings or the tasks that read from it have
ended. Two of them, because Slack closes each every few hours; what comes by both is done once, for
the inbox has it under one key.
"""

import asyncio
import logging
import time
from contextlib import suppress

import aiohttp
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp

from bot.chat.slack.calls import slack_errors
from bot.chat.slack.standing import Standing
from bot.errors import AuthFailed, TargetError
from bot.log import get

log = get("slack")
SOCKETS = 2
_PING = 5.0  # seconds between pings; after four without an answer a socket counts as dead
_OPENING = 15.0  # seconds that opening one may take
_CLOSING = 5.0  # and closing one: a dead one must not keep its place
_SLOWEST = 30.0  # seconds between two tries

# What goes wrong is logged here in our words; the library's own would be a traceback for each try.
_QUIET = logging.getLogger("jackline.socket_mode")
_QUIET.setLevel(logging.CRITICAL + 1)


class Sockets:
    """`run` keeps them open until it is cancelled; ``standing`` is told how many there are."""

    def __init__(self, app: AsyncApp, token: str, standing: Standing, ping: float = _PING) -> None:
        self.app = app
        self.token = token
        self.standing = standing
        self.ping = ping

    async def run(self) -> None:
        """Slack being down must not keep Jackline from working: this tries again for ever."""
        async with asyncio.TaskGroup() as group:
            for number in range(SOCKETS):
                group.create_task(self._keep(number), name=f"slack socket {number}")

    async def _keep(self, number: int) -> None:
        failed = 0
        while True:
            began = time.monotonic()
            try:
                await self._live(number)
            except (TargetError, aiohttp.ClientError, OSError, TimeoutError) as error:
                log.warning("slack_socket_failed", socket=number, error=str(error) or "timeout")
                if isinstance(error, AuthFailed):
                    self.standing.app_token_refused(error)
            failed = 0 if time.monotonic() - began > _SLOWEST else failed + 1
            await asyncio.sleep(min(_SLOWEST, 0.2 * 2 ** min(failed, 10)))

    async def _live(self, number: int) -> None:
        """One socket from its opening to its end; the errors of ``bot.errors.TargetError``."""
        handler = AsyncSocketModeHandler(
            self.app, self.token, logger=_QUIET, ping_interval=self.ping
        )
        client = handler.client
        # Whether it is dead is judged here alone: what the library does by itself may hang.
        client.default_auto_reconnect_enabled = client.auto_reconnect_enabled = False
        try:
            async with asyncio.timeout(_OPENING):
                async with slack_errors("apps.connections.open", once=False):
                    answer = await client.web_client.apps_connections_open(app_token=self.token)
                client.wss_uri = str(answer["url"])
                await client.connect()  # type: ignore[no-untyped-call]  # the SDK's is not annotated
            self.standing.opened(number)
            while not (why := await _dead(handler)):  # noqa: ASYNC110 - the client has no event for it
                await asyncio.sleep(min(1.0, self.ping))
            log.warning("slack_socket_lost", socket=number, why=why)
        finally:
            self.standing.closed(number)
            with suppress(Exception):
                async with asyncio.timeout(_CLOSING):
                    await handler.close_async()  # type: ignore[no-untyped-call]  # same


async def _dead(handler: AsyncSocketModeHandler) -> str:
    """Why nothing comes in by this socket any more; empty while it lives."""
    client = handler.client
    if client.current_session is None or client.current_session.closed:
        return "closed"
    if await client.is_ping_pong_failing():
        return "no answer to our pings"
    readers = (client.message_receiver, client.message_processor, client.current_session_monitor)
    if any(task is None or task.done() for task in readers):
        return "nobody reads from it"
    return ""

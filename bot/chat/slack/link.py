"""Slack's two directions over one client, wired."""

from collections.abc import Awaitable, Callable, Coroutine

from slack_bolt.adapter.starlette.async_handler import AsyncSlackRequestHandler
from starlette.requests import Request
from starlette.responses import Response

from bot.catalog import Catalog
from bot.chat.cards import Cards
from bot.chat.clicks import Clicks
from bot.chat.commands import Commands
from bot.chat.slack.app import SlackIn, build_app
from bot.chat.slack.client import SlackClient
from bot.chat.slack.home import (
    Home,
    access_health,
    my_incidents,
    my_tasks,
    on_call,
    open_questions,
)
from bot.chat.slack.inbox import Inbox
from bot.chat.slack.pace import SEVERITY, Limits
from bot.chat.slack.sockets import SOCKETS, Sockets
from bot.chat.slack.standing import Standing
from bot.chat.slack.surface import SlackSurface
from bot.delivery import DeliveryWorker
from bot.incidents import Incidents
from bot.settings import Settings
from bot.store import Store

Repeat = Callable[[Callable[[], Awaitable[bool]], float], Coroutine[None, None, None]]


class SlackLink:
    """``repeat`` does a step again and again, with seconds between two looks."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        cards: Cards,
        commands: Commands,
        clicks: Clicks,
        incidents: Incidents,
        catalog: Callable[[], Catalog],
        owner: str,
        repeat: Repeat,
    ) -> None:
        mine = settings.slack
        token = mine.bot_token.get_secret_value() if mine.bot_token else ""
        secret = mine.signing_secret.get_secret_value() if mine.signing_secret else ""
        # The client's own handlers would repeat a post whose answer was lost: we look first.
        self.client = SlackClient(token=token, base_url=mine.api_url, retry_handlers=[])
        self.settings = mine
        self._app_token = mine.app_token.get_secret_value() if mine.app_token else ""
        limits, self.standing = Limits(), Standing(SOCKETS if mine.mode == "socket" else 0)
        self.surface = SlackSurface(
            self.client, store, cards, catalog, mine.digest_channel,
            settings.data_dir.absolute() / "evidence", incidents, limits, self.standing,
        )  # fmt: skip
        self.delivery = DeliveryWorker(store, self.surface, owner, SEVERITY)
        sections = (my_incidents(catalog), my_tasks(catalog), open_questions(catalog, cards),
                    on_call(commands.oncall), access_health(commands.ways))  # fmt: skip
        home = Home(self.client, store, catalog, sections, limits)
        self.inbox = Inbox(store, commands, clicks, incidents, catalog, self.client, limits, home)
        self.app = build_app(
            self.client, secret, SlackIn(self.inbox, self.standing, mine.reactions)
        )
        self._repeat = repeat
        self._handler = AsyncSlackRequestHandler(self.app)

    def workers(self) -> dict[str, Coroutine[None, None, None]]:
        """By name; each runs until cancelled."""
        work: dict[str, Coroutine[None, None, None]] = {
            "slack inbox": self.inbox.run(),
            "slack requests": self._repeat(self.inbox.work_late, 1),
            "slack out": self.delivery.run(),
            "slack watch": self.surface.watch(),
        }
        if self.settings.mode == "socket":
            work["slack in"] = Sockets(self.app, self._app_token, self.standing).run()
        return work

    async def request(self, request: Request) -> Response:
        """One request of Slack over HTTP; bolt checks its signature."""
        return await self._handler.handle(request)

    async def close(self) -> None:
        """Drops what is under way; whoever starts next does it."""
        await self.inbox.close()
        await self.client.close()

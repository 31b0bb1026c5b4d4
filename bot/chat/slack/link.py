"""Slack's two directions, wired: what arrives from all workspaces, and what is said in each."""

from collections.abc import Callable, Coroutine

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
from bot.chat.slack.installations import Installations, Installed
from bot.chat.slack.oauth import Installer
from bot.chat.slack.pace import SEVERITY, Limits
from bot.chat.slack.sockets import SOCKETS, Sockets
from bot.chat.slack.standing import Standing
from bot.chat.slack.surface import SlackSurface
from bot.chat.slack.workspaces import WORKSPACE, Workspaces
from bot.delivery import DeliveryWorker
from bot.incidents import Incidents
from bot.postmortems.exports import Exports
from bot.settings import Settings
from bot.store import Store
from bot.store.rounds import repeat


class SlackLink:
    """Built once a process; `workers` are what it runs."""

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
        session_key: bytes,
        exports: Exports,
    ) -> None:
        mine = settings.slack
        token = mine.bot_token.get_secret_value() if mine.bot_token else ""
        secret = mine.signing_secret.get_secret_value() if mine.signing_secret else ""
        self.settings = mine
        self.store = store
        self._app_token = mine.app_token.get_secret_value() if mine.app_token else ""
        self.standing = Standing(SOCKETS if mine.mode == "socket" else 0)

        def spoken(token: str, digest: str, installed: Installed | None = None) -> SlackSurface:
            """One workspace, with a client and limits of its own."""
            standing = self.standing
            if installed is not None:
                standing = standing.of(installed.key, installed.name)
            # The client's own handlers would repeat a post whose answer was lost: we look first.
            client = SlackClient(token=token, base_url=mine.api_url, retry_handlers=[])
            return SlackSurface(
                client, store, cards, catalog, digest, settings.data_dir.absolute() / "evidence",
                incidents, Limits(), standing, exports, installed,
            )  # fmt: skip

        self.surface = spoken(token, mine.digest_channel)
        installations = Installations(store, session_key)
        self.workspaces = Workspaces(
            self.surface, installations,
            lambda each: spoken(each.token, mine.digest_channels.get(each.key, ""), each),
            several=mine.installable,
        )  # fmt: skip
        self.delivery = DeliveryWorker(store, self.workspaces, owner, SEVERITY, WORKSPACE)
        self.installer = Installer(settings, installations, self.workspaces)
        sections = (my_incidents(catalog), my_tasks(catalog), open_questions(catalog, cards),
                    on_call(commands.oncall), access_health(commands.ways))  # fmt: skip
        at = self.workspaces.at
        home = Home(at, store, catalog, sections)
        self.inbox = Inbox(store, commands, clicks, incidents, catalog, at, home)
        self.app = build_app(
            mine.api_url, secret, SlackIn(self.inbox, self.workspaces, mine.reactions)
        )
        self._handler = AsyncSlackRequestHandler(self.app)

    def workers(self) -> dict[str, Coroutine[None, None, None]]:
        """By name; each runs until cancelled."""
        work: dict[str, Coroutine[None, None, None]] = {
            "slack inbox": self.inbox.run(),
            "slack requests": repeat(self.store, self.inbox.work_late, 1),
            "slack out": self.delivery.run(),
            "slack watch": self.workspaces.watch(),
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
        await self.workspaces.close()

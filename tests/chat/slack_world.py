"""The real bolt app between the stub and a chat room, over Socket Mode or HTTP."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from aiohttp import web
from sqlalchemy import update
from sqlmodel import col, select

from bot.chat.slack import Inbox, Limits, SlackClient, SlackIn, SlackSurface, build_app
from bot.chat.slack.home import (
    Home,
    access_health,
    my_incidents,
    my_tasks,
    on_call,
    open_questions,
)
from bot.chat.slack.sockets import Sockets
from bot.chat.slack.standing import Standing
from bot.chat.slack.tables import SlackRequest
from bot.chat.slack.workspaces import Workspaces
from bot.delivery import Delivery, DeliveryWorker
from bot.postmortems.exports import Exports
from bot.store import now
from bot.timeline import Entry, Timeline, entries
from tests.chat.room import ChatRoom
from tests.delivery.conftest import stop
from tests.slackstub import C_INCIDENTS, U_ANA, U_BEN, SlackStub


class SlackWorld:
    """`opened` is as `bot.app` wires it; `settled` waits until nothing is in hand."""

    def __init__(self, room: ChatRoom, slack: SlackStub) -> None:
        self.room = room
        self.slack = slack
        self.client = SlackClient(slack.bot_token, base_url=slack.api_url, retry_handlers=[])
        self.standing = Standing(0)

        def catalog() -> Any:
            return room.library.catalog

        catalog().people[0].slack[:] = [f"{slack.team_id}:{U_ANA}"]
        catalog().people[1].slack[:] = [f"{slack.team_id}:{U_BEN}"]
        sections = (my_incidents(catalog), my_tasks(catalog), open_questions(catalog, room.cards),
                    on_call(room.commands.oncall), access_health(room.commands.ways))  # fmt: skip
        self.surface = SlackSurface(
            self.client, room.store, room.cards, catalog, C_INCIDENTS, room.folder,
            room.incidents, Limits(0.1), self.standing, Exports(catalog, room.folder),
        )  # fmt: skip
        spaces = Workspaces(self.surface)
        home = Home(spaces.at, room.store, catalog, sections)
        self.inbox = Inbox(
            room.store, room.commands, room.clicks, room.incidents, catalog, spaces.at, home
        )
        self.worker = DeliveryWorker(room.store, self.surface, "test")
        self.app = build_app(slack.api_url, slack.signing_secret, SlackIn(self.inbox, spaces))

    async def declare(self, title: str = "The shop is down", **more: Any) -> str:
        """An incident of Ana's with its channel; the channel's id."""
        async with self.room.store.write() as session:
            given = {"severity": "sev2", "actor": "person:ana", "origin": title} | more
            incident = await self.room.incidents.declare(session, title=title, **given)
        await self.until(lambda: self.channel(incident.number))
        return self.channel(incident.number)

    def channel(self, number: int) -> str:
        """Its id as soon as something is said in it."""
        found = [c for c in self.slack.ws.channels.values() if c.name.startswith(f"inc-{number}-")]
        return found[0].id if found and found[0].messages else ""

    async def until(self, ready: Callable[[], object], timeout: float = 15) -> None:
        await self.slack.wait_for(ready, timeout)

    async def settled(self) -> None:
        """Every event is acknowledged, and every request done."""
        await self.until(lambda: not self.slack.deliverer._tasks)
        for _ in range(300):
            async with self.room.store.read() as session:
                query = select(SlackRequest.state)
                if set((await session.execute(query)).scalars()) <= {"done"}:
                    return
            await asyncio.sleep(0.02)
        raise AssertionError("requests are left")

    async def said_all(self, timeout: float = 60) -> None:
        """Nothing for Slack is left in the outbox."""
        waits = col(Delivery.state).in_(("pending", "sending"))
        query = select(Delivery.id).where(waits, Delivery.surface == "slack")
        async with asyncio.timeout(timeout):
            while True:
                async with self.room.store.read() as session:
                    if (await session.execute(query)).first() is None:
                        return
                await asyncio.sleep(0.05)

    async def late(self) -> None:
        """What was left over is taken up, as after a while or by another process."""
        async with self.room.store.write() as session:
            long_ago = now() - timedelta(minutes=1)
            await session.execute(
                update(SlackRequest).values(received_at=long_ago, worked_at=long_ago)
            )
        await self.inbox.work_late()

    async def rows(self, *kinds: str) -> list[Entry]:
        async with self.room.store.read() as session:
            return await entries(session, None, col(Timeline.kind).in_(kinds))


@asynccontextmanager
async def slack_world(room: ChatRoom, slack: SlackStub, mode: str) -> AsyncIterator[SlackWorld]:
    """Connected, with its workers running."""
    others = asyncio.all_tasks()
    slack.configure(trigger_ttl=10)  # the machine may be busy
    world = SlackWorld(room, slack)
    await slack.join(C_INCIDENTS, slack.bot_user_id)
    tasks = [asyncio.create_task(world.inbox.run()), asyncio.create_task(world.worker.run())]
    runner = None
    if mode == "socket":
        sockets = Sockets(world.app, slack.app_token, world.standing, ping=1.0)
        tasks.append(asyncio.create_task(sockets.run()))
        await slack.wait_sockets(2)
    else:
        runner = web.AppRunner(
            world.app.server(port=0).web_app, access_log=None, shutdown_timeout=1
        )
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
        slack.configure(delivery="http", events_url=url, commands_url=url, interactivity_url=url)
    try:
        yield world
    finally:
        # What is cut off while it writes leaves a connection of SQLite behind that nobody can close.
        with contextlib.suppress(TimeoutError):
            await world.said_all(10)
        if runner is not None:
            await runner.cleanup()
        await stop(*tasks, *world.worker._busy)
        await world.inbox.close()
        await world.client.close()
        # The library's tasks too: one that lost its cancellation would keep the loop for ever.
        await stop(*(t for t in asyncio.all_tasks() - others if _of_sdk(t)))


def _of_sdk(task: asyncio.Task[Any]) -> bool:
    return "slack_sdk" in str(task.get_coro()) or "SocketModeClient" in str(task.get_coro())

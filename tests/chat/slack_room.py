"""The bolt app over a room and the stub, in one process: what people do in Slack arrives for real."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from sqlalchemy import update
from sqlmodel import col, func, select

from bot.chat.slack import Inbox, Limits, SlackClient, SlackIn, SlackSurface, build_app
from bot.chat.slack.home import Home
from bot.chat.slack.standing import Standing
from bot.chat.slack.tables import SlackRequest
from bot.chat.slack.workspaces import Workspaces
from bot.delivery import Binding, Delivery, DeliveryWorker
from bot.incidents import Incident
from bot.postmortems.exports import Exports
from bot.store import now
from tests.chat.room import ChatRoom
from tests.slackstub import C_INCIDENTS, U_ANA, U_BEN, SlackStub


class SlackRoom:
    """`settled` waits until all that came was done, and all that is to be said was said."""

    def __init__(self, room: ChatRoom, slack: SlackStub, client: SlackClient) -> None:
        self.room = room
        self.slack = slack
        limits, standing = Limits(0.1), Standing(0)
        surface = SlackSurface(
            client, room.store, room.cards, lambda: room.library.catalog, C_INCIDENTS,
            room.library.folder, room.incidents, limits, standing,
            Exports(lambda: room.library.catalog, room.library.folder),
        )  # fmt: skip
        spaces = Workspaces(surface)
        home = Home(spaces.at, room.store, lambda: room.library.catalog, ())
        self.inbox = Inbox(
            room.store, room.commands, room.clicks, room.incidents,
            lambda: room.library.catalog, spaces.at, home,
        )  # fmt: skip
        self.app = build_app(slack.api_url, "", SlackIn(self.inbox, spaces))
        self.worker = DeliveryWorker(room.store, surface, "me")

    async def declare(self, title: str = "Down", *, ago: int = 0) -> str:
        """An incident whose channel is there; its id in Slack. ``ago`` minutes."""
        reply = await self.room.type_(f"/incident declare {title}")
        await self.settled()
        async with self.room.store.write() as session:
            at = now() - timedelta(minutes=ago)
            await session.execute(update(Incident).values(declared_at=at))
            bound = await session.get_one(Binding, ("slack", f"channel:{reply.incident_id}"))
            return str(bound.value["channel"])

    async def until(self, there: Callable[[], Any]) -> Any:
        """What is there, as soon as it is: events arrive when Slack sends them."""
        async with asyncio.timeout(20):
            while not (found := there()):
                await asyncio.sleep(0.02)
        return found

    async def settled(self) -> None:
        async with asyncio.timeout(20):
            while await self._left():
                await asyncio.sleep(0.02)

    async def _left(self) -> int:
        requests = select(func.count()).where(col(SlackRequest.state) != "done")
        deliveries = select(func.count()).where(
            col(Delivery.state).in_(("pending", "sending")), Delivery.surface == "slack"
        )
        async with self.room.store.read() as session:
            counts = [(await session.execute(q)).scalar_one() for q in (requests, deliveries)]
        return sum(counts)

    def heard(self, channel: str, user: str) -> list[Any]:
        """What one person alone was told."""
        return list(self.slack.ephemerals(channel, user))


@asynccontextmanager
async def slack_room(room: ChatRoom, slack: SlackStub) -> AsyncIterator[SlackRoom]:
    """Over Socket Mode; Ana and Ben are people of the catalog, Carol is nobody's."""
    people = room.library.catalog.people
    people[0].slack[:], people[1].slack[:] = [f"{slack.team_id}:{U_ANA}"], [f"{slack.team_id}:{U_BEN}"]  # fmt: skip
    await slack.join(C_INCIDENTS, slack.bot_user_id)
    client = SlackClient(token=slack.bot_token, base_url=slack.api_url, retry_handlers=[])
    made = SlackRoom(room, slack, client)
    handler = AsyncSocketModeHandler(made.app, slack.app_token)
    tasks = [asyncio.create_task(made.inbox.run()), asyncio.create_task(made.worker.run())]
    await handler.connect_async()
    try:
        await slack.wait_sockets()
        yield made
    finally:
        await handler.close_async()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await made.inbox.close()
        await client.close()

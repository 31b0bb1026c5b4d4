"""What Slack says about an incident's channel and who comes into it → the inbox. No rules here."""

from collections.abc import Awaitable, Callable
from typing import Any

from slack_bolt.async_app import AsyncApp

from bot.chat.catchup import is_late
from bot.chat.slack.inbox import Inbox
from bot.incidents import Incident

HAPPENED = ("archive", "unarchive", "deleted", "rename")
Next = Callable[[], Awaitable[None]]
Listener = Callable[..., Awaitable[None]]


class ChannelEvents:
    """Each is middleware: what must be stored is, before Slack's event is acknowledged."""

    def __init__(self, inbox: Inbox) -> None:
        self.inbox = inbox

    def listen(self, app: AsyncApp, stored: Listener) -> None:
        """Subscribes to them."""
        app.event("member_joined_channel", middleware=[self.joined])(stored)
        for what in HAPPENED:
            for kind in ("channel", "group"):  # a group is a private channel
                app.event(f"{kind}_{what}", middleware=[self.changed])(stored)

    async def joined(self, event: dict[str, Any], body: dict[str, Any], next_: Next) -> None:
        """Who comes late is caught up once; strangers, and who was there from the start, are not."""
        person = self.inbox.person(body["team_id"], event["user"])
        if person is not None:
            channel = event["channel"]
            async with self.inbox.store.read() as session:
                number = await self.inbox.incident_of(session, channel)
                incident = await session.get(Incident, number) if number else None
                late = incident is not None and is_late(incident)
            if late:
                asked = {"team": body["team_id"], "user": event["user"], "channel": channel}
                await self.inbox.accept("joined", f"{number}:{person.id}", asked)
        await next_()

    async def changed(self, event: dict[str, Any], body: dict[str, Any], next_: Next) -> None:
        """An incident's channel was archived, renamed or the like, by whomever."""
        about = event["channel"]
        channel = about["id"] if isinstance(about, dict) else about
        async with self.inbox.store.read() as session:
            known = await self.inbox.incident_of(session, channel) is not None
        if known:
            what = event["type"].partition("_")[2]
            asked = {
                "team": body["team_id"], "user": event.get("user", ""), "channel": channel,
                "what": what, "name": about.get("name", "") if isinstance(about, dict) else "",
            }  # fmt: skip
            once = event.get("event_ts") or body["event_id"]
            await self.inbox.accept("channel", f"{what}:{channel}:{once}", asked)
        await next_()

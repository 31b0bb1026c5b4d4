"""What Slack says about an incident's channel and who comes into it → the inbox. No rules here."""

from collections.abc import Awaitable, Callable
from typing import Any

from bot.chat.catchup import is_late
from bot.chat.slack.inbox import Inbox
from bot.chat.slack.who import who
from bot.incidents import Incident

Next = Callable[[], Awaitable[None]]


class ChannelEvents:
    """Each is middleware: what must be stored is, before Slack's event is acknowledged."""

    def __init__(self, inbox: Inbox) -> None:
        self.inbox = inbox

    async def joined(self, event: dict[str, Any], body: dict[str, Any], next_: Next) -> None:
        """Who comes late is caught up once; strangers, and who was there from the start, are not."""
        by = who(body)
        person = self.inbox.person(by)
        if person is not None:
            channel = event["channel"]
            async with self.inbox.store.read() as session:
                number = await self.inbox.incident_of(session, {**by, "channel": channel})
                incident = await session.get(Incident, number) if number else None
                late = incident is not None and is_late(incident)
            if late:
                asked = {**by, "channel": channel}
                await self.inbox.accept("joined", f"{number}:{person.id}", asked)
        await next_()

    async def changed(self, event: dict[str, Any], body: dict[str, Any], next_: Next) -> None:
        """An incident's channel was archived, renamed or the like, by whomever."""
        about = event["channel"]
        channel = about["id"] if isinstance(about, dict) else about
        async with self.inbox.store.read() as session:
            asked = {**who(body), "channel": channel}
            known = await self.inbox.incident_of(session, asked) is not None
        if known:
            what = event["type"].partition("_")[2]
            asked = {
                **who(body), "channel": channel,
                "what": what, "name": about.get("name", "") if isinstance(about, dict) else "",
            }  # fmt: skip
            once = event.get("event_ts") or body["event_id"]
            await self.inbox.accept("channel", f"{what}:{channel}:{once}", asked)
        await next_()

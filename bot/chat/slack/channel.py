"""What is done to an incident's channel itself: name, bookmarks, leaving it for a private one."""

from collections.abc import Awaitable, Callable
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bot.chat.slack.calls import code_of
from bot.chat.slack.pace import Limits
from bot.chat.slack.search import paced
from bot.delivery import Binding, Job
from bot.errors import Rejected
from bot.incidents import Incidents
from bot.incidents.channels import Channels
from bot.store import Store

NAME = 80  # characters that Slack allows
SUFFIXES = ("", "-2", "-3", "-4", "-5")  # where somebody else holds the name
_FINE = (
    "is_archived", "already_archived", "not_archived", "already_in_channel", "channel_not_found",
    "name_taken", "message_not_found",
)  # fmt: skip
_MOVED = "This incident is private now; nothing more is said here."


class ChannelOps:
    """Each may be repeated: it asks for a state; only a bookmark is looked for before that."""

    def __init__(
        self, client: AsyncWebClient, store: Store, limits: Limits, incidents: Incidents
    ) -> None:
        self.client = client
        self.store = store
        self.limits = limits
        self.channels = Channels(incidents)

    async def rename(self, job: Job) -> dict[str, Any]:
        """Gives it the name, or the next one that is free; a private one is not called after its title."""
        if job.channel.get("private"):
            return {}
        channel, wanted = job.channel["channel"], job.payload["name"]
        for suffix in SUFFIXES:
            name = wanted[: NAME - len(suffix)] + suffix
            try:
                async with paced(self.limits, job, "conversations.rename"):
                    answer = await self.client.conversations_rename(channel=channel, name=name)
            except Rejected as error:
                if code_of(error) != "name_taken":
                    raise
                continue
            await self._named(job.incident_id, channel, answer["channel"]["name"])
            return {}
        raise Rejected(f"Slack has channels named {wanted} up to {wanted}-5 already")

    async def archive(self, job: Job) -> dict[str, Any]:
        """Some time after the incident's end."""
        async with self.store.read() as session:
            if not await self.channels.over(session, job.incident_id):
                return {}
        channel = job.channel["channel"]
        error = await self._tried(
            job, "conversations.archive", lambda: self.client.conversations_archive(channel=channel)
        )
        if error:
            raise error
        async with self.store.write() as session:
            await self.channels.archived(session, job.incident_id)
        return {}

    async def unarchive(self, job: Job) -> dict[str, Any]:
        """The incident is open again. Who archived is not always let in again: joins what it may."""
        channel = job.channel["channel"]
        error = await self._tried(
            job,
            "conversations.unarchive",
            lambda: self.client.conversations_unarchive(channel=channel),
        )
        if error is None and not job.channel.get("private"):
            error = await self._tried(
                job, "conversations.join", lambda: self.client.conversations_join(channel=channel)
            )
        async with self.store.write() as session:
            if error is not None:
                await self.channels.stays_archived(session, job.incident_id, str(error))
            else:
                await self.channels.unarchived(session, job.incident_id)
        if error:
            raise error
        return {}

    async def shut(self, job: Job) -> bool:
        """Something was refused because the channel is archived, which nobody may have told us.

        Whether there is one again soon.
        """
        async with self.store.write() as session:
            return await self.channels.archived(session, job.incident_id)

    async def bookmark(self, job: Job) -> dict[str, Any]:
        """A link at the top of the channel. After a lost answer, `bookmarked` looks for it first."""
        async with paced(self.limits, job, "bookmarks.add", once=True):
            await self.client.bookmarks_add(
                channel_id=job.channel["channel"], title=job.payload["title"], type="link",
                link=job.payload["url"],
            )  # fmt: skip
        return {}

    async def bookmarked(self, job: Job) -> dict[str, Any] | None:
        """Whether it is there: as `Surface.find`."""
        async with paced(self.limits, job, "bookmarks.list"):
            answer = await self.client.bookmarks_list(channel_id=job.channel["channel"])
        found = any(each.get("link") == job.payload["url"] for each in answer["bookmarks"])
        return {} if found else None

    async def leave(self, job: Job) -> dict[str, Any]:
        """The old channel keeps what was said, and loses what still leads there: then it is shut."""
        channel, card = job.payload["channel"], job.payload["card"]
        calls: list[tuple[str, Callable[[], Awaitable[Any]]]] = [
            ("conversations.setTopic",
             lambda: self.client.conversations_setTopic(channel=channel, topic=_MOVED)),
            ("conversations.rename",
             lambda: self.client.conversations_rename(
                 channel=channel, name=f"inc-{job.incident_id}-moved")),
            ("conversations.archive", lambda: self.client.conversations_archive(channel=channel)),
        ]  # fmt: skip
        if card:
            calls.insert(0, (
                "chat.update",
                lambda: self.client.chat_update(channel=channel, ts=card, text=_MOVED, blocks=[]),
            ))  # fmt: skip
        refused = [
            error for method, call in calls if (error := await self._tried(job, method, call))
        ]
        if refused:
            raise refused[0]
        return {}

    async def _tried(
        self, job: Job, method: str, call: Callable[[], Awaitable[Any]]
    ) -> Rejected | None:
        """What Slack refuses must not keep the next call from being made."""
        try:
            async with paced(self.limits, job, method):
                await call()
        except Rejected as error:
            return None if code_of(error) in _FINE else error
        return None

    async def _named(self, incident_id: int, channel: str, name: str) -> None:
        async with self.store.write(silent=True) as session:
            found = await session.get(Binding, ("slack", f"channel:{incident_id}"))
            if found is not None and found.value["channel"] == channel:
                found.value = {**found.value, "name": name}

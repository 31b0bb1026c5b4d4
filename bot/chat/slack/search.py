"""Looks in Slack for what was sent before: its Web API has no key by which a repeat is known.

A message carries our message's id in its metadata, a channel its incident's number in its name and
our bot as creator, a picture or a long output a unique file name.
"""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bot.chat.places import team_in
from bot.chat.slack.pace import BURST, ORDINARY, SHARED_BURST, Limits
from bot.delivery import Binding, Job, Message
from bot.store import Store

EVENT_TYPE = "jackline_message"
_CLOCKS = timedelta(hours=1)  # by which ours may be ahead of Slack's


class Search:
    """Each takes the job it looks for, whose incident's severity says who asks first."""

    def __init__(
        self, client: AsyncWebClient, store: Store, limits: Limits, workspace: str = ""
    ) -> None:
        self.client = client
        self.workspace = workspace
        self.store = store
        self.limits = limits

    async def channel(self, job: Job, name: str, mine: str) -> dict[str, Any] | None:
        """The channel of that name which our bot, ``mine``, made, and is in.

        Of its own channels alone: a large workspace has more than may be listed in time.
        """
        private, cursor = is_private(job), ""
        while True:
            async with paced(self.limits, job, "users.conversations"):
                page = await self.client.users_conversations(
                    limit=500, cursor=cursor, exclude_archived=True,
                    types="private_channel" if private else "public_channel", **in_team(job),
                )  # fmt: skip
            for channel in page["channels"]:
                same = channel["name"] == name and bool(channel.get("is_private")) == private
                if same and channel.get("creator") == mine:
                    return bound(channel["id"], name, private=private, workspace=self.workspace)
            cursor = (page.get("response_metadata") or {}).get("next_cursor", "")
            if not cursor:
                return None

    async def message(self, job: Job, channel: str, ours: Message) -> dict[str, Any] | None:
        """Where it stands; empty where it is a file."""
        since, thread = ours.created_at, await self.thread(ours)
        async for message in self._history(job, channel, since, thread):
            metadata = message.get("metadata") or {}
            payload = metadata.get("event_payload") or {}
            if metadata.get("event_type") == EVENT_TYPE and payload.get("message_id") == ours.id:
                return {"channel": channel, "ts": message["ts"]}
            if any(f.get("name") == file_of(ours) for f in message.get("files") or []):
                return {}
        return None

    async def file(self, job: Job) -> dict[str, Any] | None:
        """Whether the file is there."""
        async for message in self._history(job, job.channel["channel"], job.asked_at):
            if any(f.get("name") == job.payload["file"] for f in message.get("files") or []):
                return {}
        return None

    async def thread(self, message: Message | None) -> str | None:
        """Slack's name for the message that this one answers, if that was posted."""
        if message is None or message.thread_id is None:
            return None
        async with self.store.read() as session:
            above = await session.get(Binding, ("slack", f"message:{message.thread_id}"))
        return str(above.value["ts"]) if above else None

    async def _history(
        self, job: Job, channel: str, since: datetime, thread: str | None = None
    ) -> AsyncIterator[dict[str, Any]]:
        """The messages of the channel, newest first, or of one thread, oldest first.

        None from long before we had it to say: in a channel of years the search would not end within
        Slack's limits, and be begun again, for ever.
        """
        cursor, oldest = "", f"{(since - _CLOCKS).timestamp():.6f}"
        method = "conversations.replies" if thread else "conversations.history"
        while True:
            async with paced(self.limits, job, method):
                if thread:
                    page = await self.client.conversations_replies(
                        channel=channel, ts=thread, limit=200, cursor=cursor, oldest=oldest,
                        include_all_metadata=True,
                    )  # fmt: skip
                else:
                    page = await self.client.conversations_history(
                        channel=channel, limit=200, cursor=cursor, oldest=oldest,
                        include_all_metadata=True,
                    )  # fmt: skip
            for message in page["messages"]:
                yield message
            cursor = (page.get("response_metadata") or {}).get("next_cursor", "")
            if not cursor:
                return


def paced(
    limits: Limits, job: Job, method: str, *, once: bool = False, channel: str = ""
) -> AbstractAsyncContextManager[None]:
    """Around one call for a job; when the method is short, severe incidents go first."""
    return limits.calling(
        method,
        once=once,
        channel=channel,
        severity=job.severity or ORDINARY,
        job=job.id,
        burst=SHARED_BURST if job.op == "digest" else BURST,
    )


def file_of(message: Message | None) -> str:
    """The name of the file that a long output is."""
    return f"output-{message.id if message else 0}.txt"


def bound(channel: str, name: str, *, private: bool, workspace: str = "") -> dict[str, Any]:
    """What is kept of a channel: without its workspace its id means nothing."""
    more = ({"private": True} if private else {}) | ({"workspace": workspace} if workspace else {})
    return {"channel": channel, "name": name} | more


def in_team(job: Job) -> dict[str, Any]:
    """Which of an enterprise's workspaces is meant, where one token is for all of them."""
    team = team_in(job.workspace)
    return {"team_id": team} if team else {}


def is_private(job: Job) -> bool:
    """Whether the channel to be opened is a private one."""
    return bool(job.payload.get("private"))

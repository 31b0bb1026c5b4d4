"""An incident's channel archived, unarchived, renamed or deleted: by us, and under us."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from bot.delivery import Binding
from bot.incidents.channels import Archiver
from bot.store import now
from tests.chat.hands import Hands
from tests.chat.room import ChatRoom, words
from tests.chat.slack_room import SlackRoom, slack_room
from tests.slackstub import C_INCIDENTS, SlackStub

pytestmark = pytest.mark.server
WEEK = timedelta(days=7)


@pytest.fixture
async def at(room: ChatRoom, slack: SlackStub) -> AsyncIterator[SlackRoom]:
    async with slack_room(room, slack) as made:
        yield made


def channel(at: SlackRoom, ident: str) -> Any:
    return at.slack.ws.channels[ident]


async def told(at: SlackRoom, *expected: str) -> None:
    """Waits for these rows, and no others, about the channel."""
    async with asyncio.timeout(30):
        while await kinds(at) != list(expected):
            await asyncio.sleep(0.02)


async def long_ago(at: SlackRoom) -> None:
    """As if it had been closed then."""
    async with at.room.store.write() as session:
        incident = await at.room.incidents.get(session, 1)
        incident.closed_at = now() - WEEK - timedelta(minutes=1)


async def closed_long_ago(at: SlackRoom) -> None:
    await at.room.type_("/incident resolve", at=1)
    await at.room.type_("/incident close", at=1)
    await at.settled()
    await long_ago(at)


async def kinds(at: SlackRoom) -> list[str]:
    return [r.kind for r in await at.room.rows() if r.kind.startswith("channel_")]


async def test_archived_some_time_after_closing_and_there_again_when_reopened(
    at: SlackRoom,
) -> None:
    """Once, by whichever replica looks; that an ended one is archived is no news."""
    ident = await at.declare()
    archivers = [Archiver(at.room.store, at.room.incidents, after) for after in (WEEK, WEEK)]
    await at.room.type_("/incident resolve", at=1)
    await at.room.type_("/incident close", at=1)
    for archiver in archivers:
        await archiver.look()
    await at.settled()
    assert not channel(at, ident).is_archived
    await long_ago(at)
    await Archiver(at.room.store, at.room.incidents, timedelta(0)).look()  # 0: never
    for archiver in archivers:
        await archiver.look()
    await at.until(lambda: channel(at, ident).is_archived)
    await at.settled()
    assert len(at.slack.calls("conversations.archive")) == 1
    at.slack.fault("conversations.unarchive", "ratelimited")  # what is to be said there comes first
    await at.room.type_("/incident reopen", at=1)
    await at.until(lambda: at.slack.messages(ident, contains="closed → investigating"))
    assert not channel(at, ident).is_archived
    await told(at, "channel_unarchived")
    await at.settled()
    assert "is archived*" not in str(vars(at.slack.messages(C_INCIDENTS)[0]))


def another(at: SlackRoom, ident: str) -> str:
    """The channel in its place, once it is there."""
    found = [c.id for c in at.slack.ws.channels.values() if c.name.startswith("inc-1")]
    return next((each for each in found if each != ident), "")


async def test_archived_under_us_nothing_is_lost(at: SlackRoom) -> None:
    """It goes on in a new channel, in its order; the digest says where."""
    ident = await at.declare()
    await at.slack.archive(ident)
    new = await at.until(lambda: another(at, ident))
    for number in range(3):
        await at.room.type_(f"/incident decide D{number} because Y", at=1)
    await at.until(lambda: len(at.slack.messages(new, contains="Decided")) == 3)
    said = [m.text for m in at.slack.messages(new, contains="Decided")]
    assert said == ["Decided: D0", "Decided: D1", "Decided: D2"]
    await at.settled()
    assert await kinds(at) == ["channel_moved"]
    assert f"<#{new}>" in str(vars(at.slack.messages(C_INCIDENTS)[0]))


async def test_nobody_says_that_it_was_archived(at: SlackRoom) -> None:
    """The refusal does: what was refused is said in the new one."""
    ident = await at.declare()
    channel(at, ident).is_archived = True
    await at.room.type_("/incident note Hello", at=1)
    new = await at.until(lambda: another(at, ident))
    await at.until(lambda: at.slack.messages(new, contains="Hello"))
    assert await kinds(at) == ["channel_moved"]


@pytest.mark.parametrize("late", [False, True])
async def test_what_cannot_be_unarchived_is_replaced(at: SlackRoom, *, late: bool) -> None:
    """Also where what is to be said there has been refused before: it does not wait for long."""
    ident = await at.declare()
    await closed_long_ago(at)
    await Archiver(at.room.store, at.room.incidents, WEEK).look()
    await at.until(lambda: channel(at, ident).is_archived)
    await at.settled()
    if late:
        at.slack.fault("conversations.unarchive", "ratelimited")
    at.slack.fault("conversations.unarchive", "error", error="not_in_channel", times=5)
    await at.room.type_("/incident reopen", at=1)
    new = await at.until(lambda: another(at, ident))
    await told(at, "channel_moved")
    await at.until(lambda: at.slack.messages(new, contains="closed → investigating"))


async def test_what_is_open_again_is_not_archived_late(at: SlackRoom) -> None:
    """Slack was away when it was to be archived; by the time it is back, people have reopened it."""
    ident = await at.declare()
    await closed_long_ago(at)
    at.slack.fault("conversations.archive", "ratelimited", retry_after=3)
    await Archiver(at.room.store, at.room.incidents, WEEK).look()
    await at.until(lambda: at.slack.calls("conversations.archive"))
    await at.room.type_("/incident reopen", at=1)
    await at.settled()
    assert not channel(at, ident).is_archived
    assert len(at.slack.calls("conversations.archive")) == 1
    assert [c.id for c in at.slack.ws.channels.values() if c.name.startswith("inc-1")] == [ident]
    assert await kinds(at) == []


async def test_what_is_merged_goes_with_what_it_is_part_of(at: SlackRoom) -> None:
    """Straight, or by another; on its own again, its channel is there again."""
    top = await at.declare()
    inner, outer = await at.declare("Second"), await at.declare("Third")
    two = Hands(at.room)
    await two.does("merge #2 into #3")
    await two.does("merge #3 into #1")
    await closed_long_ago(at)
    for _ in range(2):
        await Archiver(at.room.store, at.room.incidents, WEEK).look()
    for ident in (top, inner, outer):
        await at.until(lambda ident=ident: channel(at, ident).is_archived)
    await at.settled()
    assert len(at.slack.calls("conversations.archive")) == 3
    await at.room.type_("/incident reopen", at=1)
    await at.settled()
    assert [channel(at, ident).is_archived for ident in (top, inner, outer)] == [False, True, True]
    await two.does("unmerge #3")
    await at.until(lambda: not channel(at, outer).is_archived)
    await at.until(lambda: at.slack.messages(outer, contains="By itself again"))
    assert channel(at, inner).is_archived


async def test_a_name_that_people_gave_is_kept(at: SlackRoom) -> None:
    ident = await at.declare()
    await at.slack.rename(ident, "our-own-name")

    name = ""
    async with asyncio.timeout(30):
        while name != "our-own-name":
            await asyncio.sleep(0.02)
            async with at.room.store.read() as session:
                bound = await session.get_one(Binding, ("slack", "channel:1"))
                name = bound.value["name"]
    assert await kinds(at) == []


async def test_deleted_an_open_incident_gets_another(at: SlackRoom) -> None:
    """With its card, pinned; told twice, it is one. What was said before is in the console."""
    ident = await at.declare()
    await at.room.type_("/incident note Before", at=1)
    await at.settled()
    place = at.slack.ws.channels.pop(ident)
    event = {"type": "channel_deleted", "channel": ident, "event_ts": "1.1"}
    await at.slack.emit_event(event, copies=2)
    await at.until(lambda: place.name in {c.name for c in at.slack.ws.channels.values()})
    await at.until(lambda: at.slack.messages(place.name, contains="Its channel is gone (deleted)"))
    await at.settled()
    (new,) = [c for c in at.slack.ws.channels.values() if c.name.startswith("inc-1")]
    assert len(at.slack.messages(new.id, contains="SEV2 · Down")) == 1
    assert new.pins
    assert await kinds(at) == ["channel_moved"]


async def test_of_other_channels_nothing_is_kept(at: SlackRoom) -> None:
    await at.declare()
    other = at.slack.add_channel("talk", members=[at.slack.bot_user_id])
    await at.slack.rename(other.id, "talk-2")
    await at.slack.archive(other.id)
    await at.settled()
    assert await kinds(at) == []
    assert "Down" in words((await at.room.card(1, "digest")).blocks)

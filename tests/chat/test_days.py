"""Moments in Slack: a day belongs to its hour, which each reader sees in their own time zone."""

import re
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import update

from bot.catalog import Regulation
from bot.chat import Reply
from bot.incidents import Incident
from bot.store import now
from tests.chat.room import ChatRoom, words

_TAG = re.compile(r"<!date\^\d+\^([^|>]+)\|([^>]+)>")
_DAY = re.compile(r"20\d\d-\d\d-\d\d")


async def _task(room: ChatRoom) -> str:
    await room.type_("/incident task Call the vendor by tomorrow 0:30")
    return words((await room.type_("/incident tasks")).blocks + (await room.card(1)).blocks)


async def _clock(room: ChatRoom) -> str:
    gdpr = {"regulations": [Regulation(id="gdpr")]}
    room.library.catalog = room.library.catalog.model_copy(update=gdpr)
    await room.type_("/incident clock gdpr start at 30m ago the mail of support")
    shown = words((await room.type_("/incident clocks")).blocks + (await room.card(1)).blocks)
    return shown + words((await room.click("clock_done", "1|gdpr:authority")).blocks)


async def _update(room: ChatRoom) -> str:
    await room.type_("/incident update We are on it next tomorrow 9:00")
    return words((await room.message("update-1")).blocks + (await room.card(1)).blocks)


async def _list(room: ChatRoom) -> str:
    async with room.store.write() as session:
        await session.execute(update(Incident).values(declared_at=now() - timedelta(days=3)))
    listed = words((await room.type_("/incident list all")).blocks)
    return (
        listed + words((await room.card(1)).blocks) + words((await room.card(1, "digest")).blocks)
    )


@pytest.mark.parametrize("say", [_task, _clock, _update, _list])
async def test_the_day_is_the_readers(
    room: ChatRoom, say: Callable[[ChatRoom], Awaitable[str]]
) -> None:
    """Days in UTC beside hours of the reader's: in San Francisco a deadline was a day too late.

    And an hour without its day is that of another day where it may be far away.
    """
    await room.type_("/incident declare Down")
    said = await say(room)
    tags = _TAG.findall(said)
    assert tags
    assert all("{date_num}" in form and _DAY.match(label) for form, label in tags)
    assert not _DAY.search(_TAG.sub("", said))


async def test_who_joins_on_the_next_day_knows_of_which_day_it_is(room: ChatRoom) -> None:
    """What is of today has its hour alone; the last words and the promise of another day have theirs."""
    noon = now().replace(hour=12)
    with time_machine.travel(noon):
        await room.type_("/incident declare Down")
        reply = await room.type_("/incident update We are on it next tomorrow 9:00")
        assert _DAY.search(reply.text)
        await room.type_("/incident note db1 is back")
        lines = _said(await room.type_("/incident catchup"))
        assert re.match(r"• Last update to internal, \d\d:\d\d UTC; the next is due 20", lines[-2])
        assert re.match(r"• \d\d:\d\d UTC Ana: db1 is back", lines[-1])
    with time_machine.travel(noon + timedelta(days=2)):
        lines = _said(await room.type_("/incident catchup"))
    assert re.match(r"• Last update to internal, 20\d\d-\S+ \d\d:\d\d UTC; overdue 20", lines[-2])
    assert re.match(r"• 20\d\d-\S+ \d\d:\d\d UTC Ana: db1 is back", lines[-1])


def _said(reply: Reply) -> list[str]:
    return words(reply.blocks).splitlines()[:-1]  # without the hint

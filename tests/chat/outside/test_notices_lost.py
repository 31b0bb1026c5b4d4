"""Notices of which nobody saw what became of them: looked for, never sent twice, and said."""

import asyncio
from datetime import timedelta

import pytest

from bot.contract import Receipt
from bot.errors import Unknown
from tests.chat.outside.conftest import Outside, over

pytestmark = pytest.mark.server


async def begun(room: Outside) -> None:
    """A process has claimed the notice, and is gone; its lease is over."""
    room.enter({"when": "always"})
    await room.declare()
    await room.feed().feed_next()
    assert len(await room.outside("dead").claim()) == 1
    await room.expire()


async def test_killed_before_it_was_recorded(room: Outside) -> None:
    """The medium is asked first: what it has is recorded and not sent again."""
    await begun(room)
    room.fake.found = Receipt(confirmed=True, detail="found it")
    async with room.working():
        assert await over(room) == "sent"
    assert room.fake.told == []
    (row,) = await room.timeline("notice_delivered")
    assert "found it" in row.text


async def test_killed_and_the_medium_has_it_not(room: Outside) -> None:
    """It is sent, under the id that it had."""
    await begun(room)
    async with room.working():
        assert await over(room) == "sent"
    assert len(room.fake.told) == 1


async def test_killed_and_nobody_can_tell(room: Outside) -> None:
    """It is not sent again, and the record says so."""
    await begun(room)
    room.fake.found = Unknown("no record of it")
    async with room.working():
        assert await over(room) == "failed"
        await asyncio.sleep(0.3)
    assert room.fake.told == []
    (row,) = await room.timeline("notice_failed")
    assert "nobody can tell whether it arrived" in row.text


async def test_killed_after_it_was_recorded(room: Outside) -> None:
    """The record is enough: the medium is not even asked."""
    room.enter({"when": "always"})
    await room.declare()
    await room.feed().feed_next()
    dead = room.outside("dead")
    ((job, _),) = await dead.claim()
    await dead.surface.deliver(job)
    await room.expire()
    room.fake.found = Unknown("must not be asked")
    async with room.working():
        assert await over(room) == "sent"
    assert len(room.fake.told) == 1
    assert len(await room.timeline("notice_delivered")) == 1


async def test_a_lost_answer_is_looked_for(room: Outside) -> None:
    room.enter({"when": "always"})
    room.fake.errors = [Unknown("no answer")]
    room.fake.found = Receipt(confirmed=True, detail="there it is")
    async with room.working():
        await room.declare()
        await room.feed().feed_next()
        assert await over(room) == "sent"
    assert room.fake.told == []
    assert len(await room.timeline("notice_delivered")) == 1


@pytest.mark.parametrize("arrived", [True, False])
async def test_what_is_known_later_is_asked_for_later(
    room: Outside, monkeypatch: pytest.MonkeyPatch, arrived: bool
) -> None:
    """Until the medium knows; then it is recorded, once."""
    monkeypatch.setattr("bot.chat.outside.surface.ASK_AFTER", timedelta(seconds=0.1))
    room.enter({"when": "always"})
    room.fake.receipt = Receipt(confirmed=None, reference="SM1", detail="queued")
    room.fake.arrived = [None, arrived]
    kind = "notice_confirmed" if arrived else "notice_failed"
    async with room.working():
        await room.declare()

        async def look() -> bool:
            return bool(await room.timeline(kind))

        await room.until(look, kind)
        await asyncio.sleep(0.3)
    (row,) = await room.timeline(kind)
    assert (row.data["confirmed"], row.data["reference"]) == (arrived, "SM1")
    assert room.fake.asked == 2


async def test_a_medium_that_never_knows_is_left_in_peace(
    room: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.chat.outside.surface.ASK_AFTER", timedelta(seconds=0.01))
    monkeypatch.setattr("bot.chat.outside.surface.ASK_TIMES", 3)
    room.enter({"when": "always"})
    room.fake.receipt = Receipt(confirmed=None, reference="SM1")
    async with room.working():
        await room.declare()

        async def asked() -> bool:
            rows = await room.rows("confirm")
            return bool(rows) and rows[0].state == "sent"

        await room.until(asked, "the question to be over")
    assert room.fake.asked == 3
    assert await room.timeline("notice_confirmed", "notice_failed") == []

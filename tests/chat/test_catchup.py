"""Who joins late is told what stands, once, by rules alone; others may ask for it."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from bot.errors import BadInput, NotAllowed, NotFound
from bot.incidents.due_tables import Update
from bot.store import now
from tests.chat.room import ChatRoom, words
from tests.chat.slack_room import SlackRoom, slack_room
from tests.slackstub import U_ANA, U_BEN, U_CAROL, SlackStub


async def test_what_is_told(room: ChatRoom) -> None:
    """What, since when, who, impact, what was tried, what runs, what is next, the last words."""
    await room.type_("/incident declare sev1 <Down>")
    await room.type_("/incident role scribe cleo")
    await room.type_("/incident service add s1")
    await room.plan(state="failed", title="Restart")
    await room.plan(state="waiting", title="Fail over", plan={"steps": [{"id": "a", "heading": "1. Move"}]})  # fmt: skip
    await room.type_("/incident task Call @ben")
    await room.type_("/incident note DNS is fine")
    async with room.store.write() as session:
        for number in range(2):
            await room.incidents.ledger.append(session, 1, "alert_received", "source:x", f"A{number}")  # fmt: skip
        session.add(Update(
            incident_id=1, audience="customers", text="we <know>", author="person:ana", key="k",
            severity="sev1", sent_at=now(), next_at=now() + timedelta(minutes=1),
        ))  # fmt: skip
    reply = await room.type_("/incident catchup")
    lines = words(reply.blocks).splitlines()
    assert lines[0].startswith("*#1 sev1, declared: &lt;Down&gt; (declared ")
    assert lines[1:7] == [
        "• Incident commander: nobody; scribe: Cleo",
        "• Affects Service &amp; number 1 (p2); 2 alerts so far",
        "• Tried: Restart, failed",
        "• Runs now: Fail over, waiting; next step: 1. Move",
        "• Next: somebody approves Fail over",
        "• Open: task 1, Ben: Call",
    ]
    said = r"• Last update to customers, ..:.. UTC; the next is due to customers ..:.. UTC: we &lt;know&gt;"
    assert re.fullmatch(said, lines[7])
    assert lines[8].endswith("UTC Ana: DNS is fine")


async def test_what_is_next_follows_the_state(room: ChatRoom) -> None:
    await room.type_("/incident declare Down")
    for typed, said in (
        ("status", "Next: somebody takes command"), ("lead", ""), ("resolve", "/incident close"),
        ("close", ""), ("reopen", ""),
    ):  # fmt: skip
        await room.type_(f"/incident {typed}", at=1)
        told = words((await room.type_("/incident catch-up", at=1)).blocks)
        assert ("Next: " in told) == bool(said)
        assert said in told


async def test_wrong_words_and_who_may_not(room: ChatRoom) -> None:
    await room.type_("/incident declare Down")
    with pytest.raises(BadInput, match="did not understand 'now'"):
        await room.type_("/incident catchup now")
    with pytest.raises(BadInput, match="did you mean 'catch"):
        await room.type_("/incident cathcup")
    with pytest.raises(NotAllowed):
        await room.type_("/incident catchup", "mallory")
    await room.type_("/incident private")
    with pytest.raises(NotFound):
        await room.type_("/incident catchup #1", "ben")


@pytest.fixture
async def joining(room: ChatRoom, slack: SlackStub) -> AsyncIterator[SlackRoom]:
    async with slack_room(room, slack) as made:
        yield made


@pytest.mark.server
class TestJoining:
    """Through the bolt app."""

    async def test_who_joins_late_is_told_once(self, joining: SlackRoom) -> None:
        """However often they leave and come again, and however often Slack says it."""
        slack = joining.slack
        channel = await joining.declare("Keys leaked", ago=30)
        await slack.join(channel, U_BEN)
        await joining.until(lambda: joining.heard(channel, U_BEN))
        for _ in range(2):
            await slack.leave(channel, U_BEN)
            await slack.join(channel, U_BEN)
        await asyncio.sleep(0.3)
        await joining.settled()
        (told,) = joining.heard(channel, U_BEN)
        assert "Where #1 stands" in told.text
        assert "sev2, declared: Keys leaked" in str(told.blocks)
        assert not [m for m in slack.messages(channel) if "Where #1" in m.text]

    async def test_who_was_there_and_who_is_unknown_is_not(self, joining: SlackRoom) -> None:
        """Nobody is greeted at the start; a stranger's words come from the card alone."""
        slack = joining.slack
        channel = await joining.declare(ago=4)
        await slack.join(channel, U_BEN)
        other = await joining.declare("Other", ago=30)
        await slack.join(other, U_CAROL)
        plain = slack.add_channel("talk")
        await slack.join(plain.id, U_BEN)
        await asyncio.sleep(0.3)
        await joining.settled()
        assert joining.heard(channel, U_BEN) == []
        assert joining.heard(other, U_CAROL) == []
        assert joining.heard(plain.id, U_BEN) == []
        assert joining.heard(channel, U_ANA) == []

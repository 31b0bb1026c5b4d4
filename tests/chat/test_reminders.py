"""Reminders in chat: a mention of whom it concerns, buttons that do it or put it off, and a command."""

from datetime import timedelta

import pytest
from sqlmodel import select

from bot.chat.console.html import blocks_html
from bot.chat.reminder_card import reminder_blocks
from bot.errors import BadInput, NotAllowed
from bot.incidents.due_tables import Reminder
from bot.store import now
from tests.chat.room import ChatRoom, words

ASKS = {
    "what": "update:customers", "text": "The <next> update is due", "to": ["ana", "ben", "gone"],
    "due_at": "", "button": ["Write it", "update_write", "1|customers"],
}  # fmt: skip


async def snoozed(room: ChatRoom) -> dict[str, float]:
    """Minutes that are left, by what."""
    async with room.store.read() as session:
        rows = (await session.execute(select(Reminder))).scalars()
        return {
            r.what: round((r.snoozed_until - now()) / timedelta(minutes=1))
            for r in rows
            if r.snoozed_until
        }


async def test_a_reminder(room: ChatRoom) -> None:
    """Persons are mentioned, not the channel; what is due is inert; each button knows what it is of."""
    room.library.catalog.people[0].slack[:] = ["T1:U1"]
    await room.type_("/incident declare Down")
    drawn = await room.card(1, "reminder", **ASKS)
    assert words(drawn.blocks) == "⏰ <@U1> Ben gone The &lt;next&gt; update is due"
    buttons = [(b["action_id"], b["value"]) for b in drawn.blocks[1]["elements"]]
    assert buttons == [
        ("update_write", "1|customers"), ("reminder_15m", "1|update:customers"),
        ("reminder_1h", "1|update:customers"), ("reminder_stop", "1|update:customers"),
    ]  # fmt: skip
    settled = await room.card(1, "reminder", **ASKS, settled=True)
    assert words(settled.blocks) == "✅ ~The &lt;next&gt; update is due~"
    assert [b["type"] for b in settled.blocks] == ["context"]
    page = blocks_html(reminder_blocks(1, {**ASKS, "what": "postmortem"}, ["Ana"], "/incidents/1"))
    assert '<a href="/incidents/1">Open it</a>' in page


async def test_the_buttons(room: ChatRoom) -> None:
    await room.type_("/incident declare Down")
    said = await room.click("reminder_15m", "1|update:customers")
    assert "update to customers" in said.text
    await room.click("reminder_1h", "1|task:7")
    assert await snoozed(room) == {"update:customers": 15, "task:7": 60}
    assert (await room.click("reminder_stop", "1|idle")).text == "No further reminders: idle."
    for _ in range(2):
        assert (await room.click("incident_ack", "1", "ben")).text == "Noted: you are on it."
    assert [r.kind for r in await room.rows()][1:] == [
        "reminder_snoozed", "reminder_snoozed", "reminder_stopped", "incident_acknowledged",
    ]  # fmt: skip
    draft = await room.click("update_write", "1|internal")
    assert draft.blocks[-1]["elements"][0]["action_id"] == "update_send"


async def test_who_may_and_what_is_no_reminder(room: ChatRoom) -> None:
    await room.type_("/incident declare Down")
    with pytest.raises(NotAllowed, match="You have no role in the catalog"):
        await room.click("reminder_stop", "1|idle", "eli")
    with pytest.raises(BadInput, match="There is no reminder 'nonsense'"):
        await room.click("reminder_stop", "1|nonsense")
    with pytest.raises(BadInput, match="I do not know the button"):
        await room.click("reminder_stop", "x|idle")


@pytest.mark.parametrize(
    ("typed", "what", "minutes"),
    [
        ("30m", "*", 30), ("in 2h", "*", 120), ("update 1h", "update", 60), ("idle in 90m", "idle", 90),
        ("follow-up 2d", "follow_up", 2880), ("all 10m", "*", 10), ("updates 5m", "update", 5),
    ],
)  # fmt: skip
async def test_snooze(room: ChatRoom, typed: str, what: str, minutes: int) -> None:
    await room.type_("/incident declare Down")
    reply = await room.type_(f"/incident snooze {typed}")
    assert "put off until" in reply.text
    assert await snoozed(room) == {what: minutes}


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("", "Say until when. Usage: /incident snooze"),
        ("idel 30m", "There is no reminder 'idel'; did you mean 'idle'?"),
        ("soon", "I cannot read 'soon' as a time"), ("tomorrow 9", "I cannot read 'tomorrow 9'"),
        ("30d", "seven days at most"), ("idle soon", "I cannot read 'soon' as a time"),
    ],
)  # fmt: skip
async def test_a_snooze_that_is_none(room: ChatRoom, typed: str, says: str) -> None:
    await room.type_("/incident declare Down")
    with pytest.raises(BadInput) as caught:
        await room.type_(f"/incident snooze {typed}")
    assert says in str(caught.value)


async def test_tomorrow_is_a_time(room: ChatRoom) -> None:
    await room.type_("/incident declare Down")
    await room.type_("/incident snooze tomorrow 9:00")
    assert set(await snoozed(room)) == {"*"}

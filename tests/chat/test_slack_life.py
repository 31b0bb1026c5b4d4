"""The incident's life as people play it in Slack: typed, clicked, and seen by whom it is for."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.chat.room import ChatRoom
from tests.chat.slack_room import SlackRoom, slack_room
from tests.slackstub import U_ANA, U_BEN, U_CAROL, HumanError, SlackStub

pytestmark = pytest.mark.server


@pytest.fixture
async def at(room: ChatRoom, slack: SlackStub) -> AsyncIterator[SlackRoom]:
    async with slack_room(room, slack) as made:
        yield made


async def typed(at: SlackRoom, text: str, user: str, channel: str) -> str:
    """What its sender alone is told."""
    done = await at.slack.command(f"/incident {text}", user, channel, wait=20)
    return str(done.responses[0])


async def test_roles_tasks_and_the_end(at: SlackRoom) -> None:
    """From the card's one next button to the closed incident, by two people."""
    slack = at.slack
    channel = await at.declare("Down")
    (card,) = slack.messages(channel, contains="SEV2 · Down")
    await slack.click(channel, card.ts, "incident_lead", U_ANA)
    mention = f"<@{U_BEN}|ben>"
    assert "Ben is operations lead" in await typed(at, f"role ops {mention}", U_ANA, channel)
    await at.until(lambda: "Operations lead" in str(card.blocks))
    assert "Ben is offered command" in await typed(at, f"handover {mention}", U_ANA, channel)
    (offer,) = await at.until(lambda: slack.messages(channel, contains="Command is offered to Ben"))
    wrong = await slack.click(channel, offer.ts, "handover_accept", U_ANA, wait=20)
    assert "offered to Ben alone" in str(wrong.responses)
    stranger = await slack.click(channel, offer.ts, "handover_accept", U_CAROL, wait=20)
    assert "do not know you" in str(stranger.responses)
    await slack.click(channel, offer.ts, "handover_accept", U_BEN)
    await at.until(lambda: "took command" in str(vars(offer)))
    assert "*Commander*\nBen" in str((await at.room.card(1)).blocks[1]["fields"][2]["text"])
    with pytest.raises(HumanError):
        await slack.click(channel, offer.ts, "handover_accept", U_BEN)

    await typed(at, f"task Call the vendor {mention} by in 20m", U_ANA, channel)
    (task,) = await at.until(lambda: slack.messages(channel, contains="Task 1"))
    await typed(at, "resolve", U_BEN, channel)
    await at.until(lambda: "incident_close" in str(card.blocks))
    refused = await slack.click(channel, card.ts, "incident_close", U_BEN, wait=20)
    assert "1 open task" in str(refused.responses)
    await slack.click(channel, task.ts, "task_done", U_BEN, wait=20)
    await at.until(lambda: "✅" in str(task.blocks))
    await slack.click(channel, card.ts, "incident_close", U_BEN)
    await at.until(lambda: "closed" in str(card.blocks))
    assert (await at.room.incident()).status == "closed"


async def test_made_private_under_peoples_hands(at: SlackRoom) -> None:
    """Who does not belong is out at once: the old channel is shut, its buttons are nobody's."""
    slack = at.slack
    channel = await at.declare("Keys leaked")
    await slack.join(channel, U_BEN)
    said = await typed(at, "private", U_ANA, channel)
    assert "is private now" in said
    await at.until(lambda: slack.ws.channels[channel].is_archived)
    await at.until(lambda: "inc-1-private" in {c.name for c in slack.ws.channels.values()})
    await at.settled()
    (private,) = [c for c in slack.ws.channels.values() if c.name == "inc-1-private"]
    assert U_ANA in private.members
    assert U_BEN not in private.members
    old = str([vars(m) for m in slack.messages(channel)])
    assert "SEV2 · Keys leaked" not in old
    await typed(at, "note the key is X", U_ANA, private.id)
    await at.settled()
    assert "the key is X" in str([vars(m) for m in slack.messages(private.id)])
    assert "the key is X" not in str([vars(m) for m in slack.messages(channel)])
    assert "no incident 1" in await typed(at, "this #1", U_BEN, "general")


async def test_a_click_from_before_is_refused_after(at: SlackRoom) -> None:
    """A request that was stored with the public channel's button, done after the change."""
    channel = await at.declare("Keys leaked")
    await at.room.type_("/incident private", at=1)
    asked = {
        "action": "incident_resolve", "value": "1", "team": at.slack.team_id, "user": U_BEN,
        "channel": channel,
    }  # fmt: skip
    await at.inbox.accept("click", "old", asked)
    await asyncio.sleep(0.3)
    await at.settled()
    assert (await at.room.incident()).status == "declared"

"""Shortcuts, reactions, edits and deletions in Slack: on the record once, however events come."""

import pytest

from bot.chat.places import address
from bot.delivery import Binding
from tests.chat.slack_world import SlackWorld
from tests.slackstub import C_GENERAL, U_ANA, U_BEN, U_CAROL, Message

pytestmark = pytest.mark.server  # the stub listens on a port


async def marked_by_two(
    workspace: SlackWorld, channel: str, said: Message, first: str, second: str
) -> None:
    """By Ana and by Ben, whose reactions Slack tells three times; until it is ticked."""
    await workspace.slack.react(channel, said.ts, first)
    await workspace.settled()
    await workspace.slack.react(channel, said.ts, second, U_BEN)
    for event in list(workspace.slack.deliverer.events)[-2:]:
        await workspace.slack.redeliver(event, new_event_id=True)
        await workspace.slack.redeliver(event)
    await workspace.settled()
    await workspace.until(lambda: "white_check_mark" in said.reactions)


async def test_a_pinned_message_is_on_the_timeline_and_ticked(workspace: SlackWorld) -> None:
    """By two people, in two skin tones, told three times: one row, one ✅."""
    channel = await workspace.declare()
    said = await workspace.slack.message(channel, "DNS answers with the old address", U_BEN)
    await workspace.settled()
    await marked_by_two(workspace, channel, said, "pushpin", "round_pushpin")
    (row,) = await workspace.rows("message_pinned")
    assert (row.text, row.actor) == ("DNS answers with the old address", "person:ana")
    assert row.link == address("", channel, said.ts)
    assert row.data["said_by"] == U_BEN
    assert len(workspace.slack.calls("reactions.add")) == 1


async def test_in_a_thread_and_of_another_app(workspace: SlackWorld) -> None:
    """What the record does not have by itself is asked of Slack."""
    channel = await workspace.declare()
    first = await workspace.slack.message(channel, "what now?")
    answer = await workspace.slack.message(channel, "roll back", U_BEN, first.ts)
    await workspace.slack.react(channel, answer.ts, "pushpin")
    await workspace.settled()
    assert [r.text for r in await workspace.rows("message_pinned")] == ["roll back"]


async def test_said_to_somebody_it_is_on_the_record(workspace: SlackWorld) -> None:
    """What begins with a person's name is said in the channel like the rest; with ours, a command."""
    channel = await workspace.declare()
    said = await workspace.slack.message(channel, f"<@{U_BEN}> restart db1")
    ours = await workspace.slack.mention(channel, "status")
    await workspace.settled()
    await workspace.slack.edit(channel, said.ts, f"<@{U_BEN}> restart db2")
    await workspace.slack.edit(channel, ours.ts, f"<@{workspace.slack.bot_user_id}> list")
    await workspace.settled()
    assert [r.text for r in await workspace.rows("note_added", "note_corrected")] == [
        f"<@{U_BEN}> restart db1", f"<@{U_BEN}> restart db2",
    ]  # fmt: skip


async def test_a_picture_stays_a_link(workspace: SlackWorld) -> None:
    """Recorded as the link that members can follow; nothing is made public, nothing fetched."""
    channel = await workspace.declare()
    said = await workspace.slack.upload(channel, "graph.png", b"png", text="look")
    await workspace.slack.react(channel, said.ts, "pushpin")
    await workspace.settled()
    (row,) = await workspace.rows("message_pinned")
    assert row.text.startswith("look\n📎 graph.png http")
    assert "graph.png" in (await workspace.rows("note_added"))[0].text
    assert "slack-files" not in row.text
    assert not workspace.slack.calls("files.sharedPublicURL")


async def test_deleted_above_a_thread(workspace: SlackWorld) -> None:
    """Slack keeps such a message, with words of its own in its place: nobody has said those."""
    channel = await workspace.declare()
    said = await workspace.slack.message(channel, "the password is X", U_BEN)
    await workspace.slack.message(channel, "delete that", thread_ts=said.ts)
    await workspace.settled()
    before = {"type": "message", "user": U_BEN, "ts": said.ts, "text": said.text}
    left = {"subtype": "tombstone", "text": "This message was deleted.", "user": "USLACKBOT"}
    await workspace.slack.emit_event({
        "type": "message", "subtype": "message_changed", "channel": channel, "hidden": True,
        "ts": workspace.slack.ws.new_ts(), "message": before | left, "previous_message": before,
    })  # fmt: skip
    await workspace.settled()
    (row,) = await workspace.rows("note_withdrawn")
    assert (row.actor, row.text) == ("person:ben", "Deleted in Slack: the password is X")
    assert await workspace.rows("note_corrected") == []


async def test_seen(workspace: SlackWorld) -> None:
    """👀 by a person, at any number of messages, says once that they have seen it."""
    channel = await workspace.declare()
    card = workspace.slack.messages(channel)[0]
    said = await workspace.slack.message(channel, "hello", U_BEN)
    for ts in (card.ts, said.ts):
        await workspace.slack.react(channel, ts, "eyes", U_BEN)
    await workspace.settled()
    (row,) = await workspace.rows("incident_acknowledged")
    assert (row.actor, row.text) == ("person:ben", "Ben has seen it")


async def test_a_ticket_makes_a_task_once(workspace: SlackWorld) -> None:
    """By two people and two emoji, told again: one task with the message's words, one ✅."""
    channel = await workspace.declare()
    said = await workspace.slack.message(
        channel, "ask ben &amp; co\nby 14:30 @ana &amp;lt;b>", U_BEN
    )
    await workspace.settled()
    await marked_by_two(workspace, channel, said, "ticket", "admission_tickets")
    (row,) = await workspace.rows("task_added")
    assert (row.text, row.actor) == ("Task 1: ask ben & co by 14:30 @ana &lt;b>", "person:ana")
    assert row.link == address("", channel, said.ts)
    assert len(workspace.slack.calls("reactions.add")) == 1
    await workspace.until(lambda: workspace.slack.messages(channel, contains="Task 1"))


async def test_a_ticket_of_who_may_not(workspace: SlackWorld) -> None:
    """Giving tasks needs a role: they are told so, and nothing is ticked."""
    channel = await workspace.declare()
    said = await workspace.slack.message(channel, "look at db1", U_BEN)
    workspace.room.library.catalog.people[1].roles.clear()
    await workspace.slack.react(channel, said.ts, "ticket", U_BEN)
    await workspace.until(lambda: workspace.slack.ephemerals(channel, U_BEN))
    assert "needs the role" in workspace.slack.ephemerals(channel, U_BEN)[0].text
    await workspace.settled()
    assert await workspace.rows("task_added") == []
    assert not said.reactions.get("white_check_mark")


@pytest.mark.parametrize("emoji", ["ticket", "pushpin"])
async def test_what_was_said_in_private_goes_nowhere_else(
    workspace: SlackWorld, emoji: str
) -> None:
    """A mark that is worked off when the channel is no longer its incident's is dropped."""
    channel = await workspace.declare("Secret plan", private=True)
    await workspace.until(lambda: U_ANA in workspace.slack.ws.any_channel(channel).members)
    said = await workspace.slack.message(channel, "the key is X")
    await workspace.settled()
    workspace.slack.fault("conversations.history", "http_500")
    await workspace.slack.react(channel, said.ts, emoji)
    await workspace.until(lambda: workspace.slack.calls("conversations.history"))
    async with workspace.room.store.write() as session:
        await session.delete(await session.get_one(Binding, ("slack", "channel:1")))
        (await workspace.room.incidents.get(session, 1)).status = "closed"
    await workspace.declare("Search is slow")
    await workspace.late()
    await workspace.settled()
    assert await workspace.rows("task_added", "message_pinned") == []


async def test_what_is_no_mark_is_left_alone(workspace: SlackWorld) -> None:
    """Other emoji, other channels, and people whom the catalog does not know, who are told so."""
    channel = await workspace.declare()
    said = await workspace.slack.message(channel, "hello")
    elsewhere = await workspace.slack.message(C_GENERAL, "lunch?")
    await workspace.slack.react(channel, said.ts, "tada")
    await workspace.slack.react(C_GENERAL, elsewhere.ts, "pushpin")
    await workspace.slack.join(channel, U_CAROL)
    await workspace.slack.react(channel, said.ts, "pushpin", U_CAROL)
    await workspace.settled()
    assert await workspace.rows("message_pinned", "incident_acknowledged") == []
    assert "do not know you" in workspace.slack.ephemerals(channel, U_CAROL)[0].text


async def test_an_edit_is_a_correction(workspace: SlackWorld) -> None:
    """The first words stay on the record, the new ones stand in another row; doubled it is one."""
    channel = await workspace.declare()
    said = await workspace.slack.message(channel, "db1 is down")
    await workspace.settled()
    await workspace.slack.edit(channel, said.ts, "db2 is down")
    event = list(workspace.slack.deliverer.events)[-1]
    await workspace.settled()
    await workspace.slack.edit(channel, said.ts, "db3 is down")
    await workspace.settled()
    await workspace.slack.redeliver(event, new_event_id=True)  # the older one, once more and late
    await workspace.slack.redeliver(event)
    await workspace.settled()
    rows = await workspace.rows("note_added", "note_corrected")
    assert [r.text for r in rows] == ["db1 is down", "db2 is down", "db3 is down"]
    assert rows[1].data["was"] == "db1 is down"


async def test_an_edit_that_overtakes_its_message(workspace: SlackWorld) -> None:
    """Recorded once, as it was meant."""
    channel = await workspace.declare()
    slack = workspace.slack
    slack.configure(subscriptions=["app_mention"])
    said = await slack.message(channel, "db1 is down")
    slack.configure(subscriptions=["message"])
    await slack.edit(channel, said.ts, "db2 is down")
    await workspace.settled()
    late = {"type": "message", "channel": channel, "user": said.user, "text": "db1 is down"}
    await slack.emit_event({**late, "ts": said.ts, "channel_type": "channel"})
    await workspace.settled()
    assert [r.text for r in await workspace.rows("note_added", "note_corrected")] == ["db2 is down"]


async def test_a_deletion_is_said_and_nothing_is_lost(workspace: SlackWorld) -> None:
    """Of a pinned message too: both say so, and what was said stays on the record."""
    channel = await workspace.declare()
    said = await workspace.slack.message(channel, "wrong channel, sorry")
    await workspace.slack.react(channel, said.ts, "pushpin")
    await workspace.settled()
    await workspace.slack.delete(channel, said.ts)
    await workspace.settled()
    rows = await workspace.rows("note_withdrawn")
    assert [r.text for r in rows] == ["Deleted in Slack: wrong channel, sorry"] * 2
    assert [r.text for r in await workspace.rows("note_added")] == ["wrong channel, sorry"]


async def test_declare_from_a_message(workspace: SlackWorld) -> None:
    """The form has its first line; the message and the way to it are on the new incident's record."""
    slack = workspace.slack
    said = await slack.message(C_GENERAL, "Checkout gives 500s\nsince ten minutes", U_BEN)
    done = await slack.message_shortcut("declare_from_message", C_GENERAL, said.ts, wait=20)
    view = done.views[0]
    assert view["blocks"][0]["element"]["initial_value"] == "Checkout gives 500s"
    await slack.submit_view(view["id"], {"title": "Checkout gives 500s", "severity": "sev1"})
    await workspace.settled()
    (note,) = await workspace.rows("note_added")
    assert note.text == "Checkout gives 500s\nsince ten minutes"
    assert note.link == address("", C_GENERAL, said.ts)


async def test_its_form_does_not_open(workspace: SlackWorld) -> None:
    """Slack fails just then: who chose it is told what to do instead, and nothing is declared."""
    slack = workspace.slack
    said = await slack.message(C_GENERAL, "Checkout gives 500s", U_BEN)
    slack.fault("views.open", "http_500")
    done = await slack.message_shortcut("declare_from_message", C_GENERAL, said.ts, wait=20)
    assert "/incident declare" in done.responses[0]["text"]
    assert await workspace.rows("incident_declared") == []


async def test_long_messages_in_any_script(workspace: SlackWorld) -> None:
    """Most of the world's letters are six characters each in plain JSON, more than a form holds."""
    slack = workspace.slack
    text = 'Оплата не проходит "совсем"\n' * 100
    said = await slack.message(C_GENERAL, text, U_BEN)
    done = await slack.message_shortcut("declare_from_message", C_GENERAL, said.ts, wait=20)
    await slack.submit_view(done.views[0]["id"], {"title": "Оплата", "severity": "sev1"})
    await workspace.settled()
    (note,) = await workspace.rows("note_added")
    assert note.text == text[:999] + "…"


async def test_what_is_private_is_not_told_on(workspace: SlackWorld) -> None:
    """From a private incident's channel only what stands in the form goes into the new incident."""
    slack = workspace.slack
    channel = await workspace.declare("Secret", private=True)
    await workspace.until(lambda: U_ANA in slack.ws.any_channel(channel).members)
    said = await slack.message(channel, "Payments are slow\nbecause of the secret", U_ANA)
    done = await slack.message_shortcut("declare_from_message", channel, said.ts, wait=20)
    await slack.submit_view(done.views[0]["id"], {"title": "Payments are slow", "severity": "sev2"})
    await workspace.settled()
    rows = await workspace.rows("note_added", "incident_declared")
    assert "because" not in str([r.text for r in rows if r.incident_id == 2])


async def test_add_to_the_timeline_by_the_menu(workspace: SlackWorld) -> None:
    """From its channel or any other while one incident is open; with two it asks which."""
    slack = workspace.slack
    channel = await workspace.declare()
    said = await slack.message(C_GENERAL, "we changed the DNS at noon", U_BEN)
    done = await slack.message_shortcut("add_to_timeline", C_GENERAL, said.ts, wait=20)
    assert "timeline of #1" in done.responses[0]["text"]
    again = await slack.message_shortcut("add_to_timeline", C_GENERAL, said.ts, wait=20)
    assert "timeline of #1" in again.responses[0]["text"]
    await workspace.declare("Search is slow")
    which = await slack.message_shortcut("add_to_timeline", C_GENERAL, said.ts, wait=20)
    assert "Which incident?" in which.responses[0]["text"]
    inside = await slack.message(channel, "rolled back", U_BEN)
    await slack.message_shortcut("add_to_timeline", channel, inside.ts, wait=20)
    await workspace.settled()
    rows = await workspace.rows("message_pinned")
    assert [r.text for r in rows] == ["we changed the DNS at noon", "rolled back"]


async def test_slack_away_at_the_mark_it_is_done_later(workspace: SlackWorld) -> None:
    """The reaction is on disk; its message is asked for when Slack answers again."""
    channel = await workspace.declare()
    said = await workspace.slack.message(channel, "hello")
    await workspace.settled()
    workspace.slack.fault("conversations.history", "http_500")
    await workspace.slack.react(channel, said.ts, "pushpin")
    await workspace.until(lambda: workspace.slack.calls("conversations.history"))
    assert await workspace.rows("message_pinned") == []
    await workspace.late()
    await workspace.settled()
    assert len(await workspace.rows("message_pinned")) == 1

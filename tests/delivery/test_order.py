"""What is said arrives in the order in which it was said, edits as one, lanes side by side."""

import asyncio

import pytest

from bot.delivery import Outbox
from tests.delivery.conftest import Post, stop

pytestmark = pytest.mark.server


async def test_a_channel_is_made_ready(post: Post) -> None:
    """Channel, card, topic, pin and the digest's line, each once."""
    await post.declare()
    await post.drain()
    channel = post.slack.ws.any_channel(post.channel())
    assert "SEV2 | declared" in channel.topic["value"]
    assert len(channel.pins) == 1
    for method in ("conversations.create", "conversations.setTopic", "pins.add"):
        assert len(post.calls(method)) == 1, method
    assert len(post.slack.messages("incidents", contains="Search is slow")) == 1


async def test_a_channels_messages_keep_their_order(post: Post) -> None:
    """Twelve lines said in a row, also while some of them have to be tried again."""
    number = await post.opened()
    post.slack.fault("chat.postMessage", "ratelimited", skip=3, retry_after=0)
    post.slack.fault("chat.postMessage", "drop_before", skip=6)
    lines = [f"line {n}" for n in range(12)]
    for line in lines:
        await post.say(number, line, line)
    await post.drain()
    assert post.said() == lines


async def test_an_edit_that_is_unsent_absorbs_the_later_ones(post: Post) -> None:
    """Twenty changes of one message while Slack was away: one post, with the last text."""
    number = await post.opened()
    for n in range(20):
        await post.say(number, "status", f"version {n}")
    await post.drain()
    assert post.said() == ["version 19"]
    assert (len(post.calls("chat.postMessage")), len(post.calls("chat.update"))) == (1, 0)


async def test_edits_of_a_posted_message_change_it_in_place(post: Post) -> None:
    number = await post.opened()
    for n in range(3):
        await post.say(number, "status", f"version {n}")
        await post.drain()
    assert post.said() == ["version 2"]
    assert (len(post.calls("chat.postMessage")), len(post.calls("chat.update"))) == (1, 2)


async def test_the_card_always_ends_at_the_last_state(post: Post) -> None:
    """Changes that come while the worker sends: whatever is absorbed, the last one shows."""
    number = await post.opened()
    worker = asyncio.create_task(post.worker().run())
    for n in range(60):
        await post.say(number, "status", f"version {n}")
        await asyncio.sleep(0.003 * (n % 4))
    while await post.open_rows():
        await asyncio.sleep(0.01)
    await stop(worker)
    assert post.said() == ["version 59"]
    assert len(post.calls("chat.postMessage")) == 1


async def test_an_edit_is_not_lost_to_a_worker_that_is_quicker(post: Post) -> None:
    """The worker takes a message while its edit is not committed yet: it shows the edit."""
    number = await post.opened()
    await post.say(number, "status", "old")
    async with post.store.write() as session:
        await post.outbox.say(session, number, "status", "line", {"text": "new"})
        if not post.store.is_sqlite:  # there a second writer has to wait anyway
            worker = asyncio.create_task(post.worker().run())
            await asyncio.sleep(0.7)
            await stop(worker)
    await post.drain()
    assert post.said() == ["new"]


async def test_what_was_written_in_slack_is_not_sent_back(post: Post) -> None:
    number = await post.opened()
    async with post.store.write() as session:
        await post.outbox.say(session, number, "n", "note", {"text": "hi"}, origin="slack")
    assert await post.open_rows() == 0


async def test_without_a_surface_messages_are_kept_and_nothing_is_queued(post: Post) -> None:
    """The console reads messages from the database; there is nothing to deliver to it."""
    outbox = Outbox(())
    async with post.store.write() as session:
        await outbox.say(session, 1, "n", "line", {"text": "hi"})
        assert await outbox.said(session, 1, "n")
    assert await post.open_rows() == 0


async def test_a_rollback_unsays_it(post: Post) -> None:
    """What is said is part of the change that caused it, or of nothing."""
    number = await post.opened()

    async def change_and_fail() -> None:
        async with post.store.write() as session:
            await post.outbox.say(session, number, "n", "line", {"text": "never"})
            raise RuntimeError("the change failed")

    with pytest.raises(RuntimeError):
        await change_and_fail()
    await post.drain()
    assert post.said() == []

"""Channels archived, deleted, renamed and closed to us: nothing that is to be said is lost."""

import pytest

from tests.delivery.conftest import Post
from tests.slackstub import C_INCIDENTS, U_ANA

pytestmark = pytest.mark.server  # the stub listens on a port


def channels(post: Post) -> dict[str, str]:
    """The incident's channels by name, oldest first."""
    found = post.slack.ws.channels.values()
    return {c.name: c.id for c in found if c.name.startswith("inc-1-")}


async def archived(post: Post, channel: str) -> None:
    await post.slack.archive(channel)


async def deleted(post: Post, channel: str) -> None:
    del post.slack.ws.channels[channel]


async def closed_to_us(post: Post, channel: str) -> None:
    await post.slack.leave(channel, post.slack.bot_user_id)


LOST = [archived, deleted, closed_to_us]


@pytest.mark.parametrize("lose", LOST)
async def test_it_goes_on_in_a_new_channel(post: Post, lose) -> None:
    """All that was to be said, once and in order, under a card that is pinned; the digest leads there."""
    number = await post.opened()
    await post.say(number, "a", "first")
    await post.drain()
    (old,) = channels(post).values()
    await lose(post, old)
    for n in range(4):
        await post.say(number, f"b{n}", f"then {n}")
    await post.drain()
    new = [i for i in channels(post).values() if i != old]
    assert len(new) == 1
    said = [m.text for m in post.slack.messages(new[0]) if m.text and not m.subtype]
    lines = [t for t in said if t.startswith("then")]
    assert lines == [f"then {n}" for n in range(4)]
    assert sum("Search is slow" in t for t in said) == 1, "the card"
    assert sum("it goes on in a new one" in t for t in said) == 1
    assert len(post.slack.ws.channels[new[0]].pins) == 1
    assert post.slack.ws.channels[new[0]].topic["value"]
    (digest,) = post.slack.messages(C_INCIDENTS, "Search is slow")
    assert f"<#{new[0]}>" in str(digest.blocks)


async def test_an_edit_of_what_is_in_the_old_channel(post: Post) -> None:
    """The next state of a message that was posted there is posted in the new one."""
    number = await post.opened()
    await post.say(number, "a", "one")
    await post.drain()
    (old,) = channels(post).values()
    await post.slack.archive(old)
    await post.say(number, "a", "two")
    await post.drain()
    (new,) = [i for i in channels(post).values() if i != old]
    assert [m.text for m in post.slack.messages(new, "two")] == ["two"]


async def test_over_nobody_needs_a_channel(post: Post) -> None:
    """People archive the channel of an incident that is over: no new one is opened."""
    number = await post.opened()
    async with post.store.write() as session:
        incident = await post.incidents.get(session, number)
        await post.incidents.set_status(session, incident, "resolved", "person:ana")
    await post.drain()
    (old,) = channels(post).values()
    await post.slack.archive(old)
    await post.say(number, "a", "its postmortem is drafted")
    with pytest.raises(TimeoutError):  # it waits until somebody unarchives it
        await post.drain(limit=2)
    assert list(channels(post).values()) == [old]


async def test_a_private_one_stays_private(post: Post) -> None:
    """Its new channel too, or none; the digest tells nobody where."""
    async with post.store.write() as session:
        await post.incidents.declare(
            session, title="Secret plan", severity="sev1", actor="person:ana", origin="o",
            private=True,
        )  # fmt: skip
    await post.drain()
    (old,) = channels(post).values()
    await post.slack.archive(old)
    await post.say(1, "a", "go on")
    await post.drain()
    (new,) = [i for i in channels(post).values() if i != old]
    assert post.slack.ws.channels[new].is_private
    assert new not in str([m.blocks for m in post.slack.messages(C_INCIDENTS)])


async def test_renamed_it_is_the_same_channel(post: Post) -> None:
    number = await post.opened()
    (channel,) = channels(post).values()
    await post.slack.rename(channel, "war-room")
    await post.say(number, "a", "still here")
    await post.drain()
    assert [m.text for m in post.slack.messages(channel, "still here")] == ["still here"]


async def test_a_deleted_card_is_posted_anew(post: Post) -> None:
    """Somebody cleans up: the next state of the card stands there again, and the digest's line too."""
    number = await post.opened()
    (channel,) = channels(post).values()
    card = next(m for m in post.slack.messages(channel) if "Search is slow" in m.text)
    (line,) = post.slack.messages(C_INCIDENTS, "Search is slow")
    await post.slack.delete(channel, card.ts)
    await post.slack.delete(C_INCIDENTS, line.ts)
    async with post.store.write() as session:
        incident = await post.incidents.get(session, number)
        await post.incidents.set_severity(session, incident, "sev1", "person:ana")
    await post.drain()
    assert len([m for m in post.slack.messages(channel) if "SEV1 ·" in m.text]) == 1
    assert len(post.slack.messages(C_INCIDENTS, "Search is slow")) == 1


async def test_two_workers_open_one_new_channel(post: Post) -> None:
    number = await post.opened()
    (old,) = channels(post).values()
    await post.slack.archive(old)
    for n in range(6):
        await post.say(number, f"b{n}", f"then {n}")
    async with post.store.write() as session:
        await post.outbox.set_topic(session, number, "another topic")
        await post.outbox.invite(session, number, [U_ANA])
    await post.drain(post.worker("first"), post.worker("second"))
    (new,) = [i for i in channels(post).values() if i != old]
    said = [m.text for m in post.slack.messages(new) if m.text.startswith("then")]
    assert said == [f"then {n}" for n in range(6)]

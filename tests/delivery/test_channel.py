"""What is done to an incident's channel in Slack: another name, and a private one instead of it."""

import pytest

from bot.catalog import Person
from bot.delivery import Binding
from bot.errors import Conflict
from bot.incidents.naming import rename
from bot.incidents.privacy import Privacy
from tests.delivery.conftest import Post
from tests.slackstub import C_INCIDENTS, U_BEN

pytestmark = pytest.mark.server
ANA = Person(id="ana", name="Ana")


def channels(post: Post) -> dict[str, tuple[bool, bool]]:
    """Name → (private, archived), of the incident's."""
    found = post.slack.state()["channels"].values()
    return {c["name"]: (c["is_private"], c["is_archived"]) for c in found if c["name"].startswith("inc-1")}  # fmt: skip


async def hide(post: Post, key: str = "k") -> None:
    async with post.store.write() as session:
        incident = await post.incidents.get(session, 1)
        await Privacy(post.incidents).hide(session, incident, ANA, [], key)


async def renamed(post: Post, title: str) -> None:
    async with post.store.write() as session:
        incident = await post.incidents.get(session, 1)
        await rename(session, post.incidents, incident, title, "person:ana")
    await post.drain()


async def test_a_renamed_incident_has_a_renamed_channel(post: Post) -> None:
    """With a suffix where the name is somebody else's; links to it use the new name."""
    await post.opened()
    post.slack.add_channel("inc-1-keys-are-gone")
    await renamed(post, "Keys are gone")
    assert "inc-1-keys-are-gone-2" in channels(post)
    assert "inc-1-search-is-slow" not in channels(post)
    async with post.store.read() as session:
        bound = await session.get_one(Binding, ("slack", "channel:1"))
    assert bound.value["name"] == "inc-1-keys-are-gone-2"
    (card,) = post.slack.messages(bound.value["channel"], contains="SEV2 ·")
    assert "Keys are gone" in card.text
    assert "Keys are gone" in str(vars(post.slack.messages(C_INCIDENTS)[0]))


async def test_a_channel_of_somebody_else_is_left_alone(post: Post) -> None:
    """One of the name that ours would have: nothing is said in it, and ours gets a suffix."""
    theirs = post.slack.add_channel("inc-1-search-is-slow", [U_BEN, post.slack.bot_user_id])
    await post.opened()
    assert "inc-1-search-is-slow-2" in channels(post)
    assert post.slack.messages(theirs.id) == []
    assert not theirs.topic["value"]
    assert post.slack.messages("inc-1-search-is-slow-2", contains="SEV2 · Search is slow")


async def test_made_private_it_goes_on_in_a_private_channel(post: Post) -> None:
    """The old one is archived, its card says no more, and no edit reaches a message in it."""
    number = await post.opened("Keys leaked")
    await post.say(number, "line", "before")
    await post.drain()
    await hide(post)
    await post.say(number, "line", "a secret edit")
    await post.say(number, "new", "a secret")
    await post.drain()
    assert channels(post) == {"inc-1-moved": (False, True), "inc-1-private": (True, False)}
    old = str([vars(m) for m in post.slack.messages("inc-1-moved")])
    assert "secret" not in old
    assert "before" in old
    assert "This incident is private now" in old
    private = post.slack.messages("inc-1-private")
    assert [m.text for m in private if "secret" in m.text] == ["a secret edit", "a secret"]
    assert len([m for m in private if "SEV2 · Keys leaked" in m.text]) == 1
    assert "Keys leaked" not in str(vars(post.slack.messages(C_INCIDENTS)[0]))
    await hide(post)
    await post.say(number, "line", "another secret edit")
    await post.drain()
    assert [m.text for m in post.slack.messages("inc-1-private", contains="edit")] == ["another secret edit"]  # fmt: skip


async def test_what_was_claimed_for_the_old_channel_is_not_said_there(post: Post) -> None:
    """Drawn after the change, it would show what came later: it goes to the new channel."""
    number = await post.opened()
    await post.say(number, "line", "a secret")
    worker = post.worker()
    claimed = [job for job, _ in await worker.claim() if job.op == "say"]
    await hide(post)
    for job in claimed:
        await worker._work(job, resumed=False)
    await post.expire()
    await post.drain()
    assert "a secret" not in str([vars(m) for m in post.slack.messages("inc-1-moved")])
    assert len(post.slack.messages("inc-1-private", contains="a secret")) == 1


async def test_while_the_channel_is_being_opened_nobody_knows_what_it_is(post: Post) -> None:
    await post.declare()
    await post.worker().claim()
    with pytest.raises(Conflict, match="Its channel is just being opened"):
        await hide(post)


@pytest.mark.parametrize("code", ["missing_scope", "cant_archive_required"])
async def test_what_slack_refuses_at_leaving_leaves_the_rest_done(post: Post, code: str) -> None:
    number = await post.opened("Keys leaked")
    post.slack.fault("conversations.archive", "error", error=code)
    await hide(post)
    await post.say(number, "new", "a secret")
    await post.drain()
    assert channels(post) == {"inc-1-moved": (False, False), "inc-1-private": (True, False)}
    assert "secret" not in str([vars(m) for m in post.slack.messages("inc-1-moved")])
    (left,) = await post.rows("leave")
    assert (left.state, code in left.error) == ("failed", True)


@pytest.mark.parametrize("fault", ["", "drop_after", "http_500"])
async def test_a_link_is_one_bookmark(post: Post, fault: str) -> None:
    """Also where the answer was lost: it is looked for before it is added again."""
    await post.opened()
    if fault:
        post.slack.fault("bookmarks.add", fault)
    async with post.store.write() as session:
        incident = await post.incidents.get(session, 1)
        link = {"url": "https://call.example.com", "title": "Call"}
        incident.links = [link]
        post.incidents.bookmark(session, incident, [link])
    await post.drain()
    assert bookmarks(post, "inc-1-search-is-slow") == [("Call", "https://call.example.com")]
    await hide(post)
    await post.drain()
    assert bookmarks(post, "inc-1-private") == [("Call", "https://call.example.com")]


def bookmarks(post: Post, name: str) -> list[tuple[str, str]]:
    (channel,) = [c for c in post.slack.ws.channels.values() if c.name == name]
    return [(b["title"], b["link"]) for b in channel.bookmarks.values()]

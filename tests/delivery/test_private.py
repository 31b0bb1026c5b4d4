"""Private channels and questions as Slack gets them: nothing is widened, whatever Slack answers."""

import asyncio

import pytest

from bot.alerts.questions import Questions
from bot.incidents import Incident
from bot.timeline import Entry, rows_of
from tests.chat.asked import ask
from tests.delivery.conftest import Post, stop
from tests.slackstub import C_INCIDENTS

pytestmark = pytest.mark.server
LEAK = "Keys leaked"
CARD = f"SEV1 · {LEAK}"


async def declare(post: Post) -> Incident:
    async with post.store.write() as session:
        return await post.incidents.declare(
            session, title=LEAK, severity="sev1", actor="source:siem", origin=LEAK, private=True
        )


async def rows(post: Post) -> list[Entry]:
    async with post.store.read() as session:
        return await rows_of(session, 1)


def channels(post: Post) -> list[tuple[str, bool]]:
    found = post.slack.state()["channels"].values()
    return [(c["name"], c["is_private"]) for c in found if c["name"].startswith("inc-1")]


def in_public(post: Post) -> str:
    return " ".join(str(vars(m)) for m in post.slack.messages(C_INCIDENTS))


async def test_its_channel_is_private_and_the_digest_has_no_title(post: Post) -> None:
    await declare(post)
    await post.drain()
    assert channels(post) == [("inc-1-private", True)]
    assert len(post.slack.messages("inc-1-private", contains=CARD)) == 1
    assert "a private incident" in in_public(post)
    assert LEAK not in in_public(post)


@pytest.mark.parametrize("fault", ["drop_before", "drop_after", "http_500"])
async def test_a_lost_answer_makes_no_second_and_no_public_channel(post: Post, fault: str) -> None:
    post.slack.fault("conversations.create", fault)
    await declare(post)
    await post.drain()
    assert channels(post) == [("inc-1-private", True)]
    assert len(post.slack.messages("inc-1-private", contains=CARD)) == 1


@pytest.mark.parametrize("code", ["restricted_action", "missing_scope"])
async def test_where_slack_refuses_it_says_so_and_opens_nothing(post: Post, code: str) -> None:
    """On the timeline and in the console's feed, once; the digest still has no title."""
    post.slack.fault("conversations.create", "error", error=code)
    await declare(post)
    task = asyncio.create_task(post.worker().run())
    async with asyncio.timeout(20):  # what else is said waits for the channel for ever
        while "channel_not_opened" not in {r.kind for r in await rows(post)}:
            await asyncio.sleep(0.02)
        while {d.state for d in await post.rows("digest")} != {"sent"}:
            await asyncio.sleep(0.02)
    await stop(task)
    assert channels(post) == []
    found = [r for r in await rows(post) if r.kind == "channel_not_opened"]
    why = f"Slack refused conversations.create: {code}."
    said = f"The private channel could not be opened, and no other is opened instead: {why}"
    assert [r.text for r in found] == [said]
    assert "Its channel could not be opened" in in_public(post)
    async with post.store.write() as session:
        await post.incidents.channel_refused(session, 1, "again")
    assert len([r for r in await rows(post) if r.kind == "channel_not_opened"]) == 1
    assert LEAK not in in_public(post)


async def test_a_public_channel_of_its_name_is_never_taken_for_it(post: Post) -> None:
    """One that our bot made under that name, as if by an older release: it gets a suffix."""
    taken = post.slack.add_channel("inc-1-private", creator=post.slack.bot_user_id)
    await declare(post)
    await post.drain()
    assert sorted(channels(post)) == [("inc-1-private", False), ("inc-1-private-2", True)]
    assert post.slack.messages(taken.id) == []
    assert len(post.slack.messages("inc-1-private-2", contains=CARD)) == 1


async def test_a_question_is_one_message_that_is_edited(post: Post) -> None:
    """Posted where the digest is, with its buttons; answered, it has none."""
    questions = Questions(post.incidents)
    await ask(post.store, questions, "Slow")
    await post.drain()
    (message,) = post.slack.messages(C_INCIDENTS)
    assert "question_declare" in str(message.blocks)
    async with post.store.write() as session:
        await questions.refuse(session, 1, "person:ana")
    await post.drain()
    (message,) = post.slack.messages(C_INCIDENTS)
    assert "question_declare" not in str(message.blocks)
    assert "that it is no incident" in str(message.blocks)


@pytest.mark.parametrize("fault", ["drop_before", "drop_after"])
async def test_a_lost_answer_asks_no_second_time(post: Post, fault: str) -> None:
    post.slack.fault("chat.postMessage", fault)
    await ask(post.store, Questions(post.incidents), "Slow")
    await post.drain()
    assert len(post.slack.messages(C_INCIDENTS)) == 1


async def test_a_private_question_is_posted_without_its_words(post: Post) -> None:
    await ask(post.store, Questions(post.incidents), "Leak", title=LEAK, private=True)
    await post.drain()
    assert "🔒" in in_public(post)
    assert "Leak" not in in_public(post)
    assert LEAK not in in_public(post)

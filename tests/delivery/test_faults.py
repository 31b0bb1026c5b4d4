"""Slack limits, fails, loses answers and hangs: everything arrives once, or is said to have failed."""

import asyncio
import time
from datetime import timedelta

import pytest

from bot.delivery import DeliveryWorker
from bot.errors import Unknown
from bot.store import Store, now
from tests.delivery.conftest import Post, stop
from tests.servers.fixtures import Start
from tests.servers.postgres import Postgres
from tests.slackstub import C_INCIDENTS, U_ANA, Message

pytestmark = pytest.mark.server


async def test_a_limit_is_kept_to(post: Post) -> None:
    """429 with Retry-After: nothing more is posted before that, then it is, once."""
    number = await post.opened()
    post.slack.fault("chat.postMessage", "ratelimited", retry_after=1)
    await post.say(number, "a", "later")
    await post.drain()
    first, second = post.slack.calls("chat.postMessage")
    assert (first.status, second.status) == (429, 200)
    assert second.started - first.started >= 1
    assert post.said() == ["later"]


@pytest.mark.parametrize("fault", ["drop_before", "drop_after", "http_500", "error"])
async def test_a_lost_answer_posts_no_duplicate(post: Post, fault: str) -> None:
    """Whether Slack did it or not, it is looked for first: the line stands there once."""
    number = await post.opened()
    post.slack.fault("chat.postMessage", fault, times=2)
    await post.say(number, "a", "once")
    await post.say(number, "b", "and then")
    await post.drain()
    assert post.said() == ["once", "and then"]


@pytest.mark.parametrize("code", ["rate_limited", "request_timeout", "team_added_to_org", "org_login_required"])  # fmt: skip
async def test_not_just_now_is_no_refusal(post: Post, code: str) -> None:
    """What Slack's description says of these is that they pass: nothing is given up."""
    number = await post.opened()
    post.slack.fault("chat.postMessage", "error", error=code, times=2)
    await post.say(number, "a", "once")
    await post.say(number, "b", "and then")
    await post.drain()
    assert post.said() == ["once", "and then"]


@pytest.mark.parametrize("fault", ["drop_before", "drop_after", "http_500"])
async def test_a_lost_answer_makes_no_second_channel(post: Post, fault: str) -> None:
    post.slack.fault("conversations.create", fault)
    await post.declare()
    await post.drain()
    assert post.channel() == "inc-1-search-is-slow"
    assert len(post.slack.messages(post.channel(), contains="SEV2 ·")) == 1


@pytest.mark.parametrize("fault", ["drop_before", "drop_after"])
async def test_a_channel_of_years_is_not_read_through(post: Post, fault: str) -> None:
    """Where everybody reads stand thousands of messages: only those since are looked at.

    In a minute Slack gives eight thousand, and a search that is not over by then begins anew.
    """
    long_ago = now() - timedelta(days=30)
    for number in range(2000):
        ts = f"{(long_ago + timedelta(seconds=number)).timestamp():.6f}"
        channel = post.slack.ws.any_channel(C_INCIDENTS)
        channel.messages[ts] = Message(ts, C_INCIDENTS, U_ANA, f"old {number}")
    post.slack.fault("chat.postMessage", fault, times=2)  # the card, and its line in the digest
    await post.declare()
    await post.drain()
    assert len(post.slack.messages(C_INCIDENTS, contains="Search is slow")) == 1
    assert len(post.slack.calls("conversations.history")) == 2


@pytest.mark.parametrize("fault", ["drop_before", "drop_after"])
async def test_a_workspace_of_thousands_is_not_read_through(post: Post, fault: str) -> None:
    """Our channel is looked for among those that our bot is in."""
    for number in range(2000):
        post.slack.add_channel(f"team-{number}")
    post.slack.fault("conversations.create", fault)
    await post.declare()
    await post.drain()
    assert post.channel() == "inc-1-search-is-slow"
    listings = [c for c in post.slack.calls() if c.method in ("users.conversations", "conversations.list")]  # fmt: skip
    assert len(listings) == 1


async def test_looking_for_it_may_fail_too(post: Post) -> None:
    """The answer is lost, then the history cannot be read: still once."""
    number = await post.opened()
    post.slack.fault("chat.postMessage", "drop_after")
    post.slack.fault("conversations.history", "http_500", times=2)
    await post.say(number, "a", "once")
    await post.drain()
    assert post.said() == ["once"]


async def test_a_refused_message_blocks_nobody(post: Post) -> None:
    """Slack says no for good: that one has failed, with the reason; all others arrive."""
    first, second = await post.opened("One"), await post.opened("Two")
    post.slack.fault("chat.postMessage", "error", error="msg_too_long")
    await post.say(first, "poison", "poison")
    await post.say(first, "after", "after")
    await post.drain()
    await post.say(second, "other", "other")
    await post.drain()
    assert (post.said(first), post.said(second)) == (["after"], ["other"])
    (failed,) = [row for row in await post.rows("say") if row.state == "failed"]
    assert "msg_too_long" in failed.error


async def test_a_message_that_breaks_us_blocks_nobody(post: Post) -> None:
    """Our own fault with one message: it is given up after some tries, and the lane goes on."""
    first, second = await post.opened("One"), await post.opened("Two")
    async with post.store.write() as session:
        await post.outbox.say(session, first, "poison", "run", {"run_id": "not a number"})
    await post.say(first, "after", "after")
    await post.say(second, "other", "other")
    await post.drain()
    assert (post.said(first), post.said(second)) == (["after"], ["other"])
    (failed,) = [row for row in await post.rows("say") if row.state == "failed"]
    assert "ValueError" in failed.error
    assert failed.attempts == 3


async def test_one_channels_trouble_is_its_own(post: Post) -> None:
    """While one channel waits for its limit, another one's lines go out."""
    first, second = await post.opened("One"), await post.opened("Two")
    post.slack.fault("chat.postMessage", "ratelimited", retry_after=60)
    await post.say(first, "a", "waits")
    worker = asyncio.create_task(post.worker().run())
    while not post.slack.calls("chat.postMessage"):
        await asyncio.sleep(0.01)
    await post.say(second, "b", "goes")
    async with asyncio.timeout(30):
        while not post.said(second):
            await asyncio.sleep(0.01)
    assert post.said(first) == []
    await stop(worker)


async def test_slack_is_away_and_comes_back(post: Post) -> None:
    """Nothing is lost, nothing is doubled, the order stays."""
    number = await post.opened()
    post.slack.configure(down=True)
    for n in range(5):
        await post.say(number, f"{n}", f"line {n}")
    task = asyncio.create_task(post.worker().run())
    await asyncio.sleep(0.5)
    post.slack.configure(down=False)
    while await post.open_rows():
        await asyncio.sleep(0.02)
    await stop(task)
    assert post.said() == [f"line {n}" for n in range(5)]


async def test_a_call_that_hangs_is_given_up_within_the_lease(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Past the lease another worker may begin: until then the first one has let go."""
    monkeypatch.setattr("bot.delivery.worker.LEASE", timedelta(seconds=2))
    number = await post.opened()
    post.slack.fault("chat.postMessage", "hang")
    await post.say(number, "a", "once")
    began = time.monotonic()
    await post.drain(post.worker("one"), post.worker("two"))
    assert time.monotonic() - began < 15
    assert post.said() == ["once"]
    assert len(post.slack.calls("chat.postMessage")) == 2


async def test_two_workers_never_send_twice(post: Post) -> None:
    """Three processes on one database, with faults in between: each line once, in order."""
    numbers = [await post.opened(f"Incident {n}") for n in range(4)]
    post.slack.fault("chat.postMessage", "drop_after", times=2, skip=5)
    lines = [f"line {n}" for n in range(12)]
    for number in numbers:
        for line in lines:
            await post.say(number, line, line)
    await post.drain(*(post.worker(f"w{n}") for n in range(3)))
    assert [post.said(number) for number in numbers] == [lines] * 4


async def test_what_a_dead_worker_began_is_looked_for(post: Post) -> None:
    """Killed after Slack did it and before that was stored: the next one finds it."""
    number = await post.opened()
    await post.say(number, "a", "once")
    dead = post.worker("dead")
    ((job, resumed),) = await dead.claim()
    assert not resumed
    await dead.surface.deliver(job)  # and then the process is gone
    assert await post.worker("quick").claim() == []  # its lease still holds
    await post.expire()
    await post.drain(post.worker("next"))
    assert post.said() == ["once"]
    assert len(post.calls("chat.postMessage")) == 1


async def test_a_replica_whose_clock_is_fast_takes_nothing_over(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Leases end by the database's clock: what another one is just sending is not sent twice."""
    if post.store.is_sqlite:
        pytest.skip("one machine has one clock")
    number = await post.opened()
    await post.say(number, "a", "once")
    ((job, _),) = await post.worker("right").claim()
    ahead, behind = post.worker("ahead"), post.worker("behind")
    monkeypatch.setattr("bot.delivery.worker.now", lambda: now() + timedelta(minutes=5))
    assert await ahead.claim() == []
    await post.expire()
    assert [job.id for job, _ in await ahead.claim()] == [job.id]
    monkeypatch.setattr("bot.delivery.worker.now", lambda: now() - timedelta(minutes=5))
    await post.expire()
    ((job, _),) = await behind.claim()
    await behind._later(job, Unknown("no answer"), state="sending", seconds=30)
    monkeypatch.undo()
    assert await post.worker("right").claim() == []


async def test_a_worker_that_was_overtaken_writes_nothing(post: Post) -> None:
    """It comes back long after its lease: the outcome that the other one stored stands."""
    number = await post.opened()
    await post.say(number, "a", "once")
    slow: DeliveryWorker = post.worker("slow")
    ((job, _),) = await slow.claim()
    await post.expire()
    await post.drain(post.worker("next"))
    (row,) = [r for r in await post.rows("say") if r.id == job.id]
    await slow._settle(job, "failed", {}, "late")
    (still,) = [r for r in await post.rows("say") if r.id == job.id]
    assert (still.state, still.owner, still.error) == ("sent", row.owner, "")


async def test_the_worker_outlives_the_database(
    post: Post, postgres_factory: Start[Postgres]
) -> None:
    """The database goes down under a running worker and comes back: what waited is sent."""
    if post.store.is_sqlite:
        pytest.skip("a file does not go down")
    server = postgres_factory()
    post.store = Store(server.create_database())
    await post.store.migrate()
    number = await post.opened()
    task = asyncio.create_task(post.worker().run())
    await asyncio.sleep(0.1)
    server.crash()
    await asyncio.sleep(1.2)
    assert not task.done()
    server.start()
    await post.say(number, "a", "after all")
    while not post.said():
        await asyncio.sleep(0.05)
    await stop(task)
    await post.store.close()

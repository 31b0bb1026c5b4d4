"""The weekly digest over each database and the stub of Slack: once, late once, or skipped and noted."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlmodel import col, select

from bot.catalog import Catalog
from bot.chat.fit import words
from bot.delivery import Delivery, Message
from bot.incidents import Incident
from bot.postmortems.learning import posting
from bot.postmortems.learning.posting import WeeklyDigests, posted
from bot.postmortems.learning.tables import DigestPost
from bot.postmortems.learning.weeks import last_due
from bot.store import Store, now
from tests.delivery.conftest import Post, post
from tests.slackstub import C_INCIDENTS

pytestmark = pytest.mark.server  # the stub listens on a port
__all__ = ["post"]
M, H, D = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def known(due: datetime, *channels: str) -> Catalog:
    """Digests that are due each week at that minute."""
    given = [
        {"id": f"d{n}", "channel": channel, "day": f"{due:%a}".lower(), "at": f"{due:%H:%M}"}
        for n, channel in enumerate(channels)
    ]
    return Catalog.model_validate({"digests": given})


def clocks(post: Post, catalog: Catalog, count: int = 1) -> list[WeeklyDigests]:
    return [WeeklyDigests(post.store, post.outbox, lambda: catalog) for _ in range(count)]


async def rows(store: Store) -> list[DigestPost]:
    async with store.read() as session:
        query = select(DigestPost).order_by(col(DigestPost.week), col(DigestPost.digest))
        return list((await session.execute(query)).scalars())


def told(post: Post, channel: str = C_INCIDENTS) -> list[str]:
    return [words(m.blocks) for m in post.slack.messages(channel, contains="Incidents of week")]


async def past(store: Store, title: str, **more: Any) -> None:
    """An incident of the week that is told about now."""
    async with store.write() as session:
        session.add(Incident(
            title=title, severity="sev2", status="closed", origin=title, declared_by="person:ana",
            declared_at=now() - 7 * D, **more,
        ))  # fmt: skip


async def test_any_number_of_replicas_post_once(post: Post) -> None:
    """Without what is private, nobody is mentioned by a title; a channel that is not there holds up
    nothing, and that it refused is said where the week is looked at.
    """
    await past(post.store, "Shop <!channel> & co")
    await past(post.store, "The secret one", private=True)
    catalog = known(now() - M, C_INCIDENTS, "C0NOWHERE")
    for _ in range(2):
        await asyncio.gather(*(each.look() for each in clocks(post, catalog, 6)))
    await post.drain(post.worker(), post.worker("second"))
    (text,) = told(post)
    assert "*1 incident*, the week before 0" in text
    assert "secret" not in text
    assert "<!" not in text
    async with post.store.read() as session:
        week = (await rows(post.store))[0].week
        here, nowhere = await posted(session, catalog, week)
    assert (here.channel, here.state) == (C_INCIDENTS, "sent")
    assert (nowhere.state, "channel_not_found" in nowhere.error) == ("failed", True)
    assert len(post.calls("chat.postMessage")) == 1


async def test_nothing_is_set(post: Post) -> None:
    await clocks(post, Catalog())[0].look()
    assert await rows(post.store) == []


async def test_a_restart_and_the_next_week(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process knows what was posted; a week later there is the next one."""
    catalog = known(now() - M, C_INCIDENTS)
    real = now
    for weeks in (0, 0, 1, 1, 2):
        monkeypatch.setattr(posting, "now", lambda weeks=weeks: real() + weeks * 7 * D)
        await clocks(post, catalog)[0].look()
    found = await rows(post.store)
    assert [each.state for each in found] == ["posted"] * 3
    assert len({each.week for each in found}) == 3
    async with post.store.read() as session:
        made = (await session.execute(select(Message).where(Message.kind == "weekly"))).scalars()
        assert [each.payload["missed"] for each in made] == [[], [], []]


@pytest.mark.parametrize(("late", "state"), [(23 * H, "posted"), (25 * H, "skipped")])
async def test_down_at_the_hour(
    post: Post, monkeypatch: pytest.MonkeyPatch, late: timedelta, state: str
) -> None:
    """Within a day it is posted late; after that the week is skipped, and the next digest says so."""
    catalog = known(now() - M, C_INCIDENTS)
    real = now
    first, *_ = last_due(catalog.digests[0], real())
    for since in (-M, late + 7 * D, late + 7 * D, 14 * D):
        monkeypatch.setattr(posting, "now", lambda since=since: real() + since + M)
        await clocks(post, catalog)[0].look()
    assert [each.state for each in await rows(post.store)] == ["posted", state, "posted"]
    missed = [first.after.name] if state == "skipped" else []
    async with post.store.read() as session:
        made = list((await session.execute(select(Message).order_by(col(Message.id)))).scalars())
        assert made[-1].payload["missed"] == missed
        found = await posted(session, catalog, first.after.name)
    assert [each.state for each in found] == ["skipped" if missed else "waiting"]


async def test_new_in_the_catalog(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was due before anybody wanted it is neither posted nor missed."""
    catalog = known(now() - 3 * D, C_INCIDENTS)
    await clocks(post, catalog)[0].look()
    (row,) = await rows(post.store)
    assert row.state == "new"
    async with post.store.read() as session:
        assert await posted(session, catalog, row.week) == []
    real = now
    monkeypatch.setattr(posting, "now", lambda: real() + 4 * D + M)
    await clocks(post, catalog)[0].look()
    async with post.store.read() as session:
        (made,) = (await session.execute(select(Message).where(Message.kind == "weekly"))).scalars()
    assert made.payload["missed"] == []


async def test_another_day_in_the_catalog(post: Post) -> None:
    """Who moves it to a later day of the same week is not told twice."""
    at = now()
    early, late = known(at - 2 * M, C_INCIDENTS), known(at - M, C_INCIDENTS)
    await clocks(post, early)[0].look()
    await clocks(post, late)[0].look()
    assert [each.state for each in await rows(post.store)] == ["posted"]


async def test_an_answer_that_was_lost(post: Post) -> None:
    """Whoever takes it up finds it in the channel, and posts nothing."""
    await clocks(post, known(now() - M, C_INCIDENTS))[0].look()
    worker = post.worker()
    ((job, resumed),) = await worker.claim()
    assert not resumed
    await worker.surface.deliver(job)
    await post.expire()
    await post.drain(post.worker("second"))
    assert len(told(post)) == 1
    async with post.store.read() as session:
        (row,) = (await session.execute(select(Delivery))).scalars()
        assert row.state == "sent"

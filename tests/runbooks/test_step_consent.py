"""A step's own approval counts at the moment when the step begins, not when it was given."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import update

from bot.runbooks import Approval
from bot.store import now
from tests.runbooks.conftest import MakeRoom
from tests.runbooks.room import Room, done, expire, look, paths, put, runbook
from tests.runbooks.test_waits import click
from tests.servers.http_app import HttpApp

pytestmark = pytest.mark.server
FRONT = "approvals: {ttl: 10m}"


async def aged(room: Room, minutes: float) -> None:
    """As if all approvals had been given so long ago."""
    async with room.store.write() as session:
        await session.execute(update(Approval).values(at=now() - timedelta(minutes=minutes)))


def demote(room: Room, person: str) -> None:
    file = room.library.folder / "catalog" / "all.yaml"
    catalog = json.loads(file.read_text())
    next(p for p in catalog["people"] if p["id"] == person)["roles"] = ["responder"]
    file.write_text(json.dumps(catalog))
    room.library.reload()


async def paused_with_a_yes(room: Room) -> int:
    """Held for its approval, paused, and then Ben says yes."""
    number = (await done(room)).number
    await room.ask("pause", number)
    await room.work()
    assert (await room.run(number)).state == "paused"
    await click(room, "approve_step", number, "s1", room.person("ben"), "test")
    await room.work()
    return number


@pytest.mark.parametrize("change", ["none", "expired", "demoted"])
async def test_a_paused_step_begins_with_a_yes_that_still_counts(
    make_room: MakeRoom, shop: HttpApp, change: str
) -> None:
    """An hour later, or without the role, the yes is asked for again; the same person may give it."""
    step = put("a", more="approval: {count: 1}")
    room = make_room(runbook(step, front=FRONT), http__shop=shop.url)
    number = await paused_with_a_yes(room)
    if change == "expired":
        await aged(room, 60)
    if change == "demoted":
        demote(room, "ben")
    await room.ask("resume", number)
    await room.work()
    state = "succeeded" if change == "none" else "held"
    assert ((await room.run(number)).state, len(paths(shop, "PUT"))) == (state, change == "none")
    if change == "none":
        return
    assert (await room.rows())[-1].text.startswith("s1 waits for 1 approval of approver: what")
    who = "ben" if change == "expired" else "cleo"
    await click(room, "approve_step", number, "s1", room.person(who), "test")
    await room.work()
    assert ((await room.run(number)).state, paths(shop, "PUT")) == ("succeeded", ["/a"])


async def test_the_first_of_two_has_expired_when_the_second_comes(
    make_room: MakeRoom, shop: HttpApp
) -> None:
    """Two people agree at one time, or they have not agreed."""
    step = put("a", more="approval: {count: 2}")
    room = make_room(runbook(step, front=FRONT), http__shop=shop.url)
    number = (await done(room)).number
    await click(room, "approve_step", number, "s1", room.person("ben"), "test")
    await aged(room, 11)
    await click(room, "approve_step", number, "s1", room.person("cleo"), "test")
    await room.work()
    assert (await room.run(number)).state == "held"
    await click(room, "approve_step", number, "s1", room.person("ben"), "test")
    await room.work()
    assert ((await room.run(number)).state, paths(shop, "PUT")) == ("succeeded", ["/a"])


async def test_a_step_that_has_begun_is_not_asked_about_again(
    make_room: MakeRoom, shop: HttpApp
) -> None:
    """Another process takes it over in the middle, and the yes is an hour old by then."""
    each = 'action: http.check\nwith: {target: shop, path: "/{{ item }}"}'
    step = f"{each}\nforeach: {{items: [a, b]}}\napproval: {{count: 1}}"
    room = make_room(runbook(step, look("c"), front=FRONT), http__shop=shop.url)
    number = (await done(room)).number
    await click(room, "approve_step", number, "s1", room.person("ben"), "test")
    journal = room.engine.journal
    ((_, epoch),) = await journal.claim()
    first = await journal.intend(
        number, epoch, "s1[a]", "do", action="http.check", target="http/shop", access_path="direct"
    )
    await journal.settle(first, epoch, "done", output={"ok": True})
    await aged(room, 60)
    await expire(room)
    async with room.store.write() as session:
        (await room.runs.get(session, number)).state = "running"
    await room.work(engine=room.another("second"))
    assert ((await room.run(number)).state, paths(shop)) == ("succeeded", ["/b", "/c"])

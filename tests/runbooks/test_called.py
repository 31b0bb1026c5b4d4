"""A runbook that calls another: what one asks of the caller reaches the called one."""

import asyncio

import pytest
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import select

from bot.runbooks.tables import TargetLock
from tests.runbooks.conftest import MakeRoom
from tests.runbooks.room import Room, look, paths, put, runbook, running, until
from tests.servers.http_app import Answer, HttpApp

pytestmark = pytest.mark.server
FREE = "approvals: {count: 0}"
FAILS = look("x", 'verify: [{expect: "false"}]')


def calling(make_room: MakeRoom, shop: HttpApp, text: str, **called: str) -> Room:
    """A room whose ``fix`` is ``text``; the called runbooks need no approval."""
    room = make_room(runbook(look("a")), http__shop=shop.url)
    for name, steps in called.items():
        (room.library.folder / f"{name}.md").write_text(steps)
    (room.library.folder / "fix.md").write_text(text)
    room.library.reload()
    assert room.library.problems == {}
    return room


def puts(shop: HttpApp) -> list[tuple[str, object]]:
    return [(r.path, r.json()) for r in shop.received if r.method == "PUT"]


async def locked(session: AsyncSession) -> list[str]:
    return sorted(lock.target for lock in (await session.execute(select(TargetLock))).scalars())


async def test_what_a_called_run_did_before_it_failed_is_taken_back(
    make_room: MakeRoom, shop: HttpApp
) -> None:
    """The caller's undo reaches a called run that ended half-way."""
    shop.answers["/low"] = Answer(body='"was"')
    low = runbook(put("low", '"new"'), FAILS, name="low", front=FREE)
    room = calling(make_room, shop, runbook("runbook: low\non_failure: undo"), low=low)
    number = await room.approved()
    async with running(room.engine):
        run = await until(room, number, "failed")
    assert puts(shop) == [("/low", "new"), ("/low", "was")]
    assert run.error == "s1: Fix the shop: failed false: is false"


async def test_a_called_run_that_never_began_has_nothing_to_take_back(
    make_room: MakeRoom, shop: HttpApp
) -> None:
    """A person refused it: it stays refused."""
    low = runbook(put("low"), name="low")
    room = calling(make_room, shop, runbook("runbook: low\non_failure: undo"), low=low)
    number = await room.approved()
    async with running(room.engine):
        await until(room, number + 1, "waiting")
        await room.ask("refuse", number + 1, "ben", "not now")
        await until(room, number, "failed")
    assert ((await room.run(number + 1)).state, puts(shop)) == ("refused", [])


async def test_a_called_runs_undo_is_aborted(make_room: MakeRoom, shop: HttpApp) -> None:
    """It waits for a target that another run has; the caller does not wait for it for ever."""
    shop.answers["/low"] = Answer(body='"was"')
    low = runbook(put("low", '"new"'), name="low", front=FREE)
    room = calling(make_room, shop, runbook("runbook: low"), low=low)
    number = await room.approved()
    async with running(room.engine):
        await until(room, number, "succeeded")
        async with room.store.write() as session:
            session.add(TargetLock(target="http/shop", run_id=999))
        await room.ask("undo", number)
        await until(room, number + 1, "approved")
        await room.ask("abort", number + 1)
        run = await until(room, number, "failed")
    assert run.error.endswith("s1: not taken back: the undo was aborted before it began")


async def test_runbooks_that_call_in_turn_act_on_one_target(
    make_room: MakeRoom, shop: HttpApp
) -> None:
    """The target is locked by the first, and is at the last one's disposal too."""
    low = runbook(put("low"), name="low", front=FREE)
    mid = runbook("runbook: low", name="mid", front=FREE)
    room = calling(make_room, shop, runbook(put("own"), "runbook: mid"), low=low, mid=mid)
    number = await room.approved()
    async with running(room.engine):
        await until(room, number, "succeeded")
    assert paths(shop, "PUT") == ["/own", "/low"]


async def test_a_pause_reaches_what_was_called(make_room: MakeRoom, shop: HttpApp) -> None:
    """No step of either begins; resuming the caller resumes both."""
    shop.answers["/l1"] = Answer(latency=0.5)
    low = runbook(look("l1"), look("l2"), name="low", front=FREE)
    room = calling(make_room, shop, runbook("runbook: low"), low=low)
    number = await room.approved()
    async with running(room.engine):
        await asyncio.to_thread(shop.wait_for, "/l1", 1)
        await room.ask("pause", number)
        for each in (number, number + 1):
            await until(room, each, "paused")
        assert paths(shop) == ["/l1"]
        await room.ask("resume", number)
        await until(room, number, "succeeded")
    assert paths(shop) == ["/l1", "/l2"]


async def test_the_targets_stay_locked_until_what_was_called_has_stopped(
    make_room: MakeRoom, shop: HttpApp
) -> None:
    """Aborted with a step of the called run in flight: no other run acts on its target meanwhile."""
    shop.answers["/low"] = Answer(body='"was"', latency=1)
    low = runbook(put("low"), name="low", front=FREE)
    room = calling(make_room, shop, runbook(put("own"), "runbook: low"), low=low)
    number = await room.approved()
    async with running(room.engine):
        await asyncio.to_thread(shop.wait_for, "/low", 3)  # read for the plan, before, and put
        assert (await room.run(number + 1)).state == "running"
        await room.ask("abort", number)
        async with room.store.read() as session:
            assert await locked(session) == ["http/shop"]
        await until(room, number, "aborted")
    assert (await room.run(number + 1)).state == "aborted"
    async with room.store.read() as session:
        assert await locked(session) == []


async def test_a_caller_that_failed_waits_for_what_it_called(
    make_room: MakeRoom, shop: HttpApp
) -> None:
    """A called run is a step in flight: the targets are the caller's until it has stopped."""
    shop.answers["/low"] = Answer(body='"was"', latency=1)
    low = runbook(put("low"), look("after"), name="low", front=FREE)
    text = runbook(put("own"), "runbook: low\nneeds: [s1]", "wait: 2s\nneeds: [s1]", FAILS)
    room = calling(make_room, shop, text, low=low)
    number = await room.approved()
    async with running(room.engine):
        await until(room, number, "failed")
        assert (await room.run(number + 1)).state == "succeeded"


MANUAL = "manual: {checklist: [Call the bank]}"
LATER = ("wait: 2s\nneeds: []", f"{FAILS}\nneeds: [s2]")


async def ended_by(room: Room) -> list[tuple[str, str]]:
    """Who ended runs before their time, and what the timeline says."""
    return [(row.actor, row.text) for row in await room.rows() if row.kind == "run_aborted"]


@pytest.mark.parametrize(
    ("state", "low"),
    [
        ("waiting", runbook(put("low"), name="low")),
        ("held", runbook(put("low"), MANUAL, name="low", front=FREE)),
    ],
    ids=["for an approval", "for a person"],
)
async def test_a_called_run_that_waits_ends_with_a_caller_that_fails(
    make_room: MakeRoom, shop: HttpApp, state: str, low: str
) -> None:
    """Nobody can approve or confirm it afterwards, its targets are free, and the timeline says so."""
    room = calling(make_room, shop, runbook("runbook: low", *LATER), low=low)
    number = await room.approved()
    async with running(room.engine):
        await until(room, number + 1, state)
        await until(room, number, "failed")
    assert (await room.run(number + 1)).state == "aborted"
    said = "Aborted, as the run that called it has ended (Fix the shop): Fix the shop"
    assert await ended_by(room) == [("jackline", said)]
    async with room.store.read() as session:
        assert await locked(session) == []


async def test_a_called_run_that_waits_is_taken_back_with_its_caller(
    make_room: MakeRoom, shop: HttpApp
) -> None:
    """The undo does not wait for the person of whom nothing is wanted any more."""
    shop.answers["/low"] = Answer(body='"was"')
    low = runbook(put("low", '"new"'), MANUAL, name="low", front=FREE)
    text = runbook("runbook: low", LATER[0], f"{LATER[1]}\non_failure: undo")
    room = calling(make_room, shop, text, low=low)
    number = await room.approved()
    async with running(room.engine):
        run = await until(room, number, "failed")
    assert (run.error, puts(shop)) == ("s3: false: is false", [("/low", "new"), ("/low", "was")])


async def test_a_called_run_that_waits_ends_with_a_caller_out_of_time(
    make_room: MakeRoom, shop: HttpApp
) -> None:
    """The caller's own step takes too long; the called run's run inside that ends as well."""
    shop.answers["/slow"] = Answer(latency=3)
    low = runbook(MANUAL, name="low", front=FREE)
    mid = runbook("runbook: low", name="mid", front=FREE)
    text = runbook("runbook: mid", look("slow", "needs: []"), look("x"), front="timeout: 1s")
    room = calling(make_room, shop, text, low=low, mid=mid)
    number = await room.approved()
    async with running(room.engine):
        await until(room, number + 2, "held")
        run = await until(room, number, "failed")
    assert run.error.startswith("took longer than its timeout")
    assert [(await room.run(number + n)).state for n in (1, 2)] == ["aborted", "aborted"]

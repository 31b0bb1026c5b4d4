"""What people ask of a run at an awkward moment: it is never lost, and nothing stays locked."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from sqlmodel import select

from bot.errors import BadInput
from bot.runbooks.tables import TargetLock
from tests.killing import at_commits
from tests.runbooks.conftest import MakeRoom
from tests.runbooks.room import CALL, Room, done, expire, look, paths, put, runbook
from tests.runbooks.test_crash import Died
from tests.runbooks.test_waits import MANUAL
from tests.servers.http_app import Answer, HttpApp

pytestmark = pytest.mark.server


@pytest.mark.parametrize(("verb", "state"), [("abort", "aborted"), ("pause", "paused")])
async def test_a_click_just_before_the_run_is_held(
    make_room: MakeRoom, shop: HttpApp, verb: str, state: str
) -> None:
    """Quicker than the engine lets go of the run: it is obeyed all the same."""
    room = make_room(runbook(look("a"), MANUAL, look("b")), http__shop=shop.url)
    hold = room.engine.journal.hold

    async def clicked_first(run_id: int, *more: Any) -> None:
        room.engine.journal.hold = hold  # type: ignore[method-assign]
        await room.ask(verb, run_id)
        await hold(run_id, *more)

    room.engine.journal.hold = clicked_first  # type: ignore[method-assign, assignment]
    run = await done(room)
    assert (run.state, paths(shop)) == (state, ["/a"])


async def test_an_abort_just_before_the_run_is_paused(make_room: MakeRoom, shop: HttpApp) -> None:
    """Both were asked for: the end wins."""
    room = make_room(runbook(look("a"), MANUAL), http__shop=shop.url)
    run = await done(room)
    hold = room.engine.journal.hold

    async def aborted_first(run_id: int, epoch: int, state: str, *more: Any) -> None:
        if state == "paused":
            await room.ask("abort", run_id)
        await hold(run_id, epoch, state, *more)

    room.engine.journal.hold = aborted_first  # type: ignore[method-assign, assignment]
    await room.ask("pause", run.number)
    await room.work()
    assert (await room.run(run.number)).state == "aborted"


@pytest.mark.parametrize("how", ["it grew", "it cannot be made"])
async def test_an_abort_while_the_plan_is_made_again(
    make_room: MakeRoom, shop: HttpApp, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """What a person has ended is not brought back by what the new plan says."""
    shop.answers["/mode"] = Answer(body='"safe"')
    room = make_room(runbook(put("mode", '"safe"')), http__shop=shop.url)
    number = await room.approved()
    plan = room.engine.planner.plan
    shop.answers["/mode"] = Answer(body='"fast"')

    async def aborted_meanwhile(*given: Any) -> dict[str, Any]:
        found = await plan(*given)
        await room.ask("abort", number)
        if how == "it grew":
            return found
        raise BadInput("There is no plan.")

    monkeypatch.setattr(room.engine.planner, "plan", aborted_meanwhile)
    await room.work()
    assert ((await room.run(number)).state, paths(shop, "PUT")) == ("aborted", [])


def _dies_once_sent(shop: HttpApp) -> Callable[[int], None]:
    def before(_: int) -> None:
        if shop.count("/restart") or paths(shop, "PUT"):
            raise Died

    return before


async def cut_off(room: Room, shop: HttpApp) -> int:
    """A run whose process died after it had sent, and before it wrote down what came of it."""
    number = await room.approved()
    with at_commits(_dies_once_sent(shop), lambda _: None), suppress(Died):
        await room.work()
    await expire(room)
    return number


async def locked(room: Room) -> bool:
    async with room.store.read() as session:
        return (await session.execute(select(TargetLock).limit(1))).first() is not None


CONFIRMED = CALL.replace("/restart,", "/restart, confirm: {path: /state, contains: moved},")
READ = put("a", more='verify: [{expect: "true"}]')


@pytest.mark.parametrize("first", ["abort", "pause"])
@pytest.mark.parametrize(
    ("step", "attempt", "state"),
    [(CALL, "unknown", "unknown"), (CONFIRMED, "done", "aborted"), (READ, "done", "aborted")],
)
async def test_an_abort_after_a_crash(
    make_room: MakeRoom, shop: HttpApp, first: str, step: str, attempt: str, state: str
) -> None:
    """Nothing is sent any more; what was in flight gets its outcome, or a person is asked."""
    shop.answers["/state"], shop.answers["/a"] = Answer(body="moved"), Answer(body="1")
    if step == READ:
        shop.answers["/a"] = [
            Answer(body="0"),
            Answer(body="0"),
            Answer(body="0"),
            Answer(body="1"),
        ]
    room = make_room(runbook(step, look("b")), http__shop=shop.url)
    number = await cut_off(room, shop)
    await room.ask(first, number)
    await room.work(engine=room.another("second"))
    if first == "pause":
        assert (await room.run(number)).state == "paused"
        await room.ask("abort", number)
        await room.work(engine=room.another("second"))
    assert [a.state for a in await room.attempts(number)] == [attempt]
    assert (await room.run(number)).state == state
    assert await locked(room) is (state == "unknown")
    if state == "unknown":
        await room.ask("settle", number, "cleo", happened=True)
        await room.work()
        assert (await room.run(number)).state == "aborted"
        assert not await locked(room)
    assert shop.count("/b") == 0
    assert len([r for r in shop.received if r.method != "GET"]) == 1


async def test_an_aborted_run_asks_nobody_what_now(make_room: MakeRoom, shop: HttpApp) -> None:
    """The step in flight fails after the abort: the run ends with that, and no question is left."""
    room = make_room(runbook(put("b", more="on_failure: ask")), http__shop=shop.url)
    shop.answers["/b"] = Answer(500, latency=0.5)
    number = await room.approved()
    task = asyncio.create_task(room.work())
    await asyncio.to_thread(shop.wait_for, "/b", 4)
    await room.ask("abort", number)
    await task
    run = await room.run(number)
    assert (run.state, "PUT /b answered 500" in run.error) == ("aborted", True)
    assert await room.attempts(number, "ask") == []

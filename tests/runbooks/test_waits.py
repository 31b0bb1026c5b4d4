"""What holds a run up, and who lets it go on: a person, a pause, a wait, another run, a freeze."""

import asyncio
import json
import threading
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from bot.errors import Conflict, NotAllowed
from bot.runbooks import Decisions, Run
from bot.runbooks.tables import StepAttempt
from bot.store import now
from tests.runbooks.conftest import MakeRoom
from tests.runbooks.room import Room, done, look, paths, put, runbook, running, until
from tests.servers.http_app import Answer, HttpApp

pytestmark = pytest.mark.server


async def click(room: Room, verb: str, number: int, *args: object, **kw: object) -> Run:
    decisions = Decisions(room.runs)
    async with room.store.write() as session:
        done: Run = await getattr(decisions, verb)(session, number, *args, **kw)
    return done


MANUAL = "manual: {checklist: [Call the bank, Write down the ticket], by: approver}"


async def test_a_manual_step_waits_for_its_person(make_room: MakeRoom, shop: HttpApp) -> None:
    """The run is held, claims nothing, and goes on with the click of somebody who may."""
    room = make_room(runbook(look("a"), MANUAL, look("b")), http__shop=shop.url)
    run = await done(room)
    assert (run.state, run.lease_until, paths(shop)) == ("held", None, ["/a"])
    with pytest.raises(NotAllowed, match="approver"):
        await click(room, "confirm", run.number, "s2", room.person("ana"), done=True)
    await click(room, "confirm", run.number, "s2", room.person("ben"), done=True)
    with pytest.raises(Conflict, match="does not wait"):
        await click(room, "confirm", run.number, "s2", room.person("ben"), done=True)
    await room.work()
    assert (await room.run(run.number)).state == "succeeded"
    assert paths(shop) == ["/a", "/b"]
    assert "manual_settled" in await room.kinds()


async def test_an_answer_before_the_run_is_held(make_room: MakeRoom, shop: HttpApp) -> None:
    """Quicker than the engine lets go of the run: it goes on all the same."""
    room = make_room(runbook(look("a"), MANUAL, look("b")), http__shop=shop.url)
    hold = room.engine.journal.hold

    async def answered_first(run_id: int, *more: Any) -> None:
        room.engine.journal.hold = hold  # type: ignore[method-assign]
        await click(room, "confirm", run_id, "s2", room.person("ben"), done=True)
        await hold(run_id, *more)

    room.engine.journal.hold = answered_first  # type: ignore[method-assign, assignment]
    run = await done(room)
    assert (run.state, paths(shop)) == ("succeeded", ["/a", "/b"])


async def test_what_cannot_be_done_by_hand_fails(make_room: MakeRoom, shop: HttpApp) -> None:
    room = make_room(runbook(MANUAL, look("b")), http__shop=shop.url)
    run = await done(room)
    await click(room, "confirm", run.number, "s1", room.person("ben"), done=False)
    await room.work()
    run = await room.run(run.number)
    assert (run.state, run.error) == ("failed", "Ben says that it cannot be done")
    assert paths(shop) == []


async def test_a_step_with_an_approval_of_its_own(make_room: MakeRoom, shop: HttpApp) -> None:
    """Two persons besides the requester; each counts once."""
    step = put("a", more="approval: {count: 2}")
    room = make_room(runbook(step), http__shop=shop.url)
    run = await done(room)
    assert (run.state, paths(shop, "PUT")) == ("held", [])
    with pytest.raises(NotAllowed, match="another person"):
        await click(room, "approve_step", run.number, "s1", room.person("ana"), "test")
    for _ in range(2):
        await click(room, "approve_step", run.number, "s1", room.person("ben"), "test")
        await room.work()
        assert (await room.run(run.number)).state == "held"
    await click(room, "approve_step", run.number, "s1", room.person("cleo"), "test")
    await room.work()
    assert (await room.run(run.number)).state == "succeeded"
    assert paths(shop, "PUT") == ["/a"]


async def test_a_steps_approval_counts_while_its_person_has_the_role(
    make_room: MakeRoom, shop: HttpApp
) -> None:
    """Ben said yes and is no approver any more when Cleo says hers: one is still needed."""
    room = make_room(runbook(put("a", more="approval: {count: 2}")), http__shop=shop.url)
    run = await done(room)
    await click(room, "approve_step", run.number, "s1", room.person("ben"), "test")
    file = room.library.folder / "catalog" / "all.yaml"
    catalog = json.loads(file.read_text())
    next(p for p in catalog["people"] if p["id"] == "ben")["roles"] = ["responder"]
    file.write_text(json.dumps(catalog))
    room.library.reload()
    await click(room, "approve_step", run.number, "s1", room.person("cleo"), "test")
    await room.work()
    assert ((await room.run(run.number)).state, paths(shop, "PUT")) == ("held", [])
    await click(room, "approve_step", run.number, "s1", room.person("dora"), "test")
    await room.work()
    assert (await room.run(run.number)).state == "succeeded"


async def test_a_step_refused(make_room: MakeRoom, shop: HttpApp) -> None:
    room = make_room(runbook(put("a", more="approval: {count: 1}")), http__shop=shop.url)
    run = await done(room)
    await click(room, "refuse_step", run.number, "s1", room.person("ben"))
    await room.work()
    run = await room.run(run.number)
    assert (run.state, run.error, paths(shop, "PUT")) == ("failed", "Ben refused it", [])


async def test_a_refused_step_is_tried_again(make_room: MakeRoom, shop: HttpApp) -> None:
    """Who decides so takes the refusal back: the step asks for its approval anew."""
    step = put("a", more="approval: {count: 1}\non_failure: ask")
    room = make_room(runbook(step), http__shop=shop.url)
    run = await done(room)
    await click(room, "refuse_step", run.number, "s1", room.person("ben"))
    await room.work()
    await click(room, "decide", run.number, "s1", room.person("ben"), "retry")
    await room.work()
    assert ((await room.run(run.number)).state, paths(shop, "PUT")) == ("held", [])
    await click(room, "approve_step", run.number, "s1", room.person("cleo"), "test")
    await room.work()
    assert (await room.run(run.number)).state == "succeeded"


ASKS = look("a", 'verify: [{expect: "out.status == 200"}]\non_failure: ask')


@pytest.mark.parametrize(
    ("decision", "state", "looked"),
    [("retry", "succeeded", ["/a", "/a", "/b"]), ("skip", "succeeded", ["/a", "/b"]),
     ("stop", "failed", ["/a"]), ("undo", "failed", ["/a"])],
)  # fmt: skip
async def test_a_person_decides_about_a_failure(
    make_room: MakeRoom, shop: HttpApp, decision: str, state: str, looked: list[str]
) -> None:
    """Try again, go on without it, stop, or take the run back."""
    shop.answers["/a"] = [Answer(503), Answer(200)]
    room = make_room(runbook(ASKS, look("b")), http__shop=shop.url)
    run = await done(room)
    assert run.state == "held"
    await click(room, "decide", run.number, "s1", room.person("ben"), decision)
    await room.work()
    assert (await room.run(run.number)).state == state
    assert paths(shop) == looked


async def test_a_wait_outlives_its_engine(make_room: MakeRoom, shop: HttpApp) -> None:
    """Nobody holds the run while it waits; whoever is there when it is due goes on."""
    room = make_room(runbook(look("a"), "wait: 3h", look("b")), http__shop=shop.url)
    run = await done(room)
    assert run.state == "held"
    assert run.wake_at is not None
    assert timedelta(hours=2.9) < run.wake_at - now() < timedelta(hours=3)
    await room.work(9, room.another("second"))
    assert paths(shop) == ["/a"]
    async with room.store.write() as session:
        past = now() - timedelta(seconds=1)
        await session.execute(update(Run).values(wake_at=past))
        await session.execute(update(StepAttempt).where(StepAttempt.state == "waiting")
                              .values(due_at=past))  # fmt: skip
    await room.work(9, room.another("third"))
    assert (await room.run(run.number)).state == "succeeded"
    assert paths(shop) == ["/a", "/b"]


async def test_waiting_is_no_run_time(make_room: MakeRoom, shop: HttpApp) -> None:
    """Only what the run itself takes counts against its timeout."""
    shop.answers["/b"] = Answer(latency=3.2)
    text = runbook(MANUAL, look("b"), look("c"), front="timeout: 3s")
    room = make_room(text, http__shop=shop.url)
    run = await done(room)
    hour = timedelta(hours=1)
    async with room.store.write() as session:
        waits = await session.get_one(Run, run.number)
        assert waits.started_at
        assert waits.held_at
        waits.started_at, waits.held_at = waits.started_at - hour, waits.held_at - hour
    await click(room, "confirm", run.number, "s1", room.person("ben"), done=True)
    await room.work()
    run = await room.run(run.number)
    assert run.state == "failed"
    assert run.error.startswith("took longer than its timeout of 3 s")
    assert paths(shop) == ["/b"]  # the step in flight came to its end


async def test_a_notice_is_said_once(make_room: MakeRoom, shop: HttpApp) -> None:
    """In the channel, with the values of the run, in the commit of its row."""
    text = runbook(look("a"), 'notify: "The shop answered {{ steps.s1.status }}"')
    room = make_room(text, http__shop=shop.url)
    run = await done(room)
    assert run.state == "succeeded"
    (row,) = [r for r in await room.rows() if r.kind == "notified"]
    assert row.text == "The shop answered 200"


async def test_pause_and_resume(make_room: MakeRoom, shop: HttpApp) -> None:
    """The step in flight ends, the next does not begin until somebody says so."""
    taken = threading.Event()
    shop.answers["/a"] = Answer(held=taken)
    room = make_room(runbook(look("a"), look("b")), http__shop=shop.url)
    number = await room.approved()
    task = asyncio.create_task(room.work(1))
    await asyncio.to_thread(shop.wait_for, "/a", 1)
    await room.ask("pause", number)
    taken.set()
    await task
    assert ((await room.run(number)).state, paths(shop)) == ("paused", ["/a"])
    await room.work()
    assert paths(shop) == ["/a"]
    await room.ask("resume", number)
    await room.work()
    assert ((await room.run(number)).state, paths(shop)) == ("succeeded", ["/a", "/b"])


async def test_a_held_run_is_paused_and_aborted(make_room: MakeRoom, shop: HttpApp) -> None:
    room = make_room(runbook(MANUAL, look("b")), http__shop=shop.url)
    run = await done(room)
    await room.ask("pause", run.number)
    await room.work()
    assert (await room.run(run.number)).state == "paused"
    await room.ask("resume", run.number)
    await room.work()
    assert (await room.run(run.number)).state == "held"
    await room.ask("abort", run.number)
    assert (await room.run(run.number)).state == "aborted"
    with pytest.raises(Conflict):
        await click(room, "confirm", run.number, "s1", room.person("ben"), done=True)


CALLED = """---
schema: runbook/v1
id: called
title: The called one
inputs: {zone: {type: string, pattern: '[a-z]+', required: true}}
approvals: {count: %d}
---
## Put
```yaml step
id: put
action: http.put
with: {target: shop, path: "/{{ inputs.zone }}", body: "safe"}
undo: auto
```
"""


@pytest.mark.parametrize("count", [0, 1])
async def test_a_runbook_calls_another(make_room: MakeRoom, shop: HttpApp, count: int) -> None:
    """A run of its own, with its own approvals, on the caller's targets; undo reaches it too."""
    shop.answers["/z"] = Answer(body='"was"')
    call = "runbook: called\nwith: {zone: z}"
    room = make_room(runbook(look("a"), look("b")), http__shop=shop.url)
    (room.library.folder / "called.md").write_text(CALLED % count)
    (room.library.folder / "fix.md").write_text(runbook(put("own"), call))
    room.library.reload()
    assert room.library.problems == {}
    number = await room.approved()
    async with running(room.engine, room.another("second")):
        if count:
            child = await until(room, number + 1, "waiting")
            await room.approve(child.number, "ben")
        await until(room, number, "succeeded")
        child = await room.run(number + 1)
        assert (child.state, child.parent_id, child.requester) == ("succeeded", number, "ana")
        await room.ask("undo", number)
        await until(room, number, "aborted")
    assert [r.json() for r in shop.to("/z") if r.method == "PUT"] == ["safe", "was"]


async def test_aborting_a_caller_aborts_what_it_called(make_room: MakeRoom, shop: HttpApp) -> None:
    room = make_room(runbook(look("a")), http__shop=shop.url)
    (room.library.folder / "called.md").write_text(CALLED % 1)
    (room.library.folder / "fix.md").write_text(runbook("runbook: called\nwith: {zone: z}"))
    room.library.reload()
    number = await room.approved()
    await room.work(2)
    assert (await room.run(number)).state == "held"
    await room.ask("abort", number)
    assert [(await room.run(n)).state for n in (number, number + 1)] == ["aborted", "aborted"]


async def test_a_plan_that_grew_voids_the_approval(make_room: MakeRoom, shop: HttpApp) -> None:
    """Between approval and start the target changed, so that the run would do something else."""
    shop.answers["/mode"] = Answer(body='"safe"')
    room = make_room(runbook(put("mode", '"safe"'), put("b")), http__shop=shop.url)
    number = await room.approved()
    shop.answers["/mode"] = Answer(body='"fast"')
    await room.work(1)
    run = await room.run(number)
    assert (run.state, paths(shop, "PUT")) == ("waiting", [])
    assert (await room.rows())[-1].text.startswith("Since the approval the plan has changed (")
    await room.approve(number, "ben")
    await room.work()
    assert (await room.run(number)).state == "succeeded"


async def test_an_edit_does_not_reach_a_run_that_waits(make_room: MakeRoom, shop: HttpApp) -> None:
    """It goes on with its own version, and says so."""
    room = make_room(runbook(put("a")), http__shop=shop.url)
    number = await room.approved()
    (room.library.folder / "fix.md").write_text(runbook(put("b")))
    room.library.reload()
    await room.work()
    run = await room.run(number)
    assert (run.state, paths(shop, "PUT")) == ("succeeded", ["/a"])
    assert run.note == "The runbook's file was edited since; this run keeps its own version"
    assert any("keeps its own version" in row.text for row in await room.rows())

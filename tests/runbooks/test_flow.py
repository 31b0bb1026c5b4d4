"""How steps hang together: side by side, item by item, stage by stage, and what waits."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from bot.errors import BadInput, Conflict, NotAllowed
from bot.runbooks import Decisions, Run
from bot.runbooks.tables import StepAttempt
from bot.store import now
from tests.runbooks.conftest import MakeRoom
from tests.runbooks.room import Room, runbook, running, until
from tests.servers.fixtures import Start
from tests.servers.http_app import Answer, HttpApp

pytestmark = pytest.mark.server
LOOK = "action: http.check\nwith: {target: shop, path: /}"


def look(path: str, more: str = "") -> str:
    return f'action: http.check\nwith: {{target: shop, path: "/{path}"}}\n{more}'


def put(path: str, body: str = "1", more: str = "") -> str:
    return f'action: http.put\nwith: {{target: shop, path: "/{path}", body: {body}}}\n{more}'


@pytest.fixture
def shop(http_server: Start[HttpApp]) -> HttpApp:
    return http_server("shop")


async def done(room: Room, **inputs: object) -> Run:
    number = await room.approved(**inputs)
    await room.work()
    return await room.run(number)


def paths(shop: HttpApp, method: str = "GET") -> list[str]:
    return [r.path for r in shop.received if r.method == method]


async def test_independent_steps_run_side_by_side(make_room: MakeRoom, shop: HttpApp) -> None:
    """Two slow steps that need only the first take the time of one; the last waits for both."""
    for path in ("/a", "/b"):
        shop.answers[path] = Answer(latency=0.8)
    text = runbook(
        look("first"), look("a", "needs: [s1]"), look("b", "needs: [s1]"),
        look("last", "needs: [s2, s3]"),
    )  # fmt: skip
    room = make_room(text, http__shop=shop.url)
    run = await done(room)
    assert run.state == "succeeded"
    rows = {a.step: a for a in await room.attempts(run.number)}
    assert rows["s3"].started_at < rows["s2"].ended_at
    assert rows["s2"].started_at < rows["s3"].ended_at
    assert max(rows["s2"].ended_at, rows["s3"].ended_at) <= rows["s4"].started_at
    assert (paths(shop)[0], paths(shop)[-1]) == ("/first", "/last")


async def test_a_failure_lets_the_other_step_come_to_its_end(
    make_room: MakeRoom, shop: HttpApp
) -> None:
    """Nothing new begins, and what is in flight gets its outcome."""
    shop.answers["/slow"] = Answer(latency=0.8)
    bad = look("bad", 'needs: []\nverify: [{expect: "out.status == 500"}]')
    text = runbook(look("slow", "needs: []"), bad, look("never", "needs: [s1]"))
    room = make_room(text, http__shop=shop.url)
    run = await done(room)
    assert (run.state, run.error) == ("failed", "out.status == 500: is false")
    assert [(a.step, a.state) for a in await room.attempts(run.number)] == [
        ("s1", "done"), ("s2", "failed"),
    ]  # fmt: skip
    assert "/never" not in paths(shop)


FOREACH = 'foreach: {items: "{{ inputs.zones }}"%s}'
ZONES = "inputs: {zones: {type: string, pattern: '[a-z, ]+', required: true}}"


async def test_foreach_is_the_step_for_each_item(make_room: MakeRoom, shop: HttpApp) -> None:
    """Each item has its own row in plan and journal; later steps see them by name."""
    item = put("{{ item }}", more=FOREACH % ", concurrency: 2")
    guard = 'guards: [{expect: "steps.s1.items.b.status == 200"}]'
    room = make_room(runbook(item, look("x", guard), front=WIDE + ZONES), http__shop=shop.url)
    run = await done(room, zones="a, b,c")
    assert (run.state, run.error) == ("succeeded", "")
    assert [row["id"] for row in run.plan["steps"]] == ["s1[a]", "s1[b]", "s1[c]", "s2"]
    assert sorted(paths(shop, "PUT")) == ["/a", "/b", "/c"]


WIDE = "blast_radius: {max_changes: 5}\n"


@pytest.mark.parametrize(
    ("allowed", "state", "sent"),
    [("0", "failed", 2), ("1", "succeeded", 4), ("25%", "succeeded", 4)],
)
async def test_an_error_threshold(
    make_room: MakeRoom, shop: HttpApp, allowed: str, state: str, sent: int
) -> None:
    """One failure more than allowed, and no more items begin."""
    shop.answers["/b"] = Answer(400)
    item = put("{{ item }}", more=FOREACH % f", max_errors: {allowed}")
    room = make_room(runbook(item, front=WIDE + ZONES), http__shop=shop.url)
    run = await done(room, zones="a,b,c,d")
    assert run.state == state
    assert len(paths(shop, "PUT")) == sent


async def test_more_changes_than_allowed_are_refused(make_room: MakeRoom, shop: HttpApp) -> None:
    """The items of a step add up: the numbers are said and nothing is sent."""
    item = put("{{ item }}", more=FOREACH % "")
    front = "blast_radius: {max_changes: 3}\n" + ZONES
    room = make_room(runbook(item, front=front), http__shop=shop.url)
    number = await room.start(zones="a,b,c,d")
    await room.work(1)
    run = await room.run(number)
    assert run.state == "failed"
    assert "step s1 would make 4 changes; blast_radius.max_changes is 3." in run.error
    assert paths(shop, "PUT") == []


@pytest.mark.parametrize("zones", [",", " ", "a,a", "a,--force"])
async def test_items_that_cannot_be(make_room: MakeRoom, shop: HttpApp, zones: str) -> None:
    """None at all, one twice, or an option in place of a name: refused when it is planned."""
    item = put("{{ item }}", more=FOREACH % "")
    front = "inputs: {zones: {type: string, pattern: '[a-z, -]+', required: true}}"
    room = make_room(runbook(item, front=front), http__shop=shop.url)
    number = await room.start(zones=zones)
    await room.work(1)
    run = await room.run(number)
    assert run.state == "failed"
    assert "foreach.items" in run.error


RAMP = put("weight", '"{{ stage }}"', "stages: [1, 10%, 50%, 100%]\non_failure: undo\n")
GATE = "gate: [{action: http.check, with: {target: shop, path: /health}, expect: out.ok, within: 200ms, every: 50ms}]"


def weights(shop: HttpApp) -> list[object]:
    return [r.json() for r in shop.received if r.method == "PUT"]


async def test_stages_go_on_while_the_gate_holds(make_room: MakeRoom, shop: HttpApp) -> None:
    """1, 10 %, 50 %, all of it, with a look between and after."""
    room = make_room(runbook(RAMP + GATE), http__shop=shop.url)
    run = await done(room)
    assert (run.state, weights(shop)) == ("succeeded", [1, 10, 50, 100])
    assert (await room.kinds()).count("gate_passed") == 4


async def test_a_gate_that_fails_takes_back_what_was_done(
    make_room: MakeRoom, shop: HttpApp
) -> None:
    """Stopped at the first stage, and back at what was before."""
    shop.answers["/weight"] = Answer(body="0")
    shop.answers["/health"] = Answer(503)
    room = make_room(runbook(RAMP + GATE), http__shop=shop.url)
    run = await done(room)
    assert run.state == "failed"
    assert "the gate after stage 1 does not hold" in run.error
    assert weights(shop) == [1, 0]


async def test_foreach_in_stages(make_room: MakeRoom, shop: HttpApp) -> None:
    """One item, then up to half of them, then the rest; a bad gate stops in between."""
    item = put("{{ item }}", more=FOREACH % "" + "\nstages: [1, 50%, 100%]\n" + GATE)
    room = make_room(runbook(item, front=WIDE + ZONES), http__shop=shop.url)
    shop.answers["/health"] = [Answer(200), Answer(503)]
    run = await done(room, zones="a,b,c,d")
    assert run.state == "failed"
    assert paths(shop, "PUT") == ["/a", "/b"]


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


async def test_a_step_refused(make_room: MakeRoom, shop: HttpApp) -> None:
    room = make_room(runbook(put("a", more="approval: {count: 1}")), http__shop=shop.url)
    run = await done(room)
    await click(room, "refuse_step", run.number, "s1", room.person("ben"))
    await room.work()
    run = await room.run(run.number)
    assert (run.state, run.error, paths(shop, "PUT")) == ("failed", "Ben refused it", [])


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
    shop.answers["/b"] = Answer(latency=0.5)
    text = runbook(MANUAL, look("b"), look("c"), front="timeout: 300ms")
    room = make_room(text, http__shop=shop.url)
    run = await done(room)
    await asyncio.sleep(0.6)
    await click(room, "confirm", run.number, "s1", room.person("ben"), done=True)
    await room.work()
    run = await room.run(run.number)
    assert run.state == "failed"
    assert run.error.startswith("took longer than its timeout of 0.3 s")
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
    shop.answers["/a"] = Answer(latency=0.5)
    room = make_room(runbook(look("a"), look("b")), http__shop=shop.url)
    number = await room.approved()
    task = asyncio.create_task(room.work(1))
    await asyncio.to_thread(shop.wait_for, "/a", 1)
    await room.ask("pause", number)
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


def freeze(room: Room) -> None:
    today = datetime.now(UTC)
    catalog = json.loads((room.library.folder / "catalog" / "all.yaml").read_text())
    catalog["freezes"] = [{
        "name": "Black Friday", "since": (today - timedelta(days=1)).isoformat(),
        "until": (today + timedelta(days=1)).isoformat(),
    }]  # fmt: skip
    (room.library.folder / "catalog" / "all.yaml").write_text(json.dumps(catalog))
    room.library.reload()


async def test_a_change_freeze_holds_until_somebody_says_why(
    make_room: MakeRoom, shop: HttpApp
) -> None:
    """Approved or not, it does not begin; the override needs the role and a reason."""
    room = make_room(runbook(put("a")), http__shop=shop.url)
    freeze(room)
    run = await done(room)
    assert (run.state, paths(shop, "PUT")) == ("waiting", [])
    with pytest.raises(NotAllowed, match="commander"):
        await click(room, "override_freeze", run.number, room.person("ben"), "payments are down")
    with pytest.raises(BadInput, match="Say why"):
        await click(room, "override_freeze", run.number, room.person("ana"), "now")
    await click(room, "override_freeze", run.number, room.person("ana"), "payments are down")
    await room.work()
    assert (await room.run(run.number)).state == "succeeded"
    assert "freeze_overridden" in await room.kinds()


async def test_breaking_the_glass_is_loud_and_reviewed(make_room: MakeRoom, shop: HttpApp) -> None:
    """A commander alone, with a reason; the incident is not closed before another has looked."""
    room = make_room(runbook(put("a")), http__shop=shop.url)
    number = await room.start()
    await room.work(1)
    ana, ben, decisions = room.person("ana"), room.person("ben"), Decisions(room.runs)
    with pytest.raises(NotAllowed):
        await click(room, "break_glass", number, ben, "nobody answers the phone")
    await click(room, "break_glass", number, ana, "nobody answers the phone")
    await room.work()
    assert (await room.run(number)).state == "succeeded"
    (row,) = [r for r in await room.rows() if r.kind == "glass_broken"]
    assert "Ana broke the glass" in row.text
    async with room.store.read() as session:
        with pytest.raises(Conflict, match="nobody has reviewed"):
            await decisions.require_reviewed(session, 1)
    with pytest.raises(NotAllowed, match="other than who broke"):
        await click(room, "review", number, room.person("ana"), "it was right, I think")
    await click(room, "review", number, ben, "it was right, nobody was awake")
    async with room.store.read() as session:
        await decisions.require_reviewed(session, 1)


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


async def test_a_path_that_keeps_failing_is_passed_over(make_room: MakeRoom) -> None:
    """After five failures in a row nobody waits for it any more."""
    room = make_room(runbook(f"{LOOK}\nvia: [dead]"))
    for index in range(6):
        number = await room.approved(origin=f"k{index}")
        await room.work()
        assert (await room.run(number)).state == "failed"
    (last,) = await room.attempts(number)
    assert (last.access_path, last.state) == ("dead", "not_sent")
    assert last.error == "dead to http/shop is passed over: it failed 5 times in a row."


async def test_the_plan_says_how_long_it_took(make_room: MakeRoom, shop: HttpApp) -> None:
    """From the runs before, for each step."""
    shop.answers["/a"] = Answer(latency=0.3)
    room = make_room(runbook(look("a")), http__shop=shop.url)
    first = await done(room)
    assert first.plan["earlier"] == {}
    second = await room.start(origin="again")
    await room.work(1)
    assert 0.2 < (await room.run(second)).plan["earlier"]["s1"] < 2
    assert (await room.run(second)).plan_digest == first.plan_digest


async def test_a_target_known_only_during_the_run_is_locked_all_the_same(
    make_room: MakeRoom, shop: HttpApp
) -> None:
    """The second run waits for the first one's end, says so, and looks again before it acts."""
    late = "{{ 'shop' if steps.s1.ok else 'none' }}"
    change = f'action: http.put\nwith: {{target: "{late}", path: /mode, body: "1"}}'
    room = make_room(
        runbook(look("a"), change, look("b"), front="timeout: 20s"), http__shop=shop.url
    )
    shop.answers["/b"] = Answer(latency=1.5)
    first, second = [await room.start(origin=name) for name in ("first", "second")]
    await room.work(1)
    for number in (first, second):
        await room.approve(number, "ben")
    assert (await room.run(first)).plan["targets"] == []
    async with running(room.engine):
        runs = {n: await until(room, n, "succeeded") for n in (first, second)}
    acted = {n: (await room.attempts(n))[1].started_at for n in runs}
    earlier, later = sorted(runs, key=lambda n: acted[n])
    assert acted[later] >= runs[earlier].ended_at
    waited = [row for row in await room.rows() if "this waits for its end" in row.text]
    assert [row.data["run_id"] for row in waited] == [later]


@pytest.mark.parametrize(
    ("when", "state", "mode", "kind"),
    [
        ("steps.s1.status == 200", "succeeded", ["/mode"], "step_succeeded"),
        ("steps.s1.status == 503", "succeeded", [], "step_skipped"),
        ("steps.s1.latency_of_it == 1", "failed", [], "guard_failed"),
    ],
)
async def test_a_step_is_skipped_when_its_condition_is_false(
    make_room: MakeRoom, shop: HttpApp, when: str, state: str, mode: list[str], kind: str
) -> None:
    """True: done. False: passed over, and the run goes on. Unknown is no reason to pass it over."""
    room = make_room(
        runbook(look("a"), put("mode", more=f'when: "{when}"'), look("b")), http__shop=shop.url
    )
    number = await room.approved()
    assert f"Only if {when}" in (await room.run(number)).plan["steps"][1]["note"]
    await room.work()
    run = await room.run(number)
    assert run.state == state
    assert paths(shop, "PUT") == mode
    assert ("/b" in paths(shop)) is (state == "succeeded")
    assert kind in [row.kind for row in await room.rows() if row.data.get("step") == "s2"]
    if kind == "step_skipped":
        await room.ask("undo", number)
        await room.work()
        assert (await room.run(number)).state == "aborted"
        assert paths(shop, "PUT") == []

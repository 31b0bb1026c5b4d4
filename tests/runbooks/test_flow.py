"""How steps hang together: side by side, item by item, stage by stage, and what waits."""

import asyncio
import threading

import pytest

from tests.runbooks.conftest import MakeRoom
from tests.runbooks.room import done, look, paths, put, runbook, running, until
from tests.servers.http_app import Answer, HttpApp

pytestmark = pytest.mark.server
LOOK = "action: http.check\nwith: {target: shop, path: /}"
WAITS = "this waits for its end"


async def test_independent_steps_run_side_by_side(make_room: MakeRoom, shop: HttpApp) -> None:
    """Two steps that need only the first are both under way at once; the last waits for both."""
    both = threading.Event()
    for path in ("/a", "/b"):
        shop.answers[path] = Answer(held=both)
    text = runbook(
        look("first"), look("a", "needs: [s1]"), look("b", "needs: [s1]"),
        look("last", "needs: [s2, s3]"),
    )  # fmt: skip
    room = make_room(text, http__shop=shop.url)
    running_it = asyncio.create_task(done(room))
    for path in ("/a", "/b"):
        await asyncio.to_thread(shop.wait_for, path)
    both.set()
    run = await running_it
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
    failed = threading.Event()
    shop.answers["/slow"] = Answer(held=failed)
    bad = look("bad", 'needs: []\nverify: [{expect: "out.status == 500"}]')
    text = runbook(look("slow", "needs: []"), bad, look("never", "needs: [s1]"))
    room = make_room(text, http__shop=shop.url)
    number = await room.approved()
    working = asyncio.create_task(room.work())
    async with asyncio.timeout(20):
        while ("s2", "failed") not in [(a.step, a.state) for a in await room.attempts(number)]:
            await asyncio.sleep(0.02)
    failed.set()
    await working
    run = await room.run(number)
    assert (run.state, run.error) == ("failed", "out.status == 500: is false")
    stood = {a.step: a.state for a in await room.attempts(number)}  # whichever began first
    assert stood == {"s1": "done", "s2": "failed"}
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
    (attempt,) = await room.attempts(first.number)
    took = (attempt.ended_at - attempt.started_at).total_seconds()
    assert (await room.run(second)).plan["earlier"]["s1"] == pytest.approx(took, abs=0.1)
    assert took >= 0.3
    assert (await room.run(second)).plan_digest == first.plan_digest
    planned = [row.data for row in await room.rows() if row.kind == "run_planned"]
    assert planned[0]["limits"] == {"s1": 60.0}  # what it is compared with in a postmortem
    assert planned[-1]["earlier"].keys() == {"s1"}


async def test_a_target_known_only_during_the_run_is_locked_all_the_same(
    make_room: MakeRoom, shop: HttpApp
) -> None:
    """The second run waits for the first one's end, says so, and looks again before it acts."""
    late = "{{ 'shop' if steps.s1.ok else 'none' }}"
    change = f'action: http.put\nwith: {{target: "{late}", path: /mode, body: "1"}}'
    room = make_room(
        runbook(look("a"), change, look("b"), front="timeout: 20s"), http__shop=shop.url
    )
    told = threading.Event()
    shop.answers["/b"] = Answer(held=told)
    first, second = [await room.start(origin=name) for name in ("first", "second")]
    await room.work(1)
    for number in (first, second):
        await room.approve(number, "ben")
    assert (await room.run(first)).plan["targets"] == []
    async with running(room.engine):
        async with asyncio.timeout(20):
            while not [row for row in await room.rows() if WAITS in row.text]:
                await asyncio.sleep(0.02)
        told.set()
        runs = {n: await until(room, n, "succeeded") for n in (first, second)}
    acted = {n: (await room.attempts(n))[1].started_at for n in runs}
    earlier, later = sorted(runs, key=lambda n: acted[n])
    assert acted[later] >= runs[earlier].ended_at
    (shown,) = await room.attempts(later, "look")
    assert shown.error == f"http/shop is held by run {earlier}; {WAITS}"
    waited = [row for row in await room.rows() if WAITS in row.text]
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

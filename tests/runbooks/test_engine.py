"""A run against a real target: guards before, verify after, retries, paths, and how it ends."""

import asyncio
import threading
import time

import pytest

from bot.errors import Conflict
from tests.runbooks.conftest import MakeRoom
from tests.runbooks.room import CALL, runbook, running, until
from tests.servers.http_app import Answer, HttpApp

pytestmark = pytest.mark.server
LOOK = "action: http.check\nwith: {target: shop, path: /}"
PUT = "action: http.put\nwith: {target: shop, path: /mode, body: {mode: safe}}"


async def test_a_run_from_start_to_end(make_room: MakeRoom, shop: HttpApp) -> None:
    """Each step's facts reach the next one; every commit is a row of an unbroken record."""
    later = 'guards: [{expect: "steps.s1.ok and steps.s1.status == 200"}]'
    room = make_room(runbook(LOOK, f"{CALL}\n{later}"), http__shop=shop.url)
    number = await room.approved()
    await room.work()
    run = await room.run(number)
    assert (run.state, run.error) == ("succeeded", "")
    assert [a.state for a in await room.attempts(number)] == ["done", "done"]
    assert [r.json() for r in shop.to("/restart")] == [{"why": "test"}]
    kinds = await room.kinds()
    assert kinds[-6:] == [
        "run_started", "step_started", "step_succeeded", "step_started", "step_succeeded",
        "run_succeeded",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("guard", "reason"),
    [
        ("inputs.n > 5", "is false"),
        ("state.nothing.there", "has no attribute 'nothing'"),
        ("inputs.n", "not true or false"),
    ],
)
async def test_a_guard_that_does_not_hold(
    make_room: MakeRoom, shop: HttpApp, guard: str, reason: str
) -> None:
    """False or unknown: nothing is sent, and a person reads why."""
    step = f'{CALL}\nguards: [{{expect: "{guard}", else: "Not now"}}]'
    text = runbook(step, LOOK, front="inputs: {n: {type: integer, default: 1}}")
    text = text.replace("## 2. Step", "## 2. inputs.n")
    room = make_room(text, http__shop=shop.url)
    number = await room.approved()
    await room.work()
    run = await room.run(number)
    assert run.state == "failed"
    assert run.error.startswith("Not now (")
    assert reason in run.error
    assert (shop.count(), await room.attempts(number)) == (0, [])
    assert "guard_failed" in await room.kinds()


@pytest.mark.parametrize(
    ("policy", "state", "looked"),
    [("stop", "failed", 0), ("continue", "succeeded", 1), ("undo", "failed", 0)],
)
async def test_what_follows_a_failed_verify(
    make_room: MakeRoom, shop: HttpApp, policy: str, state: str, looked: int
) -> None:
    """The call took place, its condition does not hold: the step failed; the policy decides."""
    step = CALL.replace("== 200", "== 204") + f"\non_failure: {policy}"
    room = make_room(runbook(step, LOOK), http__shop=shop.url)
    number = await room.approved()
    await room.work()
    run = await room.run(number)
    assert run.state == state
    first = (await room.attempts(number))[0]
    assert (first.state, first.output["status"]) == ("failed", 200)
    assert first.error == "The shop refused (out.status == 204: is false)"
    assert (shop.count("/restart"), shop.count("/")) == (1, looked)


async def test_verify_looks_until_it_holds(make_room: MakeRoom, shop: HttpApp) -> None:
    """A verify with an action is polled: the effect may take its time."""
    verify = (
        "\nverify:\n  - {expect: out.ok, within: 5s, every: 50ms, action: http.check,"
        " with: {target: shop, path: /ready}}"
    )
    shop.answers["/ready"] = Answer(503)
    room = make_room(runbook(PUT + verify), http__shop=shop.url)
    number = await room.approved()
    task = asyncio.create_task(room.work())
    await asyncio.to_thread(shop.wait_for, "/ready", 3)
    assert (await room.run(number)).state == "running"
    shop.answers["/ready"] = Answer(200)
    await task
    assert (await room.run(number)).state == "succeeded"


async def test_verify_gives_up_in_time(make_room: MakeRoom, shop: HttpApp) -> None:
    """After ``within`` the step has failed, also if the answer cannot be read at all."""
    verify = (
        "\nverify:\n  - {expect: out.ok, else: Still down, within: 200ms, every: 50ms,"
        " action: http.check, with: {target: shop, path: /ready}}"
    )
    shop.answers["/ready"] = Answer(drop=True)
    room = make_room(runbook(PUT + verify), http__shop=shop.url)
    number = await room.approved()
    began = time.monotonic()
    await room.work()
    assert time.monotonic() - began < 15  # of the minute that a step may take
    run = await room.run(number)
    assert run.state == "failed"
    assert run.error.startswith("Still down (")


@pytest.mark.parametrize(("status", "sent"), [(400, 3), (503, 3), (401, 3), (200, 1)])
async def test_retry_is_what_the_runbook_says(
    make_room: MakeRoom, shop: HttpApp, status: int, sent: int
) -> None:
    """A refusal is no effect, so trying again is safe; each attempt is in the journal."""
    shop.answers["/restart"] = Answer(status)
    step = CALL + "\nretry: {attempts: 3, backoff: 10ms}"
    room = make_room(runbook(step), http__shop=shop.url)
    number = await room.approved()
    await room.work()
    assert shop.count("/restart") == sent
    assert [a.attempt for a in await room.attempts(number)] == list(range(1, sent + 1))
    assert (await room.run(number)).state == ("succeeded" if sent == 1 else "failed")


async def test_retry_never_doubles_a_call_that_arrived(make_room: MakeRoom, shop: HttpApp) -> None:
    """The target said 200; that the expectation fails is no reason to call it again."""
    step = CALL.replace("== 200", "== 204") + "\nretry: {attempts: 3, backoff: 10ms}"
    room = make_room(runbook(step), http__shop=shop.url)
    number = await room.approved()
    await room.work()
    assert (await room.run(number)).state == "failed"
    assert shop.count("/restart") == 1


async def test_retry_never_doubles_a_call_whose_effect_is_late(
    make_room: MakeRoom, shop: HttpApp
) -> None:
    """The target took it and has not done it yet: that is no reason to call it again either."""
    shop.answers["/state"] = Answer(body="still")
    confirm = "path: /restart, confirm: {path: /state, contains: moved},"
    step = CALL.replace("path: /restart,", confirm) + "\nretry: {attempts: 3, backoff: 10ms}"
    room = make_room(runbook(step), http__shop=shop.url)
    number = await room.approved()
    await room.work()
    run = await room.run(number)
    assert (run.state, shop.count("/restart")) == ("failed", 1)
    assert run.error == (
        "http.call reports that it did not take effect; it may yet come: not sent again."
    )


async def test_not_sent_goes_on_over_the_next_path(make_room: MakeRoom, shop: HttpApp) -> None:
    """A path that leads nowhere is passed over, and the record says so."""
    room = make_room(runbook(f"{CALL}\nvia: [dead, direct]"), http__shop=shop.url)
    number = await room.approved()
    await room.work()
    assert (await room.run(number)).state == "succeeded"
    tried = [(a.access_path, a.state) for a in await room.attempts(number)]
    assert tried == [("dead", "not_sent"), ("direct", "done")]
    assert "access_failed" in await room.kinds()
    assert shop.count("/restart") == 1


async def test_no_path_at_all(make_room: MakeRoom, shop: HttpApp) -> None:
    """The target is named with every path that was tried."""
    room = make_room(runbook(f"{CALL}\nvia: [dead]"), http__shop=shop.url)
    number = await room.approved()
    await room.work()
    run = await room.run(number)
    assert (run.state, run.error) == ("failed", "no access path to http/shop works: dead")


@pytest.mark.parametrize("answer", [Answer(drop=True), Answer(latency=3), Answer(502)])
async def test_a_lost_answer_is_never_sent_again(
    make_room: MakeRoom, shop: HttpApp, answer: Answer
) -> None:
    """Not over the other path, not as a retry: the run stands at unknown and asks a person."""
    shop.answers["/restart"] = answer
    step = f"{CALL}\nvia: [direct, dead]\ntimeout: 300ms\nretry: {{attempts: 3, backoff: 10ms}}"
    room = make_room(runbook(step, LOOK), http__shop=shop.url)
    number = await room.approved()
    await room.work()
    run = await room.run(number)
    assert run.state == "unknown"
    assert run.error
    assert shop.count("/restart") == 1
    assert (await room.kinds())[-2:] == ["step_unknown", "run_unknown"]
    await room.work()
    assert shop.count() == 1


@pytest.mark.parametrize(
    ("happened", "state", "looked"), [(True, "succeeded", 1), (False, "failed", 0)]
)
async def test_a_person_settles_the_unknown(
    make_room: MakeRoom, shop: HttpApp, happened: bool, state: str, looked: int
) -> None:
    """It happened: the run goes on after it. It did not: the run ends. Never a second call."""
    shop.answers["/restart"] = Answer(drop=True)
    room = make_room(runbook(CALL, LOOK), http__shop=shop.url)
    number = await room.approved()
    await room.work()
    await room.ask("settle", number, "cleo", happened=happened)
    await room.work()
    assert (await room.run(number)).state == state
    assert (shop.count("/restart"), shop.count("/")) == (1, looked)


@pytest.mark.parametrize(("second", "state"), [(True, "succeeded"), (False, "failed")])
async def test_each_unknown_outcome_is_settled_by_itself(
    make_room: MakeRoom, shop: HttpApp, second: bool, state: str
) -> None:
    """Two orders were lost at once: what a person says of one says nothing of the other."""
    shop.answers["/a"] = shop.answers["/b"] = Answer(drop=True, latency=0.3)
    step = CALL.replace("/restart", '"/{{ item }}"') + "\nforeach: {items: [a, b], concurrency: 2}"
    room = make_room(runbook(step, front="blast_radius: {max_changes: 2}"), http__shop=shop.url)
    number = await room.approved()
    await room.work()
    both = r"More than one step is not what is asked: s1\[a\], s1\[b\]"
    with pytest.raises(Conflict, match=both):
        await room.ask("settle", number, "cleo", happened=True)
    run = await room.ask("settle", number, "cleo", happened=second, step="s1[b]")
    assert run.state == "unknown"
    with pytest.raises(Conflict, match=r"s1\[b\] is not what is asked"):  # a second click
        await room.ask("settle", number, "cleo", happened=second, step="s1[b]")
    await room.ask("settle", number, "cleo", happened=True, step="s1[a]")
    await room.work()
    assert (await room.run(number)).state == state
    assert {a.step: a.state for a in await room.attempts(number)} == {
        "s1[a]": "done", "s1[b]": "done" if second else "failed",
    }  # fmt: skip


@pytest.mark.parametrize(("effect", "state"), [("moved", "succeeded"), ("still", "failed")])
async def test_confirm_decides_a_lost_answer(
    make_room: MakeRoom, shop: HttpApp, effect: str, state: str
) -> None:
    """Reading shows what became of it, so nobody has to be asked."""
    shop.answers = {"/restart": Answer(drop=True), "/state": Answer(body=effect)}
    step = (
        "action: http.call\nwith: {target: shop, path: /restart, confirm: {path: /state,"
        " contains: moved}}\nverify:\n  - {expect: out.ok, action: http.check,"
        " with: {target: shop, path: /}}"
    )
    room = make_room(runbook(step), http__shop=shop.url)
    number = await room.approved()
    await room.work()
    assert (await room.run(number)).state == state
    assert shop.count("/restart") == 1


@pytest.mark.parametrize("headers", [{}, {"retry-after": "60"}])
async def test_an_abort_does_not_wait_for_the_retries(
    make_room: MakeRoom, shop: HttpApp, headers: dict[str, str]
) -> None:
    """The next try is a minute away when a person says stop: the run ends now, and sends no more."""
    shop.answers["/restart"] = Answer(503, headers=headers)
    room = make_room(
        runbook(CALL + "\nretry: {attempts: 3, backoff: 1m}", LOOK), http__shop=shop.url
    )
    number = await room.approved()
    async with running(room.engine):
        async with asyncio.timeout(10):
            while not shop.count("/restart"):
                await asyncio.sleep(0.02)
        await room.ask("abort", number)
        run = await until(room, number, "aborted", 10)
    assert shop.count("/restart") == 1
    assert "503" in run.error


async def test_an_abort_finishes_the_step_in_flight(make_room: MakeRoom, shop: HttpApp) -> None:
    """What is under way is brought to its end and recorded; nothing new begins."""
    taken = threading.Event()
    shop.answers["/restart"] = Answer(held=taken)
    room = make_room(runbook(CALL, LOOK), http__shop=shop.url)
    number = await room.approved()
    task = asyncio.create_task(room.work())
    await asyncio.to_thread(shop.wait_for, "/restart")
    assert (await room.ask("abort", number)).state == "running"
    taken.set()
    await task
    assert (await room.run(number)).state == "aborted"
    assert [(a.step, a.state) for a in await room.attempts(number)] == [("s1", "done")]
    assert shop.count("/") == 0


async def test_two_runs_never_act_on_one_target(make_room: MakeRoom, shop: HttpApp) -> None:
    """The second one waits, without spinning, until the first has let go."""
    shop.answers["/restart"] = Answer(drop=True)
    room = make_room(runbook(CALL), http__shop=shop.url)
    first, second = await room.approved(origin="a"), await room.approved(origin="b")
    await room.work(1)
    assert (await room.run(first)).state == "unknown"
    async with running(room.another("second")):
        await asyncio.sleep(1)
        waiting = await room.run(second)
        assert (waiting.state, shop.count("/restart")) == ("approved", 1)
        assert waiting.epoch <= 3, "it asks every two seconds, not all the time"
        shop.answers["/restart"] = Answer()
        await room.ask("settle", first, "cleo", happened=False)
        await until(room, second, "succeeded")
    assert shop.count("/restart") == 2


async def test_giving_up_on_an_unknown_run_frees_its_target(
    make_room: MakeRoom, shop: HttpApp
) -> None:
    """Aborted instead of settled, it stands in nobody's way."""
    shop.answers["/restart"] = Answer(drop=True)
    room = make_room(runbook(CALL), http__shop=shop.url)
    first, second = await room.approved(origin="a"), await room.approved(origin="b")
    await room.work(1)
    assert (await room.ask("abort", first)).state == "aborted"
    shop.answers["/restart"] = Answer()
    async with running(room.another("second")):
        await until(room, second, "succeeded")


async def test_a_path_that_failed_in_this_incident_is_tried_last(
    make_room: MakeRoom, shop: HttpApp
) -> None:
    """Once is enough: later steps, and later runs of the incident, do not wait for it again."""
    step = f"{PUT}\nvia: [dead, direct]"
    room = make_room(runbook(step, step), http__shop=shop.url)
    for origin in ("first", "second"):
        number = await room.approved(origin=origin)
        await room.work()
        assert (await room.run(number)).state == "succeeded"
    tried = [(a.run_id, a.step, a.access_path, a.state)
             for n in (1, 2) for a in await room.attempts(n)]  # fmt: skip
    assert tried == [
        (1, "s1", "dead", "not_sent"), (1, "s1", "direct", "done"), (1, "s2", "direct", "done"),
        (2, "s1", "direct", "done"), (2, "s2", "direct", "done"),
    ]  # fmt: skip
    (row,) = [row for row in await room.rows() if row.kind == "access_failed"]
    assert row.text.startswith("s1: no way in over dead: ")

"""Taking back: in reverse order, by the action's own way or the runbook's, and told if not."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest

from bot.contract import Call
from bot.errors import Conflict
from bot.registry import Registry
from bot.store import Store
from tests.runbooks.conftest import MakeRoom
from tests.runbooks.room import CALL, Room, runbook, write_folder
from tests.runbooks.test_fencing import Faulty
from tests.servers.fixtures import Start
from tests.servers.http_app import Answer, HttpApp

pytestmark = pytest.mark.server
FAILS = "action: http.check\nwith: {target: shop, path: /}\nverify: [{expect: not out.ok}]"


def put(path: str) -> str:
    return f"action: http.put\nwith: {{target: shop, path: /{path}, body: {{mode: safe}}}}"


@pytest.fixture
def shop(http_server: Start[HttpApp]) -> HttpApp:
    app = http_server("shop")
    for path in ("a", "b"):
        app.answers[f"/{path}"] = Answer(body=json.dumps({"mode": f"was {path}"}))
    return app


def puts(shop: HttpApp) -> list[tuple[str, str]]:
    return [(r.path, r.json()["mode"]) for r in shop.received if r.method == "PUT"]


async def ended(room: Room) -> int:
    number = await room.approved()
    await room.work()
    return number


DONE = [("/a", "safe"), ("/b", "safe")]
BACK = [("/b", "was b"), ("/a", "was a")]


async def undone(room: Room, number: int) -> tuple[str, str]:
    await room.ask("undo", number, "cleo")
    await room.work()
    run = await room.run(number)
    return run.state, run.error


async def test_on_failure_undo(make_room: MakeRoom, shop: HttpApp) -> None:
    """The steps that were done are put back to what was read before them, last one first."""
    steps = (put("a"), put("b"), FAILS + "\non_failure: undo")
    room = make_room(runbook(*steps), http__shop=shop.url)
    number = await ended(room)
    run = await room.run(number)
    assert (run.state, run.error) == ("failed", "s3: not out.ok: is false")
    assert puts(shop) == DONE + BACK
    assert [(a.step, a.state) for a in await room.attempts(number, "undo")] == [
        ("s2", "done"),
        ("s1", "done"),
    ]
    assert (await room.kinds()).count("step_undone") == 2


async def test_undo_on_request(make_room: MakeRoom, shop: HttpApp) -> None:
    """An ended run is taken back once; asking again does not put it back twice."""
    room = make_room(runbook(put("a"), put("b")), http__shop=shop.url)
    number = await ended(room)
    assert (await room.run(number)).state == "succeeded"
    for _ in range(2):
        await room.ask("undo", number, "cleo")
        await room.work()
        run = await room.run(number)
        assert (run.state, run.error) == ("aborted", "")
    assert puts(shop) == DONE + BACK


async def test_undo_of_a_failed_run_leaves_no_old_error(make_room: MakeRoom, shop: HttpApp) -> None:
    """What failed before is history once everything is back."""
    room = make_room(runbook(put("a"), FAILS), http__shop=shop.url)
    number = await ended(room)
    assert (await room.run(number)).state == "failed"
    await room.ask("undo", number, "cleo")
    await room.work()
    run = await room.run(number)
    assert (run.state, run.error) == ("aborted", "")
    assert puts(shop) == [("/a", "safe"), ("/a", "was a")]


async def test_the_runbooks_own_undo(make_room: MakeRoom, shop: HttpApp) -> None:
    """With the step's own facts in its arguments."""
    undo = 'undo: {action: http.call, with: {target: shop, path: /back, body: "{{ steps.s1.status }}"}}'
    room = make_room(runbook(f"{CALL}\n{undo}"), http__shop=shop.url)
    number = await ended(room)
    await room.ask("undo", number, "cleo")
    await room.work()
    assert (await room.run(number)).state == "aborted"
    assert [r.json() for r in shop.to("/back")] == [200]


async def test_what_cannot_be_taken_back_is_told(make_room: MakeRoom, shop: HttpApp) -> None:
    """The other steps are taken back all the same."""
    room = make_room(
        runbook(put("a"), f"{CALL}\nundo: {{none: a restart stays}}"), http__shop=shop.url
    )
    number = await ended(room)
    await room.ask("undo", number, "cleo")
    await room.work()
    run = await room.run(number)
    assert (run.state, run.error) == ("failed", "not taken back: s2: a restart stays")
    assert puts(shop) == [("/a", "safe"), ("/a", "was a")]


async def test_an_undo_that_fails_does_not_stop_the_others(
    make_room: MakeRoom, shop: HttpApp
) -> None:
    """Each failure is reported by its step; a person may ask again when it is mended."""
    room = make_room(runbook(put("a"), put("b")), http__shop=shop.url)
    number = await ended(room)
    shop.answers["/b"] = Answer(500)
    await room.ask("undo", number, "cleo")
    await room.work()
    run = await room.run(number)
    assert run.state == "failed"
    assert run.error.startswith("not taken back: s2: PUT /b answered 500")
    assert puts(shop) == DONE + BACK
    shop.answers["/b"] = Answer()
    await room.ask("undo", number, "cleo")
    await room.work()
    assert (await room.run(number)).state == "aborted"
    assert puts(shop) == [*DONE, *BACK, ("/b", "was b")]


async def test_an_undo_whose_answer_is_lost_is_read(make_room: MakeRoom, shop: HttpApp) -> None:
    """It took effect, as reading shows: nobody is told that it did not."""
    room = make_room(runbook(put("a"), put("b")), http__shop=shop.url)
    number = await ended(room)
    shop.answers["PUT /b"] = Answer(drop=True)
    shop.answers["PUT /a"] = Answer(drop=True)
    shop.answers["/a"] = Answer(body='{"mode": "safe"}')
    state, error = await undone(room, number)
    assert (state, error.rpartition(":")[0]) == (
        "failed",
        "not taken back: s1: PUT /a did not answer",
    )
    shop.answers["/a"] = Answer(body='{"mode": "was a"}')
    assert await undone(room, number) == ("aborted", "")
    assert puts(shop) == [*DONE, *BACK, ("/a", "was a")]


async def test_an_undo_is_tried_as_often_as_its_step(make_room: MakeRoom, shop: HttpApp) -> None:
    """While the target asks to come back: a step that may be tried again goes back as patiently."""
    more = "retry: {attempts: 3, backoff: 10ms}"
    room = make_room(runbook(put("a"), put("b") + f"\n{more}"), http__shop=shop.url)
    number = await ended(room)
    shop.answers["PUT /b"] = [Answer(503), Answer(503, headers={"Retry-After": "0"}), Answer()]
    shop.answers["PUT /a"] = [Answer(503), Answer()]
    await room.ask("undo", number, "cleo")
    await room.work()
    run = await room.run(number)
    assert (run.state, run.error.partition(" answered")[0]) == (
        "failed",
        "not taken back: s1: PUT /a",
    )
    assert puts(shop) == [*DONE, *[("/b", "was b")] * 3, ("/a", "was a")]


async def test_a_step_that_took_effect_and_failed_is_taken_back(
    make_room: MakeRoom, shop: HttpApp
) -> None:
    """It was answered, and its verify does not hold: that is what on_failure: undo is for."""
    bad = put("b") + '\nretry: {attempts: 2, backoff: 10ms}\nverify: [{expect: "false"}]'
    room = make_room(runbook(put("a"), bad + "\non_failure: undo"), http__shop=shop.url)
    number = await ended(room)
    assert puts(shop) == [*DONE, ("/b", "safe"), *BACK]
    assert (await room.run(number)).error == "s2: false: is false"


async def test_a_step_that_failed_is_not_taken_back(make_room: MakeRoom, shop: HttpApp) -> None:
    """Only what is known to be done is undone."""
    shop.answers["/b"] = Answer(500)
    room = make_room(runbook(put("a"), put("b") + "\non_failure: undo"), http__shop=shop.url)
    number = await ended(room)
    assert puts(shop) == [("/a", "safe"), ("/b", "safe"), ("/a", "was a")]
    assert (await room.run(number)).error.startswith("s2: PUT /b answered 500")


async def test_what_was_skipped_gave_nothing_on_the_way_back_either(
    make_room: MakeRoom, shop: HttpApp
) -> None:
    """Arguments that name a skipped step come out as they did on the way there."""
    back = """action: http.put
with: {target: shop, path: /b, body: {mode: "{{ steps.s1.status | default('safe') }}"}}"""
    look = 'action: http.check\nwith: {target: shop, path: /a}\nwhen: "false"'
    room = make_room(runbook(look, back), http__shop=shop.url)
    number = await ended(room)
    assert await undone(room, number) == ("aborted", "")
    assert puts(shop) == [("/b", "safe"), ("/b", "was b")]


async def test_an_unknown_outcome_is_not_called_taken_back(
    make_room: MakeRoom, shop: HttpApp
) -> None:
    """Somebody gave the run up without saying whether it happened: the undo does not hide that."""
    shop.answers["/restart"] = Answer(drop=True)
    room = make_room(runbook(put("a"), CALL), http__shop=shop.url)
    number = await ended(room)
    assert (await room.ask("abort", number)).state == "aborted"
    said = "not taken back: s2: nobody said whether it happened"
    assert await undone(room, number) == ("failed", said)
    assert puts(shop) == [("/a", "safe"), ("/a", "was a")]


async def test_an_abort_ends_an_undo(make_room: MakeRoom, shop: HttpApp) -> None:
    """The step in flight is taken back, the others stay, and the run says which."""
    room = make_room(runbook(put("a"), put("b")), http__shop=shop.url)
    number = await ended(room)
    await room.ask("undo", number, "cleo")
    with pytest.raises(Conflict, match="cannot be paused"):
        await room.ask("pause", number)
    shop.answers["/b"] = Answer(latency=0.5)
    task = asyncio.create_task(room.work())
    await asyncio.to_thread(shop.wait_for, "/b", len(shop.to("/b")) + 1)
    await room.ask("abort", number)
    await task
    run = await room.run(number)
    left = "not taken back: s1: left as it is, as the undo was aborted"
    assert (run.state, run.error) == ("failed", left)
    assert puts(shop) == [*DONE, BACK[0]]
    assert await undone(room, number) == ("aborted", "")
    assert puts(shop) == [*DONE, *BACK]


async def test_an_undo_is_aborted_before_it_began(make_room: MakeRoom, shop: HttpApp) -> None:
    """It says that nothing is back, and may be asked for again."""
    room = make_room(runbook(put("a")), http__shop=shop.url)
    number = await ended(room)
    await room.ask("undo", number, "cleo")
    run = await room.ask("abort", number)
    assert (run.state, run.undo_requested) == ("failed", False)
    assert run.error == "not taken back: the undo was aborted before it began"
    assert await undone(room, number) == ("aborted", "")


class Bad(Faulty):
    """Its way back has a fault, in ``undo`` itself or where it is sent."""

    name: ClassVar[str] = "faulty.bad"
    reverts: ClassVar[bool] = True

    def undo(self, params: Any, state: Mapping[str, Any]) -> Call | None:
        if self.sent:  # the plan asks as well
            self._break(params, "undo")
        return Call(action=self.name, params={"breaks": "apply"})


@pytest.mark.parametrize("breaks", ["undo", "nothing"])
async def test_a_fault_in_one_undo_does_not_stop_the_others(
    store: Store, registry: Registry, tmp_path: Path, shop: HttpApp, breaks: str
) -> None:
    """A bug of an integration is told by its step, like any failure."""
    Bad.sent.clear()
    step = f'action: faulty.bad\nwith: {{breaks: {breaks}}}\nverify: [{{expect: "true"}}]'
    folder = write_folder(tmp_path / "runbooks", runbook(put("a"), step), http__shop=shop.url)
    room = Room(store, folder, Registry(actions={**registry.actions, Bad.name: Bad()}))
    number = await ended(room)
    assert (await room.run(number)).state == "succeeded"
    failed = "not taken back: s2: faulty.bad broke: KeyError: 'status'"
    assert await undone(room, number) == ("failed", failed)
    assert puts(shop) == [("/a", "safe"), ("/a", "was a")]

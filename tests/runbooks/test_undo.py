"""Taking back: in reverse order, by the action's own way or the runbook's, and told if not."""

import json

import pytest

from tests.runbooks.conftest import MakeRoom
from tests.runbooks.room import CALL, Room, runbook
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


async def test_a_step_that_failed_is_not_taken_back(make_room: MakeRoom, shop: HttpApp) -> None:
    """Only what is known to be done is undone."""
    shop.answers["/b"] = Answer(500)
    room = make_room(runbook(put("a"), put("b") + "\non_failure: undo"), http__shop=shop.url)
    number = await ended(room)
    assert puts(shop) == [("/a", "safe"), ("/b", "safe"), ("/a", "was a")]
    assert (await room.run(number)).error.startswith("s2: PUT /b answered 500")

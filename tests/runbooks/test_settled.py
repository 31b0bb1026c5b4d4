"""What follows when a person has said what became of an unknown outcome."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from bot.runbooks import Run
from tests.runbooks.conftest import MakeRoom
from tests.runbooks.room import CALL, Room, look, paths, put, runbook, running, until
from tests.runbooks.test_called import MANUAL, calling
from tests.servers.http_app import Answer, HttpApp

pytestmark = pytest.mark.server


@pytest.fixture
def shop(shop: HttpApp) -> HttpApp:
    """It takes an order, and never answers it."""
    shop.answers["/restart"] = Answer(drop=True)
    shop.answers["/a"] = Answer(body='"was"')
    return shop


async def unknown(room: Room) -> int:
    number = await room.approved()
    await room.work()
    assert (await room.run(number)).state == "unknown"
    return number


@pytest.mark.parametrize(
    ("policy", "state", "error", "puts", "looked"),
    [
        ("stop", "failed", "Cleo says that it did not happen", 1, 0),
        ("undo", "failed", "s2: Cleo says that it did not happen", 2, 0),
        ("continue", "succeeded", "", 1, 1),
        ("ask", "held", "", 1, 0),
    ],
)
async def test_what_did_not_happen_has_failed(
    make_room: MakeRoom, shop: HttpApp, policy: str, state: str, error: str, puts: int, looked: int
) -> None:
    """The runbook says what follows, as after any failure; the order is not sent again."""
    steps = (put("a", '"new"'), f"{CALL}\non_failure: {policy}", look("b"))
    room = make_room(runbook(*steps), http__shop=shop.url)
    number = await unknown(room)
    await room.ask("settle", number, "cleo", happened=False)
    await room.work()
    run = await room.run(number)
    assert (run.state, run.error) == (state, error)
    assert (len(paths(shop, "PUT")), len(shop.to("/b"))) == (puts, looked)
    assert shop.count("/restart") == 1
    assert (state == "failed") == ("run_failed" in await room.kinds())


async def test_the_time_until_a_person_knows_is_no_run_time(
    make_room: MakeRoom, shop: HttpApp
) -> None:
    """It happened, says somebody an hour later: the run goes on within its ten minutes."""
    room = make_room(runbook(CALL, look("b"), front="timeout: 10m"), http__shop=shop.url)
    number = await unknown(room)
    run = await room.run(number)
    hour = timedelta(hours=1)
    assert run.started_at
    assert run.held_at
    async with room.store.write() as session:
        earlier = {"started_at": run.started_at - hour, "held_at": run.held_at - hour}
        await session.execute(update(Run).values(**earlier))
    await room.ask("settle", number, "cleo", happened=True)
    await room.work()
    run = await room.run(number)
    assert (run.state, run.error, len(shop.to("/b"))) == ("succeeded", "", 1)


async def test_what_the_run_called_ends_when_it_did_not_happen(
    make_room: MakeRoom, shop: HttpApp
) -> None:
    """A called run waited for a person meanwhile."""
    low = runbook(MANUAL, name="low", front="approvals: {count: 0}")
    text = runbook("runbook: low", "wait: 2s\nneeds: []", f"{CALL}\nneeds: [s2]")
    room = calling(make_room, shop, text, low=low)
    number = await room.approved()
    async with running(room.engine):
        await until(room, number, "unknown")
        assert (await room.run(number + 1)).state == "held"
        await room.ask("settle", number, "cleo", happened=False)
        await until(room, number, "failed")
    assert (await room.run(number + 1)).state == "aborted"

"""An incident that is over: nothing is run in it, whoever asks and however."""

import pytest
from sqlalchemy import update

from bot.errors import Conflict
from bot.incidents import Incident
from bot.runbooks import Decisions
from tests.runbooks.conftest import MakeRoom
from tests.runbooks.room import CALL, Room, runbook

OVER = [
    ("closed", None, "#1 is closed: nothing is run in it"),
    ("cancelled", None, "#1 is cancelled: nothing is run in it"),
    ("merged", 7, "#1 is merged into #7"),
]


async def becomes(room: Room, status: str, into: int | None = None) -> None:
    """As if it had been: the ways there are other tests' matter."""
    async with room.store.write() as session:
        await session.execute(update(Incident).values(status=status, merged_into=into))


@pytest.mark.parametrize(("status", "into", "said"), OVER)
async def test_nothing_is_run_in_an_incident_that_is_over(
    make_room: MakeRoom, status: str, into: int | None, said: str
) -> None:
    """Asked for, planned, taken up from a proposal, approved or forced: each is refused, and why."""
    room = make_room(runbook(CALL))
    proposed = await room.start("", origin="proposed")
    asked = await room.start("ana", origin="asked")
    await room.work(2)
    await becomes(room, status, into)
    for requester in ("ana", ""):
        with pytest.raises(Conflict, match=said):
            await room.start(requester, origin=f"late{requester}")
    with pytest.raises(Conflict, match=said):
        await room.ask("request", proposed)
    with pytest.raises(Conflict, match=said):
        await room.approve(asked, "ben")
    ana, decisions = room.person("ana"), Decisions(room.runs)
    for force in (decisions.break_glass, decisions.override_freeze):
        async with room.store.write() as session:
            with pytest.raises(Conflict, match=said):
                await force(session, asked, ana, "nobody else is here")
    await room.work()
    assert [(await room.run(n)).state for n in (proposed, asked)] == ["proposed", "waiting"]


async def test_an_incident_that_ended_before_the_run_began(make_room: MakeRoom) -> None:
    """Approved, and not begun: it waits again and says why; once opened again, it may begin."""
    room = make_room(runbook(CALL))
    number = await room.approved()
    await becomes(room, "closed")
    await room.work()
    assert (await room.run(number)).state == "waiting"
    assert (await room.rows())[-1].text == "#1 is closed: nothing is run in it: Fix the shop"
    await becomes(room, "investigating")
    assert (await room.approve(number, "ben")).state == "approved"


async def test_a_resolved_incident_still_runs_things(make_room: MakeRoom) -> None:
    """Putting back what was done in it comes after the end."""
    room = make_room(runbook(CALL))
    number = await room.start()
    await room.work(1)
    await becomes(room, "resolved")
    assert (await room.approve(number, "ben")).state == "approved"

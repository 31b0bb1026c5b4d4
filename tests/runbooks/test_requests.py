"""Who may start what: a second person, the plan they saw, once; and every click may come twice."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text, update
from sqlmodel import select

from bot.errors import BadInput, Conflict, NotAllowed, NotFound
from bot.runbooks import Approval
from bot.runbooks.tables import TargetLock
from bot.store import now
from tests.runbooks.conftest import MakeRoom
from tests.runbooks.room import CALL, Room, runbook

TWO = "approvals: {count: 2}"


async def waiting(room: Room, **inputs: Any) -> int:
    """A planned run that Ana asked for."""
    number = await room.start("ana", **inputs)
    await room.work(1)
    assert (await room.run(number)).state == "waiting"
    return number


async def approvals(room: Room) -> list[str]:
    async with room.store.read() as session:
        return sorted((await session.execute(select(Approval.person))).scalars())


async def test_the_requester_may_not_approve(make_room: MakeRoom) -> None:
    """Not even with the role, and not as an admin: a second person means another person."""
    room = make_room(runbook(CALL))
    for number, person in enumerate(("ben", "dora")):
        run = await room.start(person, origin=f"key-{number}")
        await room.work(1)
        with pytest.raises(NotAllowed, match="another person"):
            await room.approve(run, person)
        assert (await room.run(run)).state == "waiting"
    assert await approvals(room) == []


@pytest.mark.parametrize(
    ("person", "role", "allowed"),
    [
        ("ben", "approver", True),
        ("dora", "approver", True),
        ("ben", "commander", False),
        ("eli", "responder", False),
        ("dora", "commander", True),
    ],
)
async def test_who_may_approve(make_room: MakeRoom, person: str, role: str, allowed: bool) -> None:
    """The role that the runbook names, or an admin."""
    room = make_room(runbook(CALL, front=f"approvals: {{from: {role}}}"))
    number = await waiting(room)
    if allowed:
        assert (await room.approve(number, person)).state == "approved"
    else:
        with pytest.raises(NotAllowed, match=f"needs the role '{role}'"):
            await room.approve(number, person)
        assert (await room.run(number)).state == "waiting"


async def test_two_approvals_are_two_people(make_room: MakeRoom) -> None:
    """The same person twice counts once; the first click says who is still needed."""
    room = make_room(runbook(CALL, front=TWO))
    number = await waiting(room)
    for _ in range(2):
        assert (await room.approve(number, "ben")).state == "waiting"
    assert (await room.approve(number, "cleo")).state == "approved"
    assert await approvals(room) == ["ben", "cleo"]
    assert (await room.kinds()).count("run_approved") == 2


async def aged(room: Room, seconds: float) -> None:
    """As if all approvals had been given so long ago."""
    async with room.store.write() as session:
        await session.execute(update(Approval).values(at=now() - timedelta(seconds=seconds)))


async def test_an_approval_expires_and_may_be_given_again(make_room: MakeRoom) -> None:
    """Ben's yes is an hour old when Cleo says hers: it no longer counts, until he says it again."""
    room = make_room(runbook(CALL, front="approvals: {count: 2, ttl: 10m}"))
    number = await waiting(room)
    await room.approve(number, "ben")
    await aged(room, 3600)
    assert (await room.approve(number, "cleo")).state == "waiting"
    assert (await room.approve(number, "ben")).state == "approved"
    assert (await room.kinds()).count("run_approved") == 3


async def test_a_run_that_could_not_begin_in_time_asks_again(make_room: MakeRoom) -> None:
    """It waited for a target, or Jackline was down: what was approved then is not run now."""
    room = make_room(runbook(CALL, front="approvals: {ttl: 10m}"))
    number = await waiting(room)
    await room.approve(number, "ben")
    await aged(room, 601)
    await room.work()
    assert (await room.run(number)).state == "waiting"
    assert await room.attempts(number) == []
    assert (await room.kinds())[-1] == "approval_void"
    assert (await room.approve(number, "ben")).state == "approved"
    await room.work()
    assert (await room.attempts(number)) != []


async def test_an_approval_holds_once_the_run_has_begun(make_room: MakeRoom) -> None:
    """An hour's run that is taken over by another process does not stop half-way for a new yes."""
    room = make_room(runbook(CALL, front="approvals: {ttl: 10m}"))
    number = await waiting(room)
    await room.approve(number, "ben")
    async with room.store.write() as session:
        run = await room.runs.get(session, number)
        run.started_at, run.state = now(), "running"
    await aged(room, 3600)
    await room.work()
    assert (await room.run(number)).state == "failed"  # nothing listens there, but it was tried


async def test_an_approval_is_for_the_plan_that_was_seen(make_room: MakeRoom) -> None:
    """Another digest is refused, and a yes to an older plan does not count for a newer one."""
    room = make_room(runbook(CALL, front=TWO))
    number = await waiting(room)
    seen = (await room.run(number)).plan_digest
    await room.approve(number, "ben", seen)
    async with room.store.write() as session:  # planned anew, as after a change of the target
        run = await room.runs.get(session, number)
        run.plan_digest = "f" * 64
    with pytest.raises(Conflict, match="changed since you saw it"):
        await room.approve(number, "cleo", seen)
    assert (await room.approve(number, "cleo")).state == "waiting"
    assert (await room.approve(number, "ben")).state == "approved"


async def test_the_digest_covers_version_inputs_and_changes(make_room: MakeRoom) -> None:
    """Same runbook and inputs: same digest. One input or one word of prose: another."""
    text = runbook(CALL.replace("why: test", 'why: "{{ inputs.n }}"'),
                   front="inputs: {n: {type: integer, required: true}}")  # fmt: skip
    room = make_room(text)
    numbers = [await waiting(room, origin="a", n=1), await waiting(room, origin="b", n=1),
               await waiting(room, origin="c", n=2)]  # fmt: skip
    (room.library.folder / "fix.md").write_text(text.replace("1. Step", "1. A step"))
    room.library.reload()
    numbers.append(await waiting(room, origin="d", n=1))
    first, same, other, newer = [(await room.run(n)).plan_digest for n in numbers]
    assert first == same
    assert len({first, other, newer}) == 3


async def test_a_run_keeps_the_text_that_was_approved(make_room: MakeRoom) -> None:
    """An edit of the file after the approval does not change what is done."""
    room = make_room(runbook("action: http.check\nwith: {target: shop, path: /}",
                             front="approvals: {count: 1}"))  # fmt: skip
    number = await room.approved()
    (room.library.folder / "fix.md").write_text(runbook(CALL))
    room.library.reload()
    assert room.library.get("fix").steps[0].step.action == "http.call"
    await room.work()
    assert [a.action for a in await room.attempts(number)] == ["http.check"]


async def test_the_same_origin_starts_one_run(make_room: MakeRoom) -> None:
    """A command delivered twice is one run; another one is another."""
    room = make_room(runbook(CALL))
    assert await room.start(origin="a") == await room.start(origin="a")
    assert await room.start(origin="b") != await room.start(origin="a")


async def test_wrong_inputs_start_nothing(make_room: MakeRoom) -> None:
    """`BadInput` names the field; an unknown runbook is `NotFound`."""
    room = make_room(runbook(CALL.replace("test", '"{{ inputs.n }}"'),
                             front="inputs: {n: {type: integer, max: 3}}"))  # fmt: skip
    with pytest.raises(BadInput, match="n: 4 is above 3"):
        await room.start(n="4")
    with pytest.raises(NotFound, match="did you mean 'fix'"):
        await room.start(name="fxi")
    assert await room.engine.journal.claim() == []


async def test_a_proposal_waits_for_somebody_to_ask(make_room: MakeRoom) -> None:
    """It cannot be approved before; whoever asks may not be the one who approves."""
    room = make_room(runbook(CALL))
    number = await room.start("")
    await room.work(1)
    assert (await room.run(number)).state == "proposed"
    with pytest.raises(Conflict, match="nothing to approve"):
        await room.approve(number, "ben")
    for _ in range(2):
        assert (await room.ask("request", number, "ana")).state == "waiting"
    with pytest.raises(Conflict, match="already waiting"):
        await room.ask("request", number, "ben")
    assert (await room.approve(number, "ben")).state == "approved"
    assert (await room.kinds()).count("run_requested") == 1


async def test_no_approval_needed(make_room: MakeRoom) -> None:
    """Only if the runbook says so: asked for, or proposed and then asked for."""
    room = make_room(runbook(CALL, front="approvals: {count: 0}"))
    asked = await room.start("ana", origin="a")
    proposed = await room.start("", origin="b")
    await room.work(1)
    assert (await room.run(asked)).state == "approved"
    assert (await room.run(proposed)).state == "proposed"
    assert (await room.ask("request", proposed, "ana")).state == "approved"


async def test_refused_is_the_end(make_room: MakeRoom) -> None:
    """Nothing revives it: no approval, no second refusal, no abort, no undo."""
    room = make_room(runbook(CALL))
    number = await waiting(room)
    assert (await room.ask("refuse", number, "cleo", "too risky")).state == "refused"
    with pytest.raises(Conflict, match="nothing to approve"):
        await room.approve(number, "ben")
    for verb, args in (("refuse", ("",)), ("abort", ()), ("undo", ()), ("request", ())):
        with pytest.raises(Conflict):
            await room.ask(verb, number, "ben", *args)
    with pytest.raises(Conflict, match="nothing is unknown"):
        await room.ask("settle", number, "ben", happened=True)
    await room.work()
    run = await room.run(number)
    assert (run.state, await room.attempts(number)) == ("refused", [])
    assert "too risky" in (await room.rows())[-1].text


async def test_an_approval_moves_the_incident_on(make_room: MakeRoom) -> None:
    """Approving the repair is the start of mitigating, told once."""
    room = make_room(runbook(CALL, front=TWO))
    number = await waiting(room)
    await room.approve(number, "ben")
    assert "status_changed" not in await room.kinds()
    await room.approve(number, "cleo")
    assert (await room.kinds()).count("status_changed") == 1


async def test_two_people_racing_to_approve(make_room: MakeRoom) -> None:
    """One of them approves; the other learns that it is done. Never two starts."""
    room = make_room(runbook(CALL))
    number = await waiting(room)
    results = await asyncio.gather(
        *(room.approve(number, person) for person in ("ben", "cleo", "dora")),
        return_exceptions=True,
    )
    conflicts = [r for r in results if isinstance(r, Conflict)]
    assert len(conflicts) == 2, results
    assert (await room.run(number)).state == "approved"
    assert len(await approvals(room)) == 1
    assert (await room.kinds()).count("run_approved") == 1


async def test_one_person_clicking_many_times_at_once(make_room: MakeRoom) -> None:
    """Every click is answered without an error, and one counts."""
    room = make_room(runbook(CALL, front=TWO))
    number = await waiting(room)
    runs = await asyncio.gather(*(room.approve(number, "ben") for _ in range(8)))
    assert {run.state for run in runs} == {"waiting"}
    assert await approvals(room) == ["ben"]
    assert (await room.kinds()).count("run_approved") == 1


async def test_an_approval_races_a_refusal(make_room: MakeRoom) -> None:
    """One of the two holds, and the other person is told."""
    room = make_room(runbook(CALL))
    number = await waiting(room)
    results = await asyncio.gather(
        room.approve(number, "ben"), room.ask("refuse", number, "cleo", ""),
        return_exceptions=True,
    )  # fmt: skip
    assert sum(isinstance(r, Conflict) for r in results) == 1, results
    assert (await room.run(number)).state in ("approved", "refused")


async def test_an_abort_before_the_start_sends_nothing(make_room: MakeRoom) -> None:
    """Planned or approved, it ends, and no target stays locked."""
    room = make_room(runbook(CALL))
    number = await room.approved()
    assert (await room.ask("abort", number)).state == "aborted"
    await room.work()
    assert await room.attempts(number) == []
    async with room.store.read() as session:
        assert list((await session.execute(select(TargetLock))).scalars()) == []
    early = await room.start(origin="early")
    await room.ask("abort", early)
    await room.work()
    assert (await room.run(early)).state == "aborted"


async def test_who_approves_holds_nobody_up(make_room: MakeRoom) -> None:
    """Another has the incident locked, and then writes to its timeline: neither waits for the other."""
    room = make_room(runbook(CALL))
    if room.store.is_sqlite:
        pytest.skip("SQLite lets one write at a time: nobody waits for each other")
    number = await waiting(room)
    run = await room.run(number)
    async with room.store.write() as session:
        await room.incidents.get(session, run.incident_id)
        approving = asyncio.create_task(room.approve(number, "ben"))
        await blocked(room)
        await room.ledger.append(session, run.incident_id, "note_added", "person:ana", "meanwhile")
    assert (await approving).state == "approved"


async def blocked(room: Room) -> None:
    """Somebody waits for a lock."""
    waits = text(
        "SELECT count(*) FROM pg_stat_activity "
        "WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    async with asyncio.timeout(20):
        while not (await room.store.look(waits, {}))[0][0]:
            await asyncio.sleep(0.02)


async def test_an_unknown_run(make_room: MakeRoom) -> None:
    """A click on a run that does not exist is `NotFound`."""
    room = make_room(runbook(CALL))
    with pytest.raises(NotFound, match="no run 77"):
        await room.ask("abort", 77)

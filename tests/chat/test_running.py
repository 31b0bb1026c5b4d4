"""Finding a runbook and steering a run by what is typed."""

import pytest

from bot.errors import BadInput, Conflict, JacklineError, NotAllowed, NotFound
from tests.chat.room import ChatRoom, words
from tests.chat.test_cards import a_plan, a_step


@pytest.fixture
async def running(room: ChatRoom) -> ChatRoom:
    await room.type_("/incident declare Down")
    return room


async def refused(room: ChatRoom, text: str, kind: type[JacklineError], person: str = "ana") -> str:
    with pytest.raises(kind) as caught:
        await room.type_(text, person, at=1)
    return str(caught.value)


async def test_search(running: ChatRoom) -> None:
    """All words must be there, in any case; what is typed next stands beside each."""
    reply = await running.type_("/runbook search FIX shop")
    assert "`/runbook plan fix" in words(reply.blocks)
    assert "No runbook speaks of 'zebra'" in (await running.type_("/runbook find zebra")).text
    assert "Usage: /runbook search WORDS" in await refused(running, "/runbook search", BadInput)


async def test_approving_shows_the_plan_first(running: ChatRoom) -> None:
    """Nothing is approved by typing: the button carries the digest of the plan that was seen."""
    number = await running.plan(state="waiting", requester="ana", plan=a_plan(a_step()))
    reply = await running.type_("/runbook approve", "ben", at=1)
    assert "before 0" in words(reply.blocks) or "→" in words(reply.blocks)
    buttons = [e for b in reply.blocks if b["type"] == "actions" for e in b["elements"]]
    assert [b["action_id"] for b in buttons] == ["run_approve", "run_refuse"]
    assert buttons[0]["value"] == f"{number}|pd"
    assert (
        (await running.type_("/runbook status", at=1)).blocks[0]["text"]["text"].endswith("waiting")
    )


@pytest.mark.parametrize(
    ("verb", "state", "said"),
    [
        ("pause", "running", "pauses after the step in flight"),
        ("abort", "running", "stops after the step in flight"),
        ("stop", "approved", "aborted"), ("reject", "waiting", "refused"),
        ("continue", "paused", "held"),
    ],
)  # fmt: skip
async def test_a_run_is_steered(running: ChatRoom, verb: str, state: str, said: str) -> None:
    """By its synonym, too; without a number where only one run can be meant."""
    await running.plan(state="succeeded")
    await running.plan(state=state, requester="ana", pause=state == "paused")
    assert said in (await running.type_(f"/runbook {verb}", at=1)).text


async def test_which_run(running: ChatRoom) -> None:
    """Two that fit: which; none that fits: what there is; a number that is none: how it is typed."""
    assert "no run to abort" in await refused(running, "/runbook abort", NotFound)
    first = await running.plan(state="running")
    second = await running.plan(state="running")
    said = await refused(running, "/runbook pause", BadInput)
    assert f"{first} (Fix the shop: running)" in said
    assert f"{second} (" in said
    assert "'two' is no run's number" in await refused(running, "/runbook pause two", BadInput)
    assert "pauses" in (await running.type_(f"/runbook pause {second}", at=1)).text
    assert "There is no run 999999999" in await refused(
        running, "/runbook abort 99999999999", NotFound
    )


async def test_undo_shows_what_was_done(running: ChatRoom) -> None:
    """Of several ended runs the newest; its button asks before it does anything."""
    await running.plan(state="succeeded")
    await running.plan(state="failed", title="Later", started_at=None)
    reply = await running.type_("/runbook rollback", at=1)
    assert reply.text == "Later: failed."


async def test_who_may(running: ChatRoom) -> None:
    """Roles are checked where it is done, as for the buttons."""
    await running.plan(state="running")
    await refused(running, "/runbook abort", NotAllowed, "eli")
    await running.plan(state="succeeded")
    assert "already ended" in await refused(running, "/runbook abort 2", Conflict)


async def test_a_number_that_no_run_can_have(running: ChatRoom) -> None:
    """Longer than a database's numbers: an answer, not an error of ours."""
    for verb in ("override", "break-glass", "review"):
        said = await refused(running, f"/runbook {verb} {'9' * 30} nobody can be reached", NotFound)
        assert "There is no run" in said


async def test_a_run_paused_before_it_began_is_resumed(running: ChatRoom) -> None:
    """It waited for its target when somebody paused it."""
    await running.plan(state="approved", requester="ana", pause=True)
    assert "approved" in (await running.type_("/runbook resume", at=1)).text

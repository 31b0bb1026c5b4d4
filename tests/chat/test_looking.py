"""What stands: the live card whole, the overview of one incident, and the list with its filters."""

from datetime import timedelta

import pytest

from bot.catalog import Service
from bot.errors import BadInput, NotAllowed, NotFound
from bot.incidents.tasks import Tasks
from bot.runbooks import StepAttempt
from bot.store import now
from tests.chat.room import ChatRoom, words

STEPS = [{"id": "s1", "heading": "1. Look"}, {"id": "s2", "heading": "2. Drain <edge>"}]
PLAN = {
    "steps": [
        step | {"action": "a", "note": "", "effect": "read", "target": "t", "paths": [], "undo": "",
                "changes": []}
        for step in STEPS
    ]
}  # fmt: skip


@pytest.fixture
async def declared(room: ChatRoom) -> ChatRoom:
    await room.type_("/incident declare Down")
    return room


async def test_the_card_says_what_runs_and_what_is_open(declared: ChatRoom) -> None:
    """The run that goes on, not a newer one that does not; the step it is at; the next due task."""
    room = declared
    run = await room.plan(state="running", plan=PLAN, title="Fix <it>")
    await room.plan(state="proposed", title="Another", plan=PLAN)
    assert "*Runbook* Fix &lt;it&gt; — *running* · next: 1. Look" in words(
        (await room.card(1)).blocks
    )
    async with room.store.write() as session:
        session.add(StepAttempt(run_id=run, step="s1", attempt=1, state="done", epoch=1, action="a",
                                target="t"))  # fmt: skip
    assert "next: 2. Drain &lt;edge&gt;" in words((await room.card(1)).blocks)
    await room.type_("/incident task Call by in 20m")
    await room.type_("/incident task Write")
    assert "*2 open tasks*, the next by " in words((await room.card(1)).blocks)
    async with room.store.write() as session:
        stored = await room.runs.get(session, run)
        stored.state = "succeeded"
    said = words((await room.card(1)).blocks)
    assert "*Runbook* Another — *proposed*" in said
    assert "next: " not in said


async def test_a_run_that_moves_redraws_the_card(declared: ChatRoom) -> None:
    run = await declared.plan(state="proposed")
    before = (await declared.versions())["1:card"]
    await declared.click("run_request", f"{run}|pd")
    assert (await declared.versions())["1:card"] > before


async def test_the_overview(declared: ChatRoom) -> None:
    """The card with its buttons, and what was tried, what is open and what was said."""
    room = declared
    await room.plan(state="failed", title="Fix it")
    await room.type_("/incident task Call <!here>")
    await room.type_("/incident note DNS is <fine>")
    await room.type_("/incident link https://call.example.com/?a=1&b=2 The <call>")
    for verb in ("this", "show", "overview"):
        reply = await room.type_(f"/incident {verb}")
    assert reply.text == "#1 sev2, declared: Down"
    said = words(reply.blocks)
    assert "Tried: Fix it, failed\nOpen: task 1, nobody's: Call &lt;!here&gt;\n" in said
    assert "UTC Ana: DNS is &lt;fine&gt;" in said
    assert "<https://call.example.com/?a=1&amp;b=2|The &lt;call&gt;>" in said
    (buttons,) = [b for b in reply.blocks if b["type"] == "actions"]
    assert buttons["elements"][0]["action_id"] == "incident_lead"
    assert len(await room.rows()) == 4


async def test_an_overview_of_much_fits(declared: ChatRoom) -> None:
    for _ in range(60):
        await declared.plan(state="failed", title="<" * 200)
    for _ in range(3):
        await declared.type_(f"/incident note {'&' * 3000}")
    await declared.type_("/incident this")


async def test_the_list_is_filtered(room: ChatRoom) -> None:
    """By words in any order, all of which must fit."""
    services = [Service(id="shop", title="The shop", tier="p0")]
    room.library.catalog = room.library.catalog.model_copy(update={"services": services})
    await room.type_("/incident declare sev1 One")
    await room.type_("/incident declare sev3 Two", "ben")
    await room.type_("/incident declare sev1 Three", "ben")
    await room.type_("/incident service add shop", at=2)
    await room.type_("/incident role ops ana", at=3)
    await room.type_("/incident cancel", at=1)

    async def listed(typed: str, person: str = "ana") -> str:
        reply = await room.type_(f"/incident list {typed}", person)
        return " ".join(sorted(w for w in ("One", "Two", "Three") if w in words(reply.blocks)))

    assert await listed("") == "Three Two"
    assert await listed("all") == "One Three Two"
    assert await listed("sev1") == "Three"
    assert await listed("SEV-1 all") == "One Three"
    assert await listed("mine") == "Three"
    assert await listed("all mine") == "One Three"
    assert await listed("mine", "ben") == "Three Two"
    assert await listed("shop") == "Two"
    assert await listed("'the shop' sev3") == "Two"
    assert (await room.type_("/incident list shop sev1")).text == "No open incident is like that."


async def test_wrong_words(declared: ChatRoom) -> None:
    for typed, said in (
        ("this now", "I did not understand 'now'. Usage: /incident this"),
        ("thsi", "I do not know 'thsi'; did you mean 'this'?"),
        ("list sev9", "I did not understand 'sev9'; did you mean 'sev"),
        ("list shpo", "I did not understand 'shpo'; did you mean 'shop'?"),
    ):
        with pytest.raises(BadInput) as refused:
            await declared.type_(f"/incident {typed}")
        assert str(refused.value).startswith(said)
    for typed in ("this", "list mine"):
        with pytest.raises(NotAllowed, match="I do not know you"):
            await declared.type_(f"/incident {typed}", "mallory")


async def test_a_private_one_is_not_there_for_others(declared: ChatRoom) -> None:
    await declared.type_("/incident private")
    with pytest.raises(NotFound, match="There is no incident 1"):
        await declared.type_("/incident this #1", "ben")
    for typed in ("list", "list all", "list sev2"):
        assert not (await declared.type_(f"/incident {typed}", "ben")).blocks


async def test_a_late_task_stands_out(declared: ChatRoom) -> None:
    await declared.type_("/incident task Call by in 20m")
    async with declared.store.write() as session:
        task = await Tasks(declared.incidents).one(session, 1, 1)
        task.due_at = now() - timedelta(minutes=1)
    assert "*1 open task*, 1 late" in words((await declared.card(1)).blocks)

"""Resolve, close, cancel and reopen: four verbs, each says which one was done, and its opposite."""

import pytest

from bot.errors import BadInput, Conflict, NotAllowed, NotFound
from bot.incidents.rules import ENDED, STATUSES, check_reopen
from tests.chat.room import ChatRoom, words


@pytest.fixture
async def declared(room: ChatRoom) -> ChatRoom:
    await room.type_("/incident declare Down")
    return room


@pytest.mark.parametrize("status", STATUSES)
def test_what_can_be_opened_again(status: str) -> None:
    """Every end, and nothing else."""
    if status in ENDED:
        check_reopen(status)
        return
    with pytest.raises(Conflict):
        check_reopen(status)


async def test_resolve_then_close(declared: ChatRoom) -> None:
    room = declared
    said = (await room.type_("/incident resolve", at=1)).text
    assert "#1 is resolved" in said
    assert "/incident close closes it" in said
    assert (await room.incident()).status == "resolved"
    said = (await room.type_("/incident close", at=1)).text
    assert said == "#1 is closed. /incident reopen opens it again."
    incident = await room.incident()
    assert incident.status == "closed"
    assert incident.closed_at is not None


async def test_close_of_what_is_open_resolves_it(declared: ChatRoom) -> None:
    """As many mean it so; sent twice it still does no more than that."""
    room = declared
    for _ in range(2):
        await room.type_("/incident close", at=1, key="once")
        assert (await room.incident()).status == "resolved"
    moves = [r.text for r in await room.rows() if r.kind == "status_changed"]
    assert moves == ["Status: declared → resolved"]
    said = (await room.type_("/incident close", at=1)).text
    assert "is closed" in said


async def test_close_of_what_is_open_says_so(declared: ChatRoom) -> None:
    said = (await declared.type_("/incident close", at=1)).text
    assert said.startswith("#1 is resolved, not closed.")


@pytest.mark.parametrize("way", [["resolve"], ["resolve", "close"], ["cancel"]])
async def test_every_end_is_taken_back(declared: ChatRoom, way: list[str]) -> None:
    """With its group, if no newer incident has that; twice is once."""
    room = declared
    async with room.store.write() as session:
        incident = await room.incidents.get(session, 1)
        incident.open_key, incident.trigger = "g", {"group": "g"}
    for verb in way:
        await room.type_(f"/incident {verb}", at=1)
    assert (await room.incident()).open_key is None
    said = [(await room.type_("/incident reopen", at=1, key="once")).text for _ in range(2)]
    assert said == ["#1 is open again: investigating.", "#1 is investigating."]
    incident = await room.incident()
    assert (incident.status, incident.open_key) == ("investigating", "g")
    assert (incident.resolved_at, incident.closed_at) == (None, None)
    with pytest.raises(Conflict, match="The incident is open: investigating"):
        await room.type_("/incident reopen", at=1)


async def test_a_cancelled_one_was_none(declared: ChatRoom) -> None:
    said = (await declared.type_("/incident cancel")).text
    assert said == "#1 is cancelled: it was no incident. /incident reopen takes that back."
    assert (await declared.incident()).status == "cancelled"


async def test_the_word_of_a_status_does_what_its_verb_does(declared: ChatRoom) -> None:
    """With the same checks: nothing is resolved past a run that goes on."""
    room = declared
    run = await room.plan(state="running")
    for typed in ("status resolved", "resolve", "cancel", "close"):
        with pytest.raises(Conflict, match="is still running"):
            await room.type_(f"/incident {typed}", at=1)
    async with room.store.write() as session:
        stored = await room.runs.get(session, run)
        stored.state = "succeeded"
    assert "is resolved" in (await room.type_("/incident status resolved", at=1)).text
    assert "is closed" in (await room.type_("/incident status closed", at=1)).text


async def test_buttons_of_what_is_resolved(declared: ChatRoom) -> None:
    """Each once; an old button on what has moved on says so."""
    room = declared
    with pytest.raises(Conflict, match="Resolve it first"):
        await room.click("incident_close", "1")
    await room.type_("/incident resolve", at=1)
    (close, reopen) = (await room.card(1)).blocks[2]["elements"]
    assert (close["style"], "style" in reopen) == ("primary", False)
    await room.click("incident_close", "1")
    assert (await room.click("incident_close", "1")).text == "The incident is closed."
    await room.type_("/incident reopen", at=1)
    blocks = (await room.card(1)).blocks
    (first, *rest) = next(b["elements"] for b in blocks if b["type"] == "actions")
    assert (first["action_id"], first["style"]) == ("incident_lead", "primary")
    assert not any("style" in each for each in rest)


async def test_wrong_words(declared: ChatRoom) -> None:
    for verb in ("resolve", "close", "cancel", "reopen"):
        with pytest.raises(BadInput, match=f"did not understand 'now'. Usage: /incident {verb}"):
            await declared.type_(f"/incident {verb} now", at=1)
        with pytest.raises(NotAllowed, match="I do not know you"):
            await declared.type_(f"/incident {verb}", "mallory", at=1)
    with pytest.raises(BadInput, match="did you mean 'cancel"):
        await declared.type_("/incident cancle", at=1)
    with pytest.raises(BadInput, match="did you mean 'reopen'"):
        await declared.type_("/incident re-open", at=1)


async def test_of_a_merged_one_nothing_is_ended(room: ChatRoom) -> None:
    for title in ("One", "Two"):
        await room.type_(f"/incident declare {title}")
    reply = await room.type_("/incident merge #1 into #2")
    button = reply.blocks[1]["elements"][0]
    await room.click(button["action_id"], button["value"])
    for verb in ("resolve", "close", "cancel", "reopen"):
        with pytest.raises(Conflict, match="merged"):
            await room.type_(f"/incident {verb}", at=1)


async def test_a_private_one_is_not_there_for_others(room: ChatRoom) -> None:
    async with room.store.write() as session:
        await room.incidents.declare(
            session, title="Leak", severity="sev1", actor="person:ana", origin="o", private=True
        )
    for verb in ("resolve", "close", "cancel", "reopen"):
        with pytest.raises(NotFound, match="There is no incident 1"):
            await room.type_(f"/incident {verb} #1", "ben")
    assert "Leak" not in words((await room.type_("/incident list all", "ben")).blocks)

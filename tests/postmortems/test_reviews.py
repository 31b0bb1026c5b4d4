"""The way from draft to final: who may, what it needs, and that every step is on the record."""

from datetime import timedelta

import pytest
from sqlmodel import select

from bot.catalog import Person
from bot.errors import BadInput, Conflict, NotAllowed, NotFound
from bot.incidents import Incident
from bot.incidents.due import Facts, Paper, due, wishes
from bot.postmortems import Postmortem, require_final
from bot.postmortems.editing.papers import standing_of
from bot.postmortems.editing.reviews import notes_of, paper_facts
from bot.postmortems.editing.states import (
    FINAL,
    STATES,
    Approval,
    Standing,
    check_transition,
    counts,
    missing,
    require_move,
)
from bot.postmortems.editing.tables import Reviewer
from bot.store import now
from tests.postmortems.room import ANA, BEN, CARL, KNOWN, VERA, Room


@pytest.mark.parametrize("current", STATES)
@pytest.mark.parametrize("wanted", STATES)
def test_the_table_of_states(current: str, wanted: str) -> None:
    """Draft, in review, final; back to draft from both; nothing else."""
    allowed = {
        ("draft", "in review"),
        ("in review", "draft"),
        ("in review", "final"),
        ("final", "draft"),
    }
    if (current, wanted) in allowed:
        check_transition(current, wanted)
    else:
        with pytest.raises(Conflict):
            check_transition(current, wanted)
    with pytest.raises(BadInput, match="no state 'done'"):
        check_transition(current, "done")


def test_what_an_end_needs() -> None:
    """Each thing by name; an approval of an older version, or of who wrote in it, is none."""
    bare = Standing("in review", 3, notes=2, clashes=1)
    assert missing(bare) == [
        "an owner", "a facilitator",
        "the approval of a reviewer who wrote nothing of it, for this version",
        "2 open review notes resolved", "1 conflict settled",
    ]  # fmt: skip
    old, author, good = Approval("ben", 2), Approval("ana", 3), Approval("carl", 3)
    whole = Standing("in review", 3, "ana", "ben", [old, author, good], frozenset({"ana"}))
    assert [counts(whole, each) for each in (old, author, good)] == [False, False, True]
    assert missing(whole) == []
    require_move(whole, FINAL, ANA)
    require_move(whole, FINAL, CARL)
    with pytest.raises(NotAllowed, match="Only the owner"):
        require_move(whole, FINAL, Person(id="x", name="X", roles=["responder"]))
    with pytest.raises(NotAllowed, match="'responder'"):
        require_move(whole, FINAL, VERA)
    with pytest.raises(Conflict, match="needs a reviewer"):
        require_move(Standing("draft", 1), "in review", ANA)


async def test_from_draft_to_final(room: Room) -> None:
    """Owner, facilitator, a note that is resolved, approval by who wrote none of it; each a row."""
    with pytest.raises(Conflict, match=r"is not final \(draft\): it is not published"):
        require_final(1, (await room.paper()).state)
    await room.save("where-we-were-lucky", "The certificate ran out.")
    await room.review("ask", [BEN, CARL])
    await room.review("ask", [BEN])  # twice is once
    note = await room.review("note", "where-we-were-lucky", "Which one?\x07", by=BEN, origin="k1")
    assert (
        await room.review("note", "where-we-were-lucky", "Which one?", by=BEN, origin="k1")
    ).id == note.id
    await room.review("name", "owner", ANA)
    await room.review("name", "facilitator", CARL)
    await room.review("approve", by=BEN)
    await room.review("approve", by=BEN)
    with pytest.raises(Conflict, match="Missing: 1 open review note resolved"):
        await room.review("move", FINAL)
    await room.review("resolve", note.id)
    await room.review("resolve", note.id, by=BEN)
    await room.save("where-we-were-lucky", "The certificate of the gateway ran out.", CARL)
    with pytest.raises(Conflict, match="the approval of a reviewer"):
        await room.review("move", FINAL)  # it was changed after it was approved
    with pytest.raises(Conflict, match="It was changed: this is version 3"):
        await room.review("approve", by=BEN, version=2)
    with pytest.raises(NotAllowed, match="You wrote some of it"):
        await room.review("approve", by=CARL)
    await room.review("approve", by=BEN, version=3)
    paper = await room.review("move", FINAL)
    require_final(1, paper.state)
    text = (await room.paper()).markdown
    assert "document_status: final" in text
    assert "| Document | final; due" in text
    assert "| Owner | Ana Souza |" in text
    assert "| Facilitator, reviewers | Carl Berg, Ben Ito |" in text
    assert "people wrote in: Where we were lucky |" in text
    kinds = [row.kind for row in await room.rows("postmortem_")]
    assert kinds == [
        "postmortem_drafted", "postmortem_edited", "postmortem_review_asked", "postmortem_in_review",
        "postmortem_note_added", "postmortem_owner_named", "postmortem_facilitator_named",
        "postmortem_approved", "postmortem_note_resolved", "postmortem_edited", "postmortem_approved",
        "postmortem_final",
    ]  # fmt: skip
    with pytest.raises(Conflict, match="is final"):
        await room.review("ask", [ANA])
    with pytest.raises(NotAllowed, match="Only the owner"):
        await room.review("move", "draft", by=BEN)
    await room.review("move", "draft", by=CARL)
    with pytest.raises(Conflict):
        require_final(1, (await room.paper()).state)


async def test_who_may_review(room: Room) -> None:
    """Only who was asked approves, in review alone; notes are for reviewers and responders."""
    with pytest.raises(NotAllowed, match="Only its reviewers"):
        await room.review("approve", by=BEN)
    with pytest.raises(NotAllowed, match="Review notes are for"):
        await room.review("note", "summary", "Hm", by=VERA, origin="v")
    with pytest.raises(NotAllowed, match="'responder'"):
        await room.review("ask", [BEN], by=VERA)
    await room.review("ask", [VERA])
    await room.review("note", "summary", "Hm", by=VERA, origin="v")
    with pytest.raises(NotFound, match="no section"):
        await room.review("note", "nowhere", "Hm", by=VERA, origin="w")
    with pytest.raises(BadInput, match="1 to 3000"):
        await room.review("note", "summary", " \x07 ", by=VERA, origin="w")
    with pytest.raises(NotFound, match="no such note"):
        await room.review("resolve", 99)
    await room.review("move", "draft")
    with pytest.raises(Conflict, match="is draft, not in review"):
        await room.review("approve", by=VERA)
    async with room.store.write() as session:
        incident = await room.papers.incidents.get(session, 1)
        incident.private = True
        assert [n.by for n in await notes_of(session, 1, "summary")] == ["vera"]
    with pytest.raises(BadInput, match="Ben Ito may not see this private incident"):
        await room.review("ask", [BEN])
    with pytest.raises(BadInput, match="may not see"):
        await room.review("name", "owner", BEN)
    many = [Person(id=f"p{n}", name="P", roles=["admin"]) for n in range(21)]
    with pytest.raises(BadInput, match="20 reviewers at most"):
        await room.review("ask", many)
    async with room.store.read() as session:
        assert len((await session.execute(select(Reviewer))).scalars().all()) == 1


async def test_people_are_reminded_of_the_meeting(room: Room) -> None:
    """A day and an hour before, owner and reviewers; not once it is final; the draft's own due ends then."""
    at = (now() + timedelta(days=3)).replace(microsecond=0)
    await room.review("name", "owner", ANA)
    await room.review("ask", [BEN])
    await room.review("meet", at)
    await room.review("meet", at)
    assert len(await room.rows("postmortem_meeting_set")) == 1
    async with room.store.read() as session:
        assert await paper_facts(session, [2]) == {}
        found = await paper_facts(session, None)
        assert found == {1: Paper(False, "ana", at, ["ben"])}
        facts = Facts(await session.get_one(Incident, 1), paper=found[1])
        standing = await standing_of(session, await session.get_one(Postmortem, 1))
    assert standing.state == "in review"
    told = [
        (d.number, d.to)
        for t in (at - timedelta(days=2), at - timedelta(hours=20), at - timedelta(minutes=50))
        for d in due(facts, KNOWN, t) if d.wish.kind == "meeting"
    ]  # fmt: skip
    assert told == [(1, ["ana", "ben"]), (2, ["ana", "ben"])]
    over = Facts(facts.incident, paper=Paper(True, "ana", at, ["ben"]))
    assert {w.kind for w in wishes(over, KNOWN)} == set()
    kinds = {w.kind: w.owner for w in wishes(facts, KNOWN)}
    assert kinds == {"postmortem": "ana", "meeting": "ana"}

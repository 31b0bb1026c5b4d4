"""People write into a postmortem: every version is kept, nobody's words are lost, on both databases."""

import asyncio

import pytest
import yaml
from sqlmodel import select

from bot.catalog import Person
from bot.errors import BadInput, Conflict, NotAllowed, NotFound
from bot.incidents import Incident
from bot.postmortems import Postmortem
from bot.postmortems.editing.sections import split
from bot.postmortems.editing.tables import SectionText, Version
from bot.postmortems.editing.versions import digest_of, latest
from bot.postmortems.front import cut
from tests.postmortems.room import ANA, BEN, VERA, Room


async def test_a_persons_words_are_a_version_and_marked_as_theirs(room: Room) -> None:
    """Who, when and what; the text says whose it is, the front matter where, and the page is anew."""
    before = await room.paper()
    assert (before.version, before.state) == (1, "draft")
    assert "no person has written anything here yet" in before.markdown
    await room.save("what-went-well", "Somebody was **awake**.")
    await room.save("summary", f"{await room.body('summary')}\n\nIt was worse than that.", BEN)
    paper = await room.paper()
    document = split(paper.markdown)
    lucky, summary = document.part("what-went-well"), document.part("summary")
    assert lucky
    assert summary
    assert (lucky.origin, lucky.body) == ("written by a person", "Somebody was **awake**.")
    assert summary.origin == "derived · written by a person"
    assert [(v.number, v.kind, v.by, v.what) for v in await room.versions()] == [
        (3, "edited", "person:ben", "Summary"),
        (2, "edited", "person:ana", "What went well"),
        (1, "drawn", "jackline", f"Postmortem drafted from {paper.drawn_from} rows"),
    ]
    front = next(yaml.safe_load_all(paper.markdown))
    assert front["provenance"]["written_by_people"] == ["Summary", "What went well"]
    assert (front["version"], front["document_status"], front["owner"]) == (
        3,
        "draft",
        "to be named",
    )
    assert "Somebody was <strong>awake</strong>." in paper.html
    assert 'class="origin derived written"' in paper.html
    edited = await room.rows("postmortem_edited")
    assert [(r.actor, r.data["section"]) for r in edited] == [
        ("person:ana", "what-went-well"), ("person:ben", "summary"),
    ]  # fmt: skip


async def test_typing_on_is_one_version_and_taking_out_is_another(room: Room) -> None:
    """Autosaves do not fill the disk, and an accident can be taken back."""
    long = "We looked at the wrong graph for a good while, because it was the one on the wall. " * 2
    for end in (20, 60, len(long)):
        await room.save("where-we-were-lucky", long[:end])
    assert [v.number for v in await room.versions()] == [2 + 2, 1]
    async with room.store.read() as session:
        texts = {t.text for t in (await session.execute(select(SectionText))).scalars()}
    assert long.strip() in texts
    assert long[:60].strip() not in texts
    await room.save("where-we-were-lucky", "Oops")
    assert [v.number for v in await room.versions()] == [5, 4, 1]
    await room.do("restore", 4)
    assert await room.body("where-we-were-lucky") == long.strip()
    kinds = [(v.number, v.kind, v.what) for v in await room.versions()]
    assert kinds[0] == (6, "restored", "As it was in version 4")
    await room.do("restore", 1)
    assert (
        split((await room.paper()).markdown).part("where-we-were-lucky").origin == "to be written"
    )
    with pytest.raises(Conflict, match="how it stands already"):
        await room.do("restore", 1)
    with pytest.raises(NotFound, match="no version 99"):
        await room.do("restore", 99)


async def test_two_who_write_at_once_lose_nothing(room: Room) -> None:
    """Who was faster stands there; the other's words are kept beside it, until a person settles it."""
    seen = digest_of(await room.body("where-we-were-lucky"))
    first = await room.save("where-we-were-lucky", "Ana's view", ANA, seen)
    assert first.clash is None
    second = await room.save("where-we-were-lucky", "Ben's view", BEN, seen)
    assert second.clash is not None
    assert second.part.body == "Ana's view"
    again = await room.save("where-we-were-lucky", "Ben's view, longer", BEN, seen)
    assert again.clash is not None
    assert again.clash.id == second.clash.id
    assert await room.clashes() == [("where-we-were-lucky", "Ben's view, longer", "person:ben")]
    assert len(await room.rows("postmortem_conflict")) == 1
    await room.save(
        "where-we-were-lucky", "Ana's view, and Ben's", ANA
    )  # somebody may write on meanwhile
    await room.do("settle", second.clash.id, by=BEN, take=True)
    assert await room.body("where-we-were-lucky") == "Ben's view, longer"
    await room.do("settle", second.clash.id, by=ANA, take=True)  # a second click
    assert await room.clashes() == []
    assert {"Ana's view, and Ben's"} <= {
        p.body for v in await room.versions() for p in (await room.document(v.number)).parts
    }


async def test_the_same_words_twice_are_no_conflict(room: Room) -> None:
    """A save that is sent again changes nothing; other sections do not get in the way."""
    seen = digest_of(await room.body("where-we-were-lucky"))
    await room.save("where-we-were-lucky", "Once", ANA, seen)
    await room.save("summary", "Another section", BEN)
    assert (await room.save("where-we-were-lucky", "Once", ANA, seen)).clash is None
    assert len(await room.versions()) == 3


async def test_at_the_same_moment(room: Room) -> None:
    """Eight people save one section at once: one stands there, seven are kept."""
    seen = digest_of(await room.body("where-we-were-lucky"))
    people = [Person(id=f"p{n}", name=f"P {n}", roles=["responder"]) for n in range(8)]
    await asyncio.gather(
        *(room.save("where-we-were-lucky", f"View {p.id}", p, seen) for p in people)
    )
    texts = {text for _, text, _ in await room.clashes()} | {await room.body("where-we-were-lucky")}
    assert texts == {f"View p{n}" for n in range(8)}


async def test_drawing_anew_keeps_every_human_word(room: Room) -> None:
    """Three sections edited, two rows arrive: all words stay, the rows come, and what both changed
    is shown as two texts.
    """
    old = await room.body("timeline")
    written = {
        "summary": f"Nobody saw the certificate.\n\n{await room.body('summary')}",
        "timeline": f"{old}\n\nWe slept until three.",
        "contributing-factors": "The certificate had **no owner** and no alert.",
    }
    for key, text in written.items():
        await room.save(key, text, BEN if key == "timeline" else ANA)
    await room.note("cause: the calendar as well")
    await room.note("A third thing")
    await room.do("redraw")
    assert [await room.drafts.draft_next(), await room.drafts.draft_next()] == [True, False]
    paper = await room.paper()
    for own in (
        "Nobody saw the certificate.",
        "We slept until three.",
        written["contributing-factors"],
    ):
        assert own in paper.markdown
    assert "[\\#2](#row-2) [\\#8](#row-8)" in await room.body("summary")  # and drawn anew around it
    timeline = await room.body("timeline")
    assert timeline.index("A third thing") < timeline.index("We slept until three.")
    assert "the calendar as well" in timeline
    assert await room.body("contributing-factors") == written["contributing-factors"]
    (clash,) = await room.clashes()
    assert clash[0] == "contributing-factors"
    assert "the calendar as well" in clash[1]
    (row,) = await room.rows("postmortem_redrawn")
    assert row.data["conflicts"] == ["contributing-factors"]
    assert row.data["asked_by"] == "ana"
    assert "postmortem_edited" not in paper.markdown
    await room.do("redraw")  # nothing new: nothing moves, and the conflict is still one
    await room.drafts.draft_next()
    assert (await room.paper()).markdown.split("## ")[1:] == paper.markdown.split("## ")[1:]
    assert await room.clashes() == [clash]
    base = await room.document(1)
    assert base.part("timeline").body == old
    assert paper.version == 5


async def test_what_may_not_be(room: Room) -> None:
    """No role, no section, no words that break out, nothing once it is final, nothing while it burns."""
    with pytest.raises(NotAllowed, match="'responder'"):
        await room.save("summary", "Mine", VERA)
    with pytest.raises(NotAllowed):
        await room.do("restore", 1, by=VERA)
    with pytest.raises(NotAllowed):
        await room.do("redraw", by=VERA)
    with pytest.raises(NotFound, match="no section 'nowhere'"):
        await room.save("nowhere", "Mine", ANA, "x")
    with pytest.raises(BadInput, match="begins another section"):
        await room.save("summary", "## Mine")
    with pytest.raises(NotFound, match="no such conflict"):
        await room.do("settle", 99, take=True)
    async with room.store.write() as session:
        (await session.get_one(Postmortem, 1)).state = "final"
    with pytest.raises(Conflict, match="is final"):
        await room.save("summary", "Mine")
    with pytest.raises(Conflict, match="is final"):
        await room.do("redraw")
    async with room.store.write() as session:
        (await session.get_one(Postmortem, 1)).state = "draft"
        (await session.get_one(Incident, 1)).status = "investigating"
    with pytest.raises(Conflict, match="drawn anew at its end"):
        await room.do("redraw")
    assert len(await room.versions()) == 1


async def test_a_credential_is_cut_out(room: Room) -> None:
    """Before anything is stored, and the person is told."""
    key = "xox" + "b-123456789012-abcdefghijkl"
    saved = await room.save("where-we-were-lucky", f"We used {key} by hand")
    assert saved.redacted
    async with room.store.read() as session:
        texts = [t.text for t in (await session.execute(select(SectionText))).scalars()]
    assert not any(key in text for text in [*texts, (await room.paper()).markdown])


async def test_a_postmortem_of_before_versions_gets_its_first(room: Room) -> None:
    """One that was drafted by an older Jackline is edited like any other."""
    async with room.store.write() as session:
        for version in (await session.execute(select(Version))).scalars():
            await session.delete(version)
        paper = await session.get_one(Postmortem, 1)
        paper.version = 0
        paper.markdown = "# Old\n\n## Summary\n\n*derived*\n\nWords.\n"
    async with room.store.write() as session:
        version = await latest(session, await session.get_one(Postmortem, 1))
        assert version.number == 1
    await room.save("summary", "Other words.")
    assert cut((await room.paper()).markdown)[1] == (
        "# Old\n\n## Summary\n\n*derived · written by a person*\n\nOther words.\n"
    )

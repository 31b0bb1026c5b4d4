"""Exactly one draft for each incident that ended, whatever crashes when."""

import asyncio

import pytest
from sqlmodel import select

from bot.contract import Graph, Series
from bot.errors import NotFound
from bot.incidents import Incident
from bot.postmortems import Postmortem, Postmortems
from bot.postmortems.files import read_pictures
from bot.timeline import Ledger, rows_of
from tests.postmortems.story import CATALOG, PNG


@pytest.fixture
def store(sqlite_store):
    return sqlite_store


@pytest.fixture
def ledger():
    return Ledger(b"key")


@pytest.fixture
def room(store, ledger, tmp_path):
    return Postmortems(store, ledger, lambda: CATALOG, tmp_path)


async def incident(store, ledger, status="resolved", origin="a"):
    """An incident with a picture on its timeline."""
    async with store.write() as session:
        made = Incident(title="Dark", severity="sev1", status=status, services=["payments"], origin=origin, declared_by="person:ana")  # fmt: skip
        session.add(made)
        await session.flush()
        await ledger.append(
            session, made.number, "incident_declared", "person:ana", "SEV1 declared"
        )
        data = {"file": "p.png", "title": "Errors"}
        await ledger.append(
            session, made.number, "evidence_attached", "jackline", "Graph", data=data
        )
        await ledger.append(
            session, made.number, "status_changed", "person:ana", "", data={"to": status}
        )
        return made.number


async def drafted(store, number):
    async with store.read() as session:
        kinds = [row.kind for row in await rows_of(session, number)]
        count = len((await session.execute(select(Postmortem))).scalars().all())
    return count, kinds.count("postmortem_drafted")


async def test_a_resolved_incident_gets_one_draft(store, ledger, room, tmp_path):
    """Row, timeline row and files; a second look finds nothing to do; the chain holds."""
    (tmp_path / "evidence").mkdir()
    (tmp_path / "evidence" / "p.png").write_bytes(PNG)
    number = await incident(store, ledger)
    assert [await room.draft_next(), await room.draft_next()] == [True, False]
    assert await drafted(store, number) == (1, 1)
    async with store.read() as session:
        kept = await room.get(session, number)
        session.expunge_all()
        assert await ledger.verify(session) == []
    assert (kept.state, kept.drawn_from) == ("draft", 3)
    assert (tmp_path / f"postmortems/INC-{number}.md").read_text() == kept.markdown
    assert (tmp_path / f"postmortems/INC-{number}.html").read_text() == kept.html
    assert "data:image/png;base64," in kept.html


@pytest.mark.parametrize("status", ["declared", "monitoring", "cancelled"])
async def test_what_has_not_ended_gets_none(store, ledger, room, status):
    """Running and cancelled incidents have no postmortem."""
    await incident(store, ledger, status)
    assert not await room.draft_next()


async def test_a_crash_before_the_commit_leads_to_one_draft(store, ledger, room, monkeypatch):
    """Files written, commit lost: the next attempt drafts, and only once."""
    number = await incident(store, ledger)
    write = room._write

    def write_and_crash(made, **more):
        write(made, **more)
        raise RuntimeError("power cut")

    monkeypatch.setattr(room, "_write", write_and_crash)
    with pytest.raises(RuntimeError):
        await room.draft_next()
    assert await drafted(store, number) == (0, 0)
    monkeypatch.undo()
    assert await room.draft_next()
    assert await drafted(store, number) == (1, 1)


async def test_one_that_cannot_be_drafted_holds_up_no_other(store, ledger, room, monkeypatch):
    """A fault of ours over one record: the others get theirs, and it is tried again."""
    broken = await incident(store, ledger)
    others = [await incident(store, ledger, origin=origin) for origin in "bcd"]
    draw = room._draw

    def fails(facts, *rest):
        if facts.id == broken:
            raise KeyError("a fault of ours")
        return draw(facts, *rest)

    monkeypatch.setattr(room, "_draw", fails)
    done = []
    for _ in range(5):
        try:
            done.append(await room.draft_next())
        except KeyError:
            done.append(None)
    assert done == [None, True, True, True, None]
    assert [await drafted(store, number) for number in others] == [(3, 1)] * 3
    monkeypatch.undo()
    assert [await room.draft_next(), await room.draft_next()] == [True, False]
    assert await drafted(store, broken) == (4, 1)


@pytest.mark.slow
async def test_replicas_that_draft_at_once_make_one(store, ledger, room):
    """Several drafters at the same time: one row, one timeline row."""
    number = await incident(store, ledger)
    await asyncio.gather(*(room.draft_next() for _ in range(4)))
    assert await drafted(store, number) == (1, 1)


async def test_reopened_while_drawing_is_not_drafted(store, ledger, room, monkeypatch):
    """The status is looked at again in the transaction that stores the draft."""
    number = await incident(store, ledger)
    real = room._store

    async def reopened(session, made):
        (await session.get_one(Incident, number)).status = "investigating"
        await session.flush()
        return await real(session, made)

    monkeypatch.setattr(room, "_store", reopened)
    assert await room.draft_next()
    assert await drafted(store, number) == (0, 0)


async def test_missing_files_are_written_again(store, ledger, room, tmp_path):
    """What is missing comes back from the database; what a person edited stays."""
    number = await incident(store, ledger)
    await room.draft_next()
    folder = tmp_path / "postmortems"
    (folder / f"INC-{number}.html").unlink()
    (folder / f"INC-{number}.md").write_text("edited")
    await room.write_files(number)
    assert (folder / f"INC-{number}.html").stat().st_size > 1000
    assert (folder / f"INC-{number}.md").read_text() == "edited"
    assert len(list(folder.iterdir())) == 2


async def test_a_picture_outside_the_folder_is_not_read(store, ledger, room, tmp_path):
    """A file name with a path in it, a link or another kind of file is not a picture."""
    (tmp_path / "secret.png").write_bytes(PNG)
    folder = tmp_path / "evidence"
    folder.mkdir()
    (folder / "link.png").symlink_to(tmp_path / "secret.png")
    (folder / "page.png").write_text("<svg>")
    assert read_pictures(folder, ["../secret.png", "link.png", "page.png", None, "gone.png"]) == {}


async def test_what_was_measured_is_a_picture_with_marks(store, ledger, tmp_path):
    """Its window begins before the declaration; the page has it inside, the folder has both forms."""
    asked = []

    async def measured(services, since):
        asked.append((list(services), since))
        points = [(since.timestamp() + 60 * n, float(n % 7)) for n in range(30)]
        return [Graph(title="Payments: failing requests", unit="%", series=[Series(label="x", points=points)])]  # fmt: skip

    number = await incident(store, ledger)
    await Postmortems(store, ledger, lambda: CATALOG, tmp_path, measured).draft_next()
    names = sorted(path.name for path in (tmp_path / "evidence").iterdir())
    assert [name.split("-")[2] for name in names if name.endswith(".svg")] == [
        "metrics",
        "timeline",
    ]
    assert asked[0][0] == ["payments"]
    async with store.read() as session:
        kept = await Postmortems(store, ledger, lambda: CATALOG, tmp_path).get(session, number)
        assert kept.html.count("data:image/svg+xml;base64,") == 2
        assert "With the marks of the clock: Payments: failing requests" in kept.markdown


async def test_the_teams_template_is_used(store, ledger, tmp_path):
    """From the folder that it was given."""
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "sev1.md.j2").write_text("# Ours: {{ draft.title }}\n")
    number = await incident(store, ledger)
    room = Postmortems(store, ledger, lambda: CATALOG, tmp_path, templates=tmp_path / "own")
    await room.draft_next()
    async with store.read() as session:
        assert (await room.get(session, number)).markdown.endswith("---\n# Ours: Dark\n")


async def test_asking_for_what_is_not_there_gives_a_hint(store, room):
    """`NotFound` says what to do."""
    async with store.read() as session:
        with pytest.raises(NotFound) as caught:
            await room.get(session, 99)
    assert caught.value.hint

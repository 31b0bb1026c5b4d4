"""Publishing a postmortem: only what is final, only through the gate, and nothing twice, whatever dies."""

import asyncio
import io
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import pytest
from docx import Document

from bot.contract import Paper
from bot.errors import BadInput, Conflict, NotAllowed, NotFound
from bot.postmortems.exports import Exports
from bot.postmortems.exports.document import read
from bot.postmortems.exports.remade import xhtml
from bot.store import Store
from tests.chat.outside.papers_room import PapersRoom
from tests.delivery.conftest import stop
from tests.postmortems.exports.hostile import BY_HAND, PLANTED, paper
from tests.servers.git_http import GitServer, git_server
from tests.servers.google_drive import EMAIL, Fault, GoogleDrive, google_drive

pytestmark = pytest.mark.slow

TOKEN = "push-secret-canary"
BRANCH = "postmortem/inc-1"


@pytest.fixture
def git(tmp_path: Path) -> Iterator[GitServer]:
    with git_server(tmp_path, TOKEN) as found:
        yield found


@pytest.fixture
def drive() -> Iterator[GoogleDrive]:
    with google_drive() as app:
        yield app
        assert app.wrong == []


@pytest.fixture
async def room(store: Store, tmp_path: Path, drive: GoogleDrive) -> PapersRoom:
    made = PapersRoom(store, tmp_path / "data")
    made.drive(drive)
    return await made.drafted()


@pytest.mark.server
async def test_a_branch_is_pushed_once(store: Store, tmp_path: Path, git: GitServer) -> None:
    """Also where the answer was lost; without anything planted; the record has one row a version."""
    room = PapersRoom(store, tmp_path / "data")
    room.place("repo", "Repository", "gitpapers", git.url, token=TOKEN)
    await room.drafted("in review")
    with pytest.raises(Conflict, match="it is not published, and nothing of it"):
        await room.ask("repo")
    await room.change(state="final")
    git.drops = 1
    await room.ask("")  # there is but one place
    await room.until("sent")
    await room.ask("repo")
    await room.until("sent", "sent")
    assert len(git._run(git.bare, "log", "--format=%s", f"main..{BRANCH}").splitlines()) == 1
    text = git._run(git.bare, "show", f"{BRANCH}:postmortems/inc-1.md")
    assert not [planted for planted in PLANTED if planted in text]
    assert "inc-1/p.png" in git._run(git.bare, "ls-tree", "-r", "--name-only", BRANCH)
    assert await room.kinds() == ["publish_asked", "publish_late", "published", "publish_asked"]
    row = (await room.rows())[2]
    assert (row.actor, row.data["place"], row.data["reference"]) == ("person:ana", "repo", BRANCH)


async def test_a_document_of_google_docs(room: PapersRoom, drive: GoogleDrive) -> None:
    """With pictures and without anything planted; a later version is the same document."""
    asked = await room.ask("docs")
    assert (asked.state, asked.version) == ("pending", 0)
    await room.until("sent")
    first = await room.copy("docs")
    (made,) = drive.documents
    assert (first.state, first.version, first.reference, first.by) == ("published", 1, made["id"], "ana")  # fmt: skip
    assert (await room.said())[
        -1
    ] == f"The postmortem is published: Google Docs {made['webViewLink']}"
    document = Document(io.BytesIO(drive.uploads[0]))
    cells = [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    text = "\n".join([*(each.text for each in document.paragraphs), *cells])
    assert not [planted for planted in PLANTED if planted in text]
    assert len(document.inline_shapes) >= 1
    await room.change(version=2, markdown="# Light\n\n## Summary\n\nIt is light.\n")
    await room.ask("docs")
    await room.until("sent", "sent")
    second = await room.copy("docs")
    assert (second.version, second.reference, len(drive.documents)) == (2, made["id"], 1)
    assert await room.kinds() == ["publish_asked", "published"] * 2


@pytest.mark.parametrize("when", ["before", "while", "after"])
async def test_a_crash(room: PapersRoom, drive: GoogleDrive, when: str) -> None:
    """Before it was sent, while it was, or before anybody recorded it: resumed, and there once."""
    await room.ask("docs")
    job, surface = await room.taken(), room.surface()
    if when == "while":  # begun, and nothing of it sent
        drive.faults = [Fault("content", lost="before"), Fault("status", lost="before")]
        with pytest.raises(Exception, match="did not answer"):
            await surface._put(await surface._asked(job))
    if when == "after":
        await surface._put(await surface._asked(job))
    await room.lease_over()
    await room.until("sent")
    assert (len(drive.documents), len(drive.uploads)) == (1, 1)
    copy = await room.copy("docs")
    assert (copy.state, copy.reference) == ("published", drive.documents[0]["id"])
    assert await room.kinds() == ["publish_asked", "published"]


async def test_what_a_place_refuses(room: PapersRoom, drive: GoogleDrive) -> None:
    """It says why and what to do; asked again when that is put right, it is there."""
    drive.shared_with.clear()
    await room.ask("docs")
    await room.until("failed")
    copy = await room.copy("docs")
    assert copy.state == "refused"
    assert f"Share the folder, or its shared drive, with {EMAIL}" in copy.error
    assert (await room.said())[-1].startswith("⚠️ The postmortem is not published at docs: Google")
    drive.shared_with.add(EMAIL)
    await room.ask("docs")
    await room.until("failed", "sent")
    assert ((await room.copy("docs")).state, (await room.copy("docs")).error) == ("published", "")
    assert await room.kinds() == ["publish_asked", "publish_refused", "publish_asked", "published"]


async def test_one_that_cannot_be_drawn(
    room: PapersRoom, drive: GoogleDrive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault of ours is said, and it may be asked for again."""
    real = Exports.published

    async def broken(*_: object) -> Paper:
        raise ValueError("no such picture")

    monkeypatch.setattr(Exports, "published", broken)
    await room.ask("docs")
    await room.until("failed")
    assert (await room.copy("docs")).state == "refused"
    assert "cannot be drawn" in (await room.said())[-1]
    monkeypatch.setattr(Exports, "published", real)
    await room.ask("docs")
    await room.until("failed", "sent")
    assert (await room.copy("docs")).state == "published"


async def test_a_place_that_is_away(room: PapersRoom, drive: GoogleDrive) -> None:
    """Said once, and tried on until it is back; asked again it is tried at once, not twice."""
    drive.down()
    await room.ask("docs")
    for again in (False, True):
        working = asyncio.create_task(room.until("sent"))
        async with asyncio.timeout(30):
            while "was not reached" not in (await room.copy("docs")).error:
                await asyncio.sleep(0.02)
        await stop(working)
        await room.lease_over()
        if not again:
            await room.ask("docs")
    drive.up()
    await room.until("sent")
    assert await room.kinds() == ["publish_asked", "publish_late"] * 2 + ["published"]


async def test_what_is_no_longer_to_be_published(room: PapersRoom, drive: GoogleDrive) -> None:
    """Asked for, and then opened again, or its place taken out of the catalog: nothing leaves."""
    await room.ask("docs")
    await room.change(state="draft")
    await room.until("failed")
    assert "is not final (draft)" in (await room.copy("docs")).error
    await room.change(state="final")
    await room.ask("docs")
    room.places.clear()
    await room.until("failed", "failed")
    assert "no place for papers 'docs'" in (await room.copy("docs")).error
    assert drive.asked == []


async def test_asked_for_by_two_at_once(room: PapersRoom, drive: GoogleDrive) -> None:
    """It is on its way once."""
    await asyncio.gather(*(room.ask("docs") for _ in range(4)))
    await room.until("sent")
    assert len(drive.uploads) == 1
    assert await room.kinds() == ["publish_asked", "published"]


async def test_who_may_and_where(sqlite_store: Store, tmp_path: Path) -> None:
    room = PapersRoom(sqlite_store, tmp_path / "data")
    with pytest.raises(NotFound, match="no incident 2"):
        await room.ask("x", number=2)
    await room.drafted(private=True)
    with pytest.raises(NotAllowed, match="role 'commander'"):
        await room.ask("repo", by="ben")
    with pytest.raises(NotFound, match=r"no place for papers ''.*none; write one"):
        await room.ask("")
    for name in ("repo", "wiki"):
        room.place(name, "", "gitpapers", "http://127.0.0.1:9")
    with pytest.raises(Conflict, match="private"):
        await room.ask("repo")
    with pytest.raises(BadInput, match="Say where: repo, wiki"):
        await room.ask("")
    with pytest.raises(NotFound, match=r"no place for papers 'rep'.*did you mean 'repo'"):
        await room.ask("rep")


def test_a_wiki_gets_xml_without_anything_that_runs() -> None:
    """Well-formed, whatever was written; no picture, script or address of our own."""
    made = xhtml(read(paper(more=BY_HAND).gate.markdown(paper(more=BY_HAND).markdown)))
    whole = ET.fromstring(f"<page>{made}</page>")
    assert {each.tag for each in whole.iter()} <= {
        "page", "h1", "h2", "h3", "p", "em", "strong", "a", "ul", "ol", "li", "table", "thead", "tbody",
        "tr", "th", "td", "code", "pre", "blockquote", "hr", "br",
    }  # fmt: skip
    assert all(a.get("href", "").startswith("https://") for a in whole.iter("a"))
    assert "alert(1)" in "".join(whole.itertext())
    assert not [planted for planted in PLANTED if planted in "".join(whole.itertext())]

"""Publishing a postmortem: only what is final, only through the gate, and nothing twice."""

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.access import Dialer
from bot.catalog import Catalog
from bot.chat.outside.papers import PaperPlaces
from bot.delivery import Outbox
from bot.errors import Conflict, JacklineError, NotFound
from bot.incidents import Incident, Incidents
from bot.postmortems import Postmortem
from bot.postmortems.exports import Exports
from bot.postmortems.exports.document import read
from bot.postmortems.exports.remade import xhtml
from bot.registry import load
from bot.store import Store
from bot.timeline import Ledger, rows_of
from tests.postmortems.exports.hostile import BY_HAND, CANARY, PLANTED, paper
from tests.postmortems.story import PNG
from tests.servers.git_http import GitServer, git_server

TOKEN = "push-secret-canary"
BRANCH = "postmortem/inc-1"


@pytest.fixture
def git(tmp_path: Path) -> Iterator[GitServer]:
    with git_server(tmp_path, TOKEN) as found:
        yield found


async def places(store: Store, folder: Path, url: str, **incident: object) -> PaperPlaces:
    catalog = Catalog.model_validate({
        "people": [{"id": "ana", "name": "Ana Souza", "email": "ana@example.com"}],
        "targets": [{"name": "git/papers", "url": url, "settings": {"token": TOKEN}}],
        "paper_places": [{"id": "repo", "title": "Repository", "integration": "gitpapers", "target": "git/papers"}],
    })  # fmt: skip
    incidents = Incidents(Ledger(b"k"), Outbox(()), lambda: catalog)
    (folder / "evidence").mkdir(parents=True)
    (folder / "evidence" / "p.png").write_bytes(PNG)
    async with store.write() as session:
        given = {"title": "Dark", "severity": "sev1", "origin": "o", "declared_by": "person:ana"}
        session.add(Incident(**{**given, **incident}))
        written = paper(more=BY_HAND).markdown
        session.add(Postmortem(incident_id=1, markdown=written, html="", drawn_from=1))
    dialer = Dialer(lambda: catalog)
    exports = Exports(lambda: catalog, folder, [CANARY])
    return PaperPlaces(store, incidents, load(), dialer, exports)


async def state(store: Store, word: str) -> None:
    async with store.write() as session:
        (await session.get_one(Postmortem, 1)).state = word


@pytest.mark.server
async def test_a_final_postmortem_is_published_once(store: Store, tmp_path: Path, git: GitServer) -> None:  # fmt: skip
    """Refused until it is final; then a branch without anything planted; the record has one row."""
    at = await places(store, tmp_path / "data", git.url)
    for word in ("draft", "in review"):
        await state(store, word)
        with pytest.raises(Conflict, match=f"not final .{word}."):
            await at.publish(1, "repo", "person:ana")
    await state(store, "final")
    git.drops = 1
    with pytest.raises(JacklineError):  # the answer is lost: nobody knows, so nothing is recorded
        await at.publish(1, "repo", "person:ana")
    for _ in range(2):
        assert (await at.publish(1, "repo", "person:ana")).reference == BRANCH
    assert len(git._run(git.bare, "log", "--format=%s", f"main..{BRANCH}").splitlines()) == 1
    text = git._run(git.bare, "show", f"{BRANCH}:postmortems/inc-1.md")
    assert not [planted for planted in PLANTED if planted in text]
    assert "inc-1/p.png" in git._run(git.bare, "ls-tree", "-r", "--name-only", BRANCH)
    async with store.read() as session:
        rows = [r for r in await rows_of(session, 1) if r.kind == "postmortem_published"]
    assert [(r.actor, r.data["place"], r.data["reference"]) for r in rows] == [("person:ana", "repo", BRANCH)]  # fmt: skip


async def test_what_is_not_published(sqlite_store: Store, tmp_path: Path) -> None:
    at = await places(sqlite_store, tmp_path, "http://127.0.0.1:9", private=True)
    await state(sqlite_store, "final")
    with pytest.raises(Conflict, match="private"):
        await at.publish(1, "repo", "person:ana")
    with pytest.raises(NotFound, match="no place for papers 'rep'"):
        await at.publish(1, "rep", "person:ana")
    with pytest.raises(NotFound, match="no incident 2"):
        await at.publish(2, "repo", "person:ana")


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

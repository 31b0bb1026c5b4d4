"""cState: commits pushed to a real bare repository over HTTP, and read back with git."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.contract import Published, StatusPage
from bot.errors import AuthFailed, NotSent, Rejected, Retryable, Unknown
from integrations.cstate.issue import added, has, state_of
from integrations.cstate.page import CState
from tests.integrations.direct import direct
from tests.integrations.pages import FIRST, HOSTILE, RESOLVED
from tests.servers.git_http import GitServer, git_server
from tests.servers.process import HOST, free_port

TOKEN = "push-secret"
FILE = "content/issues/2026-03-01-jackline-12-1772334840.md"
server = pytest.mark.server


@pytest.fixture
def git(tmp_path: Path) -> Iterator[GitServer]:
    with git_server(tmp_path, TOKEN) as found:
        yield found


def at(git: GitServer, **settings: str) -> Any:
    given = {"token": TOKEN, "site": "https://status.example.com"} | settings
    return direct("cstate/public", git.url, settings=given)


def front(text: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(text.removeprefix("---\n").split("\n---\n")[0])
    return found


def test_it_is_a_status_page() -> None:
    assert isinstance(CState(), StatusPage)


@server
async def test_an_incident_from_its_opening_to_its_end(git: GitServer) -> None:
    """Each update is one commit on the one file; nothing else of the repository changes."""
    before = git.files()
    async with at(git) as there:
        first = await CState().publish(FIRST, "", there)
        assert first == Published(
            reference=FILE, state="investigating",
            url="https://status.example.com/issues/2026-03-01-jackline-12-1772334840/",
        )  # fmt: skip
        assert await CState().publish(FIRST, first.reference, there) == first
        last = await CState().publish(RESOLVED, first.reference, there)
        assert last.state == "resolved"
        assert await CState().read(FILE, there) == last
        assert await CState().read("content/issues/other.md", there) is None
    text = git.show(FILE)
    assert front(text) == {
        "title": "Payments fail: cards", "date": "2026-03-01 03:14:00", "resolved": True,
        "severity": "down", "affected": ["8kbf7d35c070"], "section": "issue",
        "resolvedWhen": "2026-03-01 04:00:00",
    }  # fmt: skip
    assert text.index("*Resolved* - All is well.") < text.index("*Investigating* - Some card")
    assert '{{< track "2026-03-01 03:20:00" >}}' in text
    assert git.files() == sorted([*before, FILE])
    assert git.log()[:3] == [
        "Jackline: Resolved: Payments fail: cards", "Jackline: Investigating: Payments fail: cards",
        "Eve: edit content/issues/old.md",
    ]  # fmt: skip


@server
async def test_a_push_whose_answer_was_lost(git: GitServer) -> None:
    """It is unknown; then it is found, and not made again."""
    git.drops = 1
    async with at(git) as there:
        assert await CState().find(FIRST, "", there) is None
        with pytest.raises(Unknown):
            await CState().publish(FIRST, "", there)
        found = await CState().find(FIRST, "", there)
    assert found is not None
    assert found.reference == FILE
    assert len(git.log()) == 4


@server
async def test_somebody_pushes_at_the_same_moment(git: GitServer) -> None:
    """It is tried again, on top of theirs; nothing of theirs is lost."""
    git.before = [lambda: git.commit("content/issues/other.md", "theirs\n")]
    async with at(git) as there:
        with pytest.raises((Retryable, Rejected, Unknown)):
            await CState().publish(FIRST, "", there)
        assert await CState().find(FIRST, "", there) is None
        await CState().publish(FIRST, "", there)
    assert git.show("content/issues/other.md") == "theirs\n"
    assert "Some card payments fail" in git.show(FILE)


@server
async def test_what_is_wrong(git: GitServer) -> None:
    """The login, the branch, the address; the token is in no error."""
    async with at(git, token="wrong") as there:
        with pytest.raises(AuthFailed) as refused:
            await CState().publish(FIRST, "", there)
    assert TOKEN not in str(refused.value)
    async with at(git, branch="nothing") as there:
        with pytest.raises(Rejected, match="no branch 'nothing'"):
            await CState().publish(FIRST, "", there)
    async with at(git, branch="../x") as there:
        with pytest.raises(Rejected, match="branch"):
            await CState().publish(FIRST, "", there)
    async with at(git, folder="../x") as there:
        with pytest.raises(Rejected, match="folder"):
            await CState().publish(FIRST, "", there)
    for url, kind in ((git.url + "x", Rejected), (f"http://{HOST}:{free_port()}/x.git", NotSent)):
        async with direct("cstate/public", url, settings={"token": TOKEN}) as there:
            with pytest.raises(kind):
                await CState().publish(FIRST, "", there)


def test_words_stay_words() -> None:
    """No shortcode, HTML or Markdown begins in them, and the front matter keeps its fields."""
    text = added("", HOSTILE)
    assert set(front(text)) == {"title", "date", "resolved", "severity", "affected", "section"}
    assert front(text)["title"] == " ".join(HOSTILE.title.split())
    body = text.split("\n---\n", 1)[1]
    assert body.count("{{") == 1
    assert "<script" not in body
    assert "\\[a\\](http://x) \\*b\\* \\`c\\` &amp; \\\\ --&gt;" in body
    again = added(text, RESOLVED)
    assert (state_of(text), state_of(again)) == ("investigating", "resolved")


def test_what_people_edit_by_hand_stays() -> None:
    """Fields of theirs, components, words; and severity does not fall while it is open."""
    text = added("", FIRST).replace("section: issue", "section: issue\npin: true")
    text = text.replace("Some card payments fail.", "Some card payments fail (Visa only).")
    text = text.replace("- 8kbf7d35c070", "- 8kbf7d35c070\n- Web")
    later = FIRST.model_copy(update={"id": "u2", "components": {"8kbf7d35c070": "degraded_performance"}})  # fmt: skip
    again = added(text, later)
    assert front(again)["pin"] is True
    assert front(again)["affected"] == ["8kbf7d35c070", "Web"]
    assert front(again)["severity"] == "down"
    assert "(Visa only)" in again
    assert added(again, later) == again
    assert has(again, "u2")


def test_a_file_that_cannot_be_read() -> None:
    with pytest.raises(Rejected, match="by hand"):
        added("no front matter", FIRST)

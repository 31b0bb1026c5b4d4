"""A repository of postmortems: branches pushed to a real bare repository over HTTP, read back with git."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.contract import Paper, PaperPlace
from bot.errors import AuthFailed, Rejected, Retryable, Unknown
from integrations.gitpapers.place import GitPapers
from tests.integrations.direct import direct
from tests.servers.git_http import GitServer, git_server

TOKEN = "push-secret"
PAPER = Paper(
    id="inc-12", title="Postmortem INC-12: dark", markdown="---\nid: INC-12\n---\n# Dark\n\n![g](../evidence/a.png)\n",
    body="<h1>Dark</h1>", docx=b"", pictures={"a.png": b"\x89PNG", "b.png": b"\x89PNGb"},
)  # fmt: skip
BRANCH = "postmortem/inc-12"
server = pytest.mark.server


@pytest.fixture
def git(tmp_path: Path) -> Iterator[GitServer]:
    with git_server(tmp_path, TOKEN) as found:
        yield found


def at(git: GitServer, **settings: str) -> Any:
    return direct("git/postmortems", git.url, settings={"token": TOKEN} | settings)


def branch(git: GitServer, what: str) -> str:
    """What git itself says of the bare repository."""
    return git._run(git.bare, *what.split())


def test_it_is_a_place_for_papers() -> None:
    assert isinstance(GitPapers(), PaperPlace)


@server
async def test_a_branch_with_a_commit(git: GitServer) -> None:
    """From the base, with the pictures beside it; again adds nothing; a change is one commit more."""
    main = branch(git, "rev-parse main")
    async with at(git, site="https://git.example.com/acme/p/blob") as there:
        done = await GitPapers().put_paper(PAPER, there)
        assert (done.reference, done.state) == (BRANCH, "pushed")
        assert done.url == f"https://git.example.com/acme/p/blob/{BRANCH}/postmortems/inc-12.md"
        first = branch(git, f"rev-parse {BRANCH}")
        assert await GitPapers().put_paper(PAPER, there) == done
        assert branch(git, f"rev-parse {BRANCH}") == first
        await GitPapers().put_paper(PAPER.model_copy(update={"markdown": "# Darker\n"}), there)
    branch(git, "fsck --strict")
    assert branch(git, "rev-parse main") == main
    assert branch(git, f"log --format=%s main..{BRANCH}").splitlines() == ["Postmortem: Postmortem INC-12: dark"] * 2  # fmt: skip
    assert branch(git, f"show {first.strip()}:postmortems/inc-12.md").endswith(
        "![g](inc-12/a.png)\n"
    )
    assert branch(git, f"show {BRANCH}:postmortems/inc-12.md") == "# Darker\n"
    files = branch(git, f"ls-tree -r --name-only {BRANCH}").split()
    assert {"README.md", "postmortems/inc-12/a.png", "postmortems/inc-12/b.png"} <= set(files)


@server
async def test_a_push_whose_answer_was_lost(git: GitServer) -> None:
    """Published again, it is found: one branch, one commit."""
    git.drops = 1
    async with at(git) as there:
        with pytest.raises(Unknown):
            await GitPapers().put_paper(PAPER, there)
        await GitPapers().put_paper(PAPER, there)
    assert len(branch(git, f"log --format=%s main..{BRANCH}").splitlines()) == 1


@server
async def test_two_make_the_branch_at_once(git: GitServer) -> None:
    """The later one is refused, and then comes on top."""

    def other() -> None:
        git.git("checkout", "-q", "-B", BRANCH, "origin/main")
        (git.work / "theirs.md").write_text("theirs\n")
        git.git("add", "-A")
        git.git("commit", "-q", "-m", "theirs")
        git.git("push", "-q", "origin", BRANCH)

    git.before = [other]
    async with at(git) as there:
        with pytest.raises((Retryable, Rejected, Unknown)):
            await GitPapers().put_paper(PAPER, there)
        await GitPapers().put_paper(PAPER, there)
    assert branch(git, f"show {BRANCH}:theirs.md") == "theirs\n"
    assert "Dark" in branch(git, f"show {BRANCH}:postmortems/inc-12.md")


@server
async def test_what_is_wrong(git: GitServer) -> None:
    for settings, kind, said in (
        ({"token": "wrong"}, AuthFailed, "refuses the login"),
        ({"base": "nothing"}, Rejected, "no branch 'nothing'"),
        ({"prefix": "../"}, Rejected, "branch"),
        ({"folder": "../x"}, Rejected, "folder"),
    ):
        async with at(git, **settings) as there:
            with pytest.raises(kind, match=said) as refused:
                await GitPapers().put_paper(PAPER, there)
        assert TOKEN not in str(refused.value)

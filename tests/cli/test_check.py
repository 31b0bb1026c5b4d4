"""`jackline check`: every problem as file:line, an exit code for the pipeline, JSON for tools."""

import os
import re
from pathlib import Path

import pytest

from tests.cli.conftest import ROOT, RUNBOOK, Cli
from tests.plainly import without_columns


def test_a_good_folder(cli: Cli) -> None:
    done = cli("check", str(cli.folder / "runbooks"))
    assert (done.code, done.out, done.err) == (0, "1 runbooks, 0 problems\n", "")
    assert cli("check").out == done.out  # the folder of the settings
    assert cli("check", "--json").json() == {"runbooks": 1, "problems": [], "warnings": []}
    assert not (cli.folder / "data").exists()


def test_what_ships_is_good(cli: Cli) -> None:
    done = cli("check", str(ROOT / "runbooks"))
    assert done.code == 0
    assert re.fullmatch(r"[1-9]\d* runbooks, 0 problems\n", done.out)


def test_every_problem_is_named_with_its_line(cli: Cli) -> None:
    """Exit 1; all of them in one go, of all files."""
    for name in ("a", "b"):
        broken = RUNBOOK.replace("http.check", "http.chek").replace("id: look", f"id: {name}", 1)
        (cli.folder / "runbooks" / f"{name}.md").write_text(broken.replace("path:", "pth:"))
    done = cli("check")
    assert done.code == 1
    *lines, last = done.out.splitlines()
    assert last == f"3 runbooks, {len(lines)} problems"
    assert len(lines) >= 2
    for line in lines:
        assert re.match(r"\S+/runbooks/[ab]\.md:\d+:\d+: \S", line), line


def test_a_broken_template_of_postmortems_is_named_with_its_line(cli: Cli) -> None:
    """It is tried before an incident needs it."""
    folder = cli.folder / "runbooks" / "postmortems"
    folder.mkdir()
    (folder / "sev1.md.j2").write_text("# {{ draft.title }}\n{% if %}\n")
    done = cli("check")
    assert done.code == 1
    assert "/postmortems/sev1.md.j2:2:1: Expected an expression" in done.out
    (folder / "sev1.md.j2").write_text("# {{ draft.title }}\n")
    assert cli("check").code == 0


def test_problems_as_json(cli: Cli) -> None:
    (cli.folder / "runbooks" / "look.md").write_text("no front matter")
    done = cli("check", "--json")
    assert done.code == 1
    (problem,) = done.json()["problems"]
    assert problem["path"].endswith("look.md")
    assert problem["line"] == 1
    assert "front matter" in problem["message"]


@pytest.mark.parametrize(
    ("catalog", "place"),
    [
        (b"people:\n  - {id: ana}", ":2: name: is missing"),
        (b"services: [", ":1: "),
        (b"\xff", ":1: is not UTF-8 text"),
        (b"services:\n  - {id: a, title: A, tier: p0, depends_on: [b]}", ":2: depends_on: there is"),
        (
            b"nodes: [{id: 'dns:corp'}]\ndrills:\n  - {name: a, schedule: 0 1 * * *, down: [dns:crop]}",
            ":3: down: Nothing in the catalog is 'dns:crop'; did you mean 'dns:corp'?",
        ),
        (
            b"drills:\n  - {name: a, down: [slack], schedule: 0 1 * * 2}",
            ":2: schedule: '2' is no weekday",
        ),
    ],
)  # fmt: skip
def test_a_broken_catalog_is_a_problem_like_others(cli: Cli, catalog: bytes, place: str) -> None:
    """With its place, in both forms of the answer, and the same exit code."""
    cli.catalog.write_bytes(catalog)
    done = cli("check")
    assert done.code == 1
    assert f"{cli.catalog}{place}" in without_columns(done.out)
    assert done.out.endswith("1 runbooks, 1 problems\n")
    answer = cli("check", "--json")
    assert answer.code == 1
    assert answer.json()["problems"][0]["path"] == str(cli.catalog)


@pytest.mark.parametrize("name", ["nowhere", "runbooks/look.md"])
def test_no_folder(cli: Cli, name: str) -> None:
    said = cli("check", str(cli.folder / name)).refused(2)
    assert said == f"{cli.folder / name} is not a folder. Usage: jackline check FOLDER"


def test_an_empty_folder_is_counted_as_such(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert cli("check", str(tmp_path / "empty")).out == "0 runbooks, 0 problems\n"


def test_a_folder_that_may_not_be_read(cli: Cli, tmp_path: Path) -> None:
    """Nothing found in it would look like nothing wrong in it; root may read everything."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o311)
    done = cli("check", str(closed))
    if os.geteuid() == 0:
        assert done.out == "0 runbooks, 0 problems\n"
    else:
        assert done.refused(2).startswith(f"{closed} cannot be read.")

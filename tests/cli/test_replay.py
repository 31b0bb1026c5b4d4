"""``jackline postmortem replay``: a file in, a draft and an answer out. Needs no database."""

import json
from pathlib import Path

import pytest

from bot.postmortems.patterns.catalogue import CASES
from tests.cli.conftest import Cli

CLOUDFLARE = str(CASES / "cloudflare-2019.yaml")
QUIET = """\
title: Disk full
timeline:
  - {utc: "2024-05-01T10:00:00Z", kind: symptom, event: Uploads fail}
  - {utc: "2024-05-01T10:02:00Z", kind: detection, event: "Alert: disk full"}
  - {utc: "2024-05-01T10:10:00Z", kind: recovery, event: Uploads work}
"""


@pytest.mark.slow
def test_the_answer_for_machines(cli: Cli) -> None:
    """Marks, durations, the pattern with its rows; the draft lies where it says."""
    done = cli("postmortem", "replay", CLOUDFLARE, "--out", str(cli.folder / "out"), "--json")
    found = done.json()
    assert found["durations_min"]["decision_to_execution_min"] == 5
    assert found["marks"]["detected"] == {
        "at": "2019-07-02T13:45:00Z", "row": 5, "basis": "first detection that is told",
        "source": "machine",
    }  # fmt: skip
    assert [p["id"] for p in found["patterns"]] == ["global-config-rollout"]
    path = Path(found["draft"])
    assert path == cli.folder / "out" / "cloudflare-2019.md"
    assert path.read_text("utf-8").startswith("---\n")
    assert "<!doctype html>" in path.with_suffix(".html").read_text("utf-8")


def test_the_answer_for_people(cli: Cli) -> None:
    """The same in words; without --out the draft lies in the data folder."""
    done = cli("postmortem", "replay", CLOUDFLARE)
    assert (done.code, done.err) == (0, "")
    assert "May resemble global-config-rollout: score 16 (strong), rows 1, 3, 4" in done.out
    assert "ttr: 27 min" in done.out
    assert f"Draft: {cli.folder}/data/replays/cloudflare-2019.md" in done.out
    assert not (cli.folder / "data" / "jackline.db").exists()


@pytest.mark.slow
def test_abstention(cli: Cli) -> None:
    """An unknown file; its name becomes the draft's."""
    file = cli.folder / "my outage.yaml"
    file.write_text(QUIET)
    found = cli("postmortem", "replay", str(file), "--json").json()
    assert (found["patterns"], found["abstained"]) == ([], True)
    assert Path(found["draft"]).name == "my-outage.md"
    assert "No known pattern." in cli("postmortem", "replay", str(file)).out


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (QUIET.replace("kind: recovery", "kind: recovered"), ":5:"),
        (QUIET.replace("event: Uploads work", "x: y"), "timeline[2].event: is missing"),
        ("[", "expected"),
    ],
)
def test_a_bad_file_is_one_sentence(cli: Cli, text: str, said: str) -> None:
    """Exit 2, with file, line and field."""
    file = cli.folder / "bad.yaml"
    file.write_text(text)
    done = cli("postmortem", "replay", str(file), "--json")
    assert (done.code, done.out) == (2, "")
    assert said in done.err
    assert f"{file}:" in done.err
    assert "Traceback" not in done.err


def test_folders_that_cannot_be(cli: Cli) -> None:
    """A file that is none, a folder that is a file."""
    assert "is not a file" in cli("postmortem", "replay", "nowhere.yaml").refused(2)
    (cli.folder / "file").write_text("x")
    done = cli("postmortem", "replay", CLOUDFLARE, "--out", str(cli.folder / "file"))
    assert "is not a folder" in done.refused(2)
    done = cli("postmortem", "replay", CLOUDFLARE, "--out", str(cli.folder / "file" / "below"))
    assert "cannot be written" in done.refused(2)


@pytest.mark.slow
def test_again_gives_the_same(cli: Cli) -> None:
    """Drawing is pure, and the files are replaced whole."""
    one, other = (cli("postmortem", "replay", CLOUDFLARE, "--json").json() for _ in range(2))
    assert json.dumps(one) == json.dumps(other)

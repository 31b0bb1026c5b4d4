"""Outages and quiet days that were written down before anybody looked at what the matcher makes of them.

Each is a file of its own under `unseen`: `development`, from which words and signals were widened; `test`,
first looked at after that, and then widened from; `last`, written before that second round and first
looked at after it. `variants` are the six cases in other words, with rows missing, over midnight, the end
of the year and the change of summer time. `strangers-development` and `strangers-test` are told as other
writers tell: the second was looked into when all was mended that the first showed. `strangers-real` and
`strangers-invented` were written by two people who knew no code of ours; words were widened from every second
file of theirs, then from all. `strangers-third` is by a third, first looked at after that, and then widened
from; `strangers-fourth` by one more, and nothing is widened from it; `strangers-fifth` by yet another, and widened
from; `strangers-sixth` was first looked at after that. `expected` is the pattern by its structure ([] is none),
`durations_min` was worked out by hand. `not_reached` says of a file what is answered instead, and why: it
fails as soon as that is no longer so. docs/patterns.md has the figures of each first look.
"""

from functools import cache
from pathlib import Path
from statistics import median

import pytest
import yaml

from bot.postmortems.casefile import read_outage
from bot.postmortems.render import markdown
from bot.postmortems.replay import replay
from bot.postmortems.style import check_style
from tests.postmortems.rubric import Truth, score
from tests.postmortems.test_replay import uncited

pytestmark = pytest.mark.slow

FOLDER = Path(__file__).parent / "unseen"
FILES = {f"{path.parent.name}/{path.stem}": path for path in sorted(FOLDER.glob("*/*.yaml"))}
STRANGERS = (
    "strangers-development",
    "strangers-test",
    "strangers-real",
    "strangers-invented",
    "strangers-third",
    "strangers-fourth",
    "strangers-fifth",
    "strangers-sixth",
)
PAGE = Path(__file__).parents[2] / "docs" / "patterns.md"


@cache
def sheet(path):
    """What the file says beside its timeline."""
    return yaml.load(path.read_text("utf-8"), Loader=yaml.CSafeLoader)


@cache
def retold(name):
    """Read once for all tests."""
    return replay(read_outage(FILES[name]))


@cache
def written(name):
    """Its draft as Markdown, drawn once for all tests."""
    return markdown(retold(name).draft)


def first(made):
    found = made.resemblance.matches
    return [found[0].pattern.ref] if found else []


@pytest.mark.parametrize("name", FILES)
def test_the_pattern_or_abstention(name):
    """The one that its structure has, or none; what is not reached says what is answered instead, and why."""
    wanted = sheet(FILES[name])
    answered = first(retold(name))
    if gap := wanted.get("not_reached", {}).get("pattern"):
        assert answered == gap["answered"] != wanted["expected"]
        assert len(gap["why"]) > 40
    else:
        assert answered == wanted["expected"]


@pytest.mark.parametrize("name", FILES)
def test_durations_to_the_minute(name):
    """As counted by hand from the rows, null where no row with a clock time tells of both ends."""
    wanted = sheet(FILES[name])
    found = retold(name).durations
    missed = wanted.get("not_reached", {}).get("durations_min", {})
    for title, minutes in (wanted.get("durations_min") or {}).items():
        if title in missed:
            assert found.get(title) == missed[title]["answered"] != minutes, title
        else:
            assert found.get(title) == minutes, title


@pytest.mark.parametrize("name", FILES)
def test_the_draft_invents_nothing(name):
    """Every sentence on causes cites a row; no wording of our own blames or says what might have been."""
    path = FILES[name]
    made = retold(name).draft
    assert uncited(made) == []
    said = " ".join(row["event"] for row in sheet(path)["timeline"])
    remarks = [each for each in check_style(written(name), name) if each.found not in said]
    assert [str(each) for each in remarks] == []


@pytest.mark.parametrize("name", FILES)
def test_the_rubric_by_its_script(name):
    """No hard failure; full marks are out of reach where the file has no severity, cost or runbook."""
    scored = score(written(name), Truth("unknown"))
    said = " ".join(row["event"] for row in sheet(FILES[name])["timeline"])
    ours = [each for each in scored.failures if each.removeprefix("blame: ") not in said]
    assert ours == []
    for number in (7, 8, 15, 16):
        assert scored.points[number][0] == 2, (number, scored.points[number])


@pytest.mark.slow
def test_the_scores_are_printed(capsys):
    """Of 20; six points ask for what no such file has: severity, cost, burn, dates, earlier incidents."""
    totals = [score(written(name), Truth("unknown")).total for name in FILES]
    with capsys.disabled():
        print(f"\nunseen outages, machine-checkable points: {min(totals)} to {max(totals)} of 20, median {median(totals):g}")  # fmt: skip
    assert min(totals) >= 10


def test_the_figures_on_the_page_are_those_of_the_files():
    """How many there are, how many are reached, and that nothing wrong is suggested."""
    page = PAGE.read_text("utf-8")
    for half in ("development", "test", "last", "variants", *STRANGERS):
        sheets = [sheet(path) for name, path in FILES.items() if name.startswith(f"{half}/")]
        missed = [s for s in sheets if s.get("not_reached", {}).get("pattern")]
        outages = [s for s in sheets if s["expected"] or not s["id"].startswith("quiet-")]
        right = len(outages) - len([s for s in missed if s in outages])
        quiet = len(sheets) - len(outages)
        assert f"| {half} | {right} of {len(outages)} | {quiet} of {quiet} |" in page, half

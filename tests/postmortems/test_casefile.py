"""Outages as files: the six that ship are whole, and what is wrong with one is said by line and field."""

import pytest
import yaml

from bot.located import BadFile
from bot.postmortems.casefile import CaseStudy, read_outage
from bot.postmortems.patterns.catalogue import CASES, case_ids, case_study, catalogue

GOOD = """\
title: Shop down
timeline:
  - {utc: "2024-05-01T10:00:00Z", kind: symptom, event: Down}
  - {utc: null, kind: recovery, event: Up}
"""


def refused(tmp_path, text):
    path = tmp_path / "outage.yaml"
    path.write_text(text)
    with pytest.raises(BadFile) as caught:
        read_outage(path)
    return str(caught.value).replace(f"{tmp_path}/", ""), caught.value.field


def test_six_cases_ship_each_with_its_pattern_and_sources():
    """And what the article tells differently; each pattern has its case."""
    studies = {name: case_study(name) for name in case_ids()}
    assert len(studies) == 6
    patterns = {pattern.case: pattern.id for pattern in catalogue().patterns}
    assert {name: study.pattern for name, study in studies.items()} == patterns
    for study in studies.values():
        assert isinstance(study, CaseStudy)
        assert study.sources
        assert study.seed_differences
        assert study.id in (path.stem for path in CASES.glob("*.yaml"))


def test_a_good_file_is_read(tmp_path):
    (tmp_path / "o.yaml").write_text(GOOD)
    told = read_outage(tmp_path / "o.yaml")
    assert [row.kind for row in told.timeline] == ["symptom", "recovery"]


@pytest.mark.parametrize(
    ("old", "new", "place", "field", "words"),
    [
        ("kind: symptom", "kind: sympton", "outage.yaml:3:", "timeline[0].kind", "Input should be"),
        ("10:00:00Z", "25:00:00Z", "outage.yaml:3:", "timeline[0].utc", "is not a time such as"),
        ('"2024-05-01T10:00:00Z"', "7", "outage.yaml:3:", "timeline[0].utc", "is not a time such as"),
        ("event: Up", "evnt: Up", "outage.yaml:4:", "timeline[1]", "did you mean 'event'"),
        ("event: Up", "x: Up", "outage.yaml:4:", "timeline[1].event", "is missing"),
        ("title: Shop down", "tilte: Shop", "outage.yaml:1:", "", "did you mean 'title'"),
        ("title: Shop down\n", "title: A\ntitle: B\n", "outage.yaml:", "", "given twice"),
        ("kind: recovery", 'kind: recovery, between: ["2024-05-02T00:00:00Z", "2024-05-01T00:00:00Z"]',
         "outage.yaml:4:", "timeline[1]", "the first time is after the second"),
        ("- {utc: null", "- {t_plus_min: soon, utc: null", "outage.yaml:4:", "timeline[1].t_plus_min", "is not a number"),
        ("- {utc: null", "- hello\n  - {utc: null", "outage.yaml:4:", "timeline[1]", "is not a mapping of fields"),
        ("event: Up", 'event: " "', "outage.yaml:4:", "timeline[1].event", "is empty"),
        ("event: Up", "event: 7", "outage.yaml:4:", "timeline[1].event", "is not a text"),
        ("kind: recovery", "kind: recovery, between: noon", "outage.yaml:4:", "timeline[1].between", "two times"),
        ("kind: recovery", "kind: recovery, approx: maybe", "outage.yaml:4:", "timeline[1].approx", "true or false"),
        ('"2024-05-01T10:00:00Z"', "[1]", "outage.yaml:3:", "timeline[0].utc", "is not a time such as"),
        ("2024-05-01T10:00:00Z", "0001-01-01T00:00:00+05:00", "outage.yaml:3:", "timeline[0].utc", "between the years"),
        ("2024-05-01T10:00:00Z", "9999-12-31T23:59:00-05:00", "outage.yaml:3:", "timeline[0].utc", "between the years"),
        ("Shop down", "[a]", "outage.yaml:1:", "title", "is not a text"),
        ("timeline:", "timeline: [", "outage.yaml:3:", "", "expected"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_line_and_field(tmp_path, old, new, place, field, words):
    """One sentence, no traceback."""
    said, where = refused(tmp_path, GOOD.replace(old, new))
    assert said.startswith(place)
    assert (where, words in said) == (field, True), said


@pytest.mark.parametrize("text", ["", "- a\n- b\n", "7", "title: x\ntimeline: []\n", "title: x\n", "\x00", "a: &a [*a]\n"])  # fmt: skip
def test_what_is_no_outage_is_refused(tmp_path, text):
    assert refused(tmp_path, text)[0].startswith("outage.yaml:")


def test_a_time_without_a_zone_is_utc_and_another_zone_is_converted(tmp_path):
    """The field says so."""
    path = tmp_path / "o.yaml"
    rows = [{"utc": each, "kind": "note", "event": "x"} for each in ("2024-05-01 10:00:00", "2024-05-01T12:00:00+02:00")]  # fmt: skip
    path.write_text(yaml.safe_dump({"title": "x", "timeline": rows}))
    times = {row.utc.isoformat() for row in read_outage(path).timeline}
    assert times == {"2024-05-01T10:00:00+00:00"}


def test_a_day_without_a_time_is_its_beginning(tmp_path):
    """YAML reads a bare date as one."""
    (tmp_path / "o.yaml").write_text(GOOD.replace('"2024-05-01T10:00:00Z"', "2024-05-01"))
    assert read_outage(tmp_path / "o.yaml").timeline[0].utc.isoformat() == "2024-05-01T00:00:00+00:00"  # fmt: skip


def test_a_file_of_any_size_is_refused_before_it_is_read(tmp_path):
    """Ten gigabytes by mistake, of which nothing is stored."""
    with (tmp_path / "o.yaml").open("wb") as file:
        file.truncate(10_000_000_000)
    with pytest.raises(BadFile, match="has more than"):
        read_outage(tmp_path / "o.yaml")


@pytest.mark.parametrize("text", ["title: caf\udce9\n", "a: &a [x]\nb: &b [*a, *a]\ntimeline: [*b, *b]\ntitle: x\n", "title: !!python/name:os.system x\n", "? [a]\n: 1\n"])  # fmt: skip
def test_bytes_bombs_and_tags_are_refused_by_their_place(tmp_path, text):
    """Not UTF-8, aliases of aliases, tags of programs, keys that are lists."""
    (tmp_path / "outage.yaml").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(BadFile, match=r"outage\.yaml:\d+:"):
        read_outage(tmp_path / "outage.yaml")


def test_actions_of_the_catalogue_can_be_measured():
    """Each has an owner's role, a type and a criterion; each pattern prevents and detects or recovers."""
    for pattern in catalogue().patterns:
        types = {action.type for action in pattern.actions}
        assert types & {"detect", "recover"}, pattern.id
        assert all(len(action.done_when) > 20 for action in pattern.actions)
        assert len(pattern.questions) >= 5

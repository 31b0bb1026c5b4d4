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
        ("event: Up", "x: Up", "outage.yaml:4:", "timeline[1].event", "Field required"),
        ("title: Shop down", "tilte: Shop", "outage.yaml:1:", "", "did you mean 'title'"),
        ("title: Shop down\n", "title: A\ntitle: B\n", "outage.yaml:", "", "given twice"),
        ("kind: recovery", 'kind: recovery, between: ["2024-05-02T00:00:00Z", "2024-05-01T00:00:00Z"]',
         "outage.yaml:4:", "timeline[1]", "the first time is after the second"),
        ("- {utc: null", "- {t_plus_min: soon, utc: null", "outage.yaml:4:", "timeline[1].t_plus_min", "valid number"),
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


def test_actions_of_the_catalogue_can_be_measured():
    """Each has an owner's role, a type and a criterion; each pattern prevents and detects or recovers."""
    for pattern in catalogue().patterns:
        types = {action.type for action in pattern.actions}
        assert types & {"detect", "recover"}, pattern.id
        assert all(len(action.done_when) > 20 for action in pattern.actions)
        assert len(pattern.questions) >= 5

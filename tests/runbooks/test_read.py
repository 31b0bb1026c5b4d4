"""What cannot be read is said with file, line and field, never with a traceback."""

import time

import pytest

from bot.runbooks.read import read
from tests.plainly import without_columns
from tests.runbooks.room import CALL, runbook

HEAD = "---\nschema: runbook/v1\nid: fix\ntitle: Fix\n---\n"
LAUGHS = "a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n" + "\n".join(
    f"{b}: &{b} [*{a}, *{a}, *{a}, *{a}, *{a}, *{a}, *{a}, *{a}, *{a}, *{a}]"
    for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)


def step(text: str) -> str:
    """A runbook whose first step's YAML begins on line 8."""
    return f"{HEAD}## Step\n```yaml step\n{text}\n```\n"


def test_a_good_runbook_has_its_parts() -> None:
    """Front matter, headings, prose and the line of each step."""
    text = f"{HEAD}Use with care.\n\n## Look\nFirst look.\n```yaml step\nid: look\n{CALL}\n```\n"
    found, problems = read(text, "fix.md")
    assert problems == []
    assert found is not None
    assert (found.id, found.intro, found.front.approvals.count) == ("fix", "Use with care.", 1)
    (written,) = found.steps
    assert (written.heading, written.prose, written.line) == ("Look", "First look.", 10)
    assert written.step.timeout == 60


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "1: must begin with YAML front matter"),
        ("# Fix\n", "1: must begin with YAML front matter"),
        ("---\nid: fix\n", "1: must begin with YAML front matter"),
        ("---\n---\n## x\n", "2: must be a YAML mapping"),
        (HEAD, "6: has no step: add a ```yaml step block"),
        (HEAD.replace("title: Fix\n", ""), "2: title: Field required"),
        (HEAD.replace("title:", "titel:"), "4: titel: unknown field; did you mean 'title'?"),
        (HEAD.replace("Fix", "''"), "4: title: String should have at least 1 character"),
        (HEAD.replace("v1", "v2"), "2: schema: Input should be 'runbook/v1'"),
        (HEAD.replace("id: fix", "id: Fix It"), "3: id: String should match pattern"),
        (HEAD.replace("title: Fix", "title: A\ntitle: B"), "5: 'title' is given twice"),
        (HEAD.replace("Fix", "[a"), "4: expected ',' or ']'"),
        (HEAD.replace("Fix", "a: b: c"), "4: mapping values are not allowed here"),
        (HEAD.replace("Fix", '"\x01"'), "4: has a character that YAML does not allow"),
        (
            HEAD.replace("title: Fix", "title: Fix\napprovals: {cuont: 2}"),
            "5: approvals.cuont: unknown field; did you mean 'count'?",
        ),
        (
            HEAD.replace("title: Fix", "title: Fix\ninputs:\n  n: {type: integer, mni: 2}"),
            "6: inputs.n.mni: unknown field; did you mean 'min'?",
        ),
        (
            HEAD.replace("title: Fix", "title: Fix\nblast_radius: {max_share: 1.5}"),
            "5: blast_radius.max_share: Input should be less than or equal to 1",
        ),
        (step("- id: a"), "8: must be a YAML mapping"),
        (step(""), "8: must be a YAML mapping"),
        (step("id: a"), "8: a step is one of action, manual,"),
        (step("id: a\nid: b"), "9: 'id' is given twice"),
        (step("id: a\naction: b\nwith:\n  x: 1\n  x: 2"), "12: 'x' is given twice"),
        (step("id: a\naction: b\ngards: []"), "10: gards: unknown field; did you mean 'guards'?"),
        (
            step("id: a\naction: b\nguards:\n  - expect: x\n  - {expcet: y}"),
            "12: guards.1.expcet: unknown field; did you mean 'expect'?",
        ),
        (step("id: a\naction: b\nneds: [c]"), "10: neds: unknown field; did you mean 'needs'?"),
        (step("id: a\naction: b\ntimeout: 30"), "10: timeout: must be a duration such as 30s"),
        (step("id: a\naction: b\ntimeout: 8d"), "10: timeout: Input should be less than"),
        (step("id: a\naction: b\ntimeout: 0s"), "10: timeout: Input should be greater than 0"),
        (step("id: a\naction: b\non_failure: aks"), "10: on_failure: Input should be 'stop'"),
        (step("id: a\naction: b\nretry: {attempts: 99}"), "10: retry.attempts: Input should be"),
        (step("id: a\naction: b\nvia: direct"), "10: via: Input should be a valid list"),
        (step("id: a\naction: b\nwith: 3"), "10: with: Input should be a valid dictionary"),
        (step("id: 2026-13-45"), "8: '2026-13-45' cannot be read: month must be in 1..12"),
        (step("id: !!bool perhaps"), "8: 'perhaps' cannot be read"),
        (step("id: !!python/object:os.system x"), "8: could not determine a constructor"),
        (step("[a, b]: c"), "8: a key must be plain text"),
        (step("id: a\naction: b\nwith: &w {self: *w}"), "10: found unconstructable recursive node"),
        (step("id: a\nwith: " + "[" * 3000), "8: is nested too deeply"),
        (step(LAUGHS), "8: holds more than 5000 values"),
        (f"{HEAD}```yaml step\nid: a\naction: b\n```\n", "6: a step must stand under a ## heading"),
        (f"{HEAD}## A\n```yaml stpe\nid: a\n```\n", "7: ```yaml stpe: write ```yaml step"),
        (f"{HEAD}## A\n```YML  step\nid: a\n```\n", "7: ```YML  step: write ```yaml step"),
    ],
)
def test_a_broken_runbook(text: str, expected: str) -> None:
    """The line is the one to edit, and a near miss is suggested."""
    found, problems = read(text, "fix.md")
    assert found is None
    assert f"fix.md:{expected}" in "\n".join(map(without_columns, problems))


def test_two_steps_of_one_name() -> None:
    """The second one is reported where it stands."""
    text = runbook(CALL, CALL).replace("id: s2", "id: s1")
    found, (problem,) = read(text, "fix.md")
    assert found is None
    assert str(problem) == f"fix.md:{problem.line}:1: id: 's1' is given twice"
    assert text.splitlines()[problem.line - 1] == "id: s1"


def test_every_problem_is_reported_at_once() -> None:
    """Nobody fixes one line only to be told of the next, and the lines are in order."""
    text = runbook("action: b\ngards: []", "acton: b").replace("title:", "titel:")
    _, problems = read(text, "fix.md")
    lines = [p.line for p in problems]
    assert lines == sorted(lines)
    assert len(lines) == 4  # title twice over, gards, acton


def test_a_bomb_of_aliases_costs_nothing() -> None:
    """A kilobyte that stands for 10**9 values is refused before anything walks through it."""
    began = time.thread_time()
    bomb = "\n".join(f"  {line}" for line in LAUGHS.splitlines())
    _, problems = read(step(f"id: a\naction: http.call\nwith:\n{bomb}"), "fix.md")
    assert len(problems) == 1
    assert time.thread_time() - began < 1


def test_anchors_of_a_reasonable_size_are_fine() -> None:
    """Aliases are YAML that people use: only their growth is refused."""
    text = step("id: a\naction: b\nguards: [&g {expect: x}, *g]\nverify:\n  - {<<: *g, within: 5s}")
    found, problems = read(text, "fix.md")
    assert problems == []
    assert found is not None
    assert [g.expect for g in found.steps[0].step.guards] == ["x", "x"]
    assert found.steps[0].step.verify[0].within == 5


@pytest.mark.parametrize(
    ("written", "expected"),
    [("250ms", 0.25), ("90s", 90), ("5m", 300), ("1.5h", 5400), ("7m", 420)],
)
def test_durations(written: str, expected: float) -> None:
    """A unit is always said."""
    found, problems = read(runbook(f"action: b\ntimeout: {written}"), "fix.md")
    assert problems == []
    assert found is not None
    assert found.steps[0].step.timeout == expected


def test_the_digest_is_of_the_whole_text() -> None:
    """An edit of prose alone is another version: people approved what they read."""
    one, _ = read(runbook(CALL), "fix.md")
    two, _ = read(runbook(CALL).replace("1. Step", "1. Steps"), "fix.md")
    assert one is not None
    assert two is not None
    assert one.digest != two.digest

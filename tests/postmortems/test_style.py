"""The house style: wording that blames is found with its place, and our own drafts are clean."""

import pytest

from bot.postmortems.draft import draft
from bot.postmortems.render import markdown
from bot.postmortems.style import check_style
from tests.postmortems.story import CATALOG, FACTS, blackout


@pytest.mark.parametrize(("text", "rule", "found"), [
    ("We should have seen it.", "counterfactual", "should have"),
    ("They could easily have known.", "counterfactual", "could easily have"),
    ("It wouldn't have spread.", "counterfactual", "wouldn't have"),
    ("The engineer failed to check.", "counterfactual", "failed to"),
    ("Had we known, …", "counterfactual", "Had we known"),
    ("The cause was human error.", "blame", "human error"),
    ("It was their fault.", "blame", "their fault"),
    ("A careless change", "blame", "careless"),
    ("Obviously the cache was cold.", "hindsight", "Obviously"),
    ("The root cause was DNS.", "single cause", "The root cause"),
    ("The team panicked.", "judgement", "panicked"),
    ("Then Ana Souza restarted it.", "name", "Ana Souza"),
    ("Ask <@U888>, not @bo.", "name", "@bo"),
])  # fmt: skip
def test_each_rule(text, rule, found):
    """Rule, the words, and where they stand."""
    (remark,) = check_style(f"# P\n\n{text}", "p.md", CATALOG.people)
    assert (remark.rule, remark.found, remark.line) == (rule, found, 3)
    assert text[remark.column - 1 :].startswith(found)
    assert str(remark).startswith(f"p.md:3:{remark.column}: {rule}: “{found}”. ")
    assert len(remark.suggestion) > 20


@pytest.mark.parametrize("text", [
    "The step failed; the health check of the edge failed 12 times.",
    "`kubelet failed to start` and https://x.example/should-have",
    "```\nthe pod failed to start\n```",
    "*recorded*\n\n> the alert said: failed to connect",
    "Operators errored out of the queue: an error of the operator SDK.",
    "---\ntitle: the root cause\n---\nfine",
    "The commander would haven a break.",
])  # fmt: skip
def test_what_is_no_blame(text):
    """Machines fail; what repeats the record, code and front matter is left alone."""
    assert check_style(text, "p.md", CATALOG.people) == []


def test_a_section_that_a_person_wrote_is_looked_at_again():
    """The record's quotation ends with the next heading."""
    text = "## A\n\n*recorded*\n\nfailed to bind\n\n## B\n\n*written by a person*\n\nIt should have bound.\n"
    assert [remark.line for remark in check_style(text)] == [11]


def test_our_own_drafts_are_clean():
    """What Jackline writes by itself keeps to the style that it asks for."""
    assert (
        check_style(markdown(draft(FACTS, blackout(), CATALOG, {})), "d.md", CATALOG.people) == []
    )

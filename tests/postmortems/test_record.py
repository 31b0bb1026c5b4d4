"""Phases, classes, corrections and folding: what a row is, and how a long record stays readable."""

import re

from bot.postmortems.case import look_at
from bot.postmortems.draft import draft
from bot.postmortems.phases import PHASES
from bot.postmortems.render import markdown
from bot.postmortems.rowclass import CLASSES, class_of
from tests.postmortems.story import CATALOG, FACTS, Story, blackout


def case(rows):
    return look_at(FACTS, rows, CATALOG, {})


def text(rows):
    return markdown(draft(FACTS, rows, CATALOG, {}))


def test_every_row_is_in_a_phase():
    """By time; the row that ends a phase still belongs to it."""
    found = case(blackout())
    assert [found.phases.of[row.seq] for row in found.rows] == (
        ["detection"] * 2 + ["response"] * 8 + ["mitigation"] * 9 + ["recovery"] * 4
    )
    assert [phase.name for phase in found.phases.phases] == list(PHASES)
    assert [round(p.minutes, 1) if p.minutes is not None else None for p in found.phases.phases] == [
        None, 0, 3.0, 28.1, 9.9, 4, None,
    ]  # fmt: skip


def test_a_phase_without_a_row_says_so():
    """Nothing is passed over in silence."""
    shown = text(blackout())
    assert re.search(r"\| before \| phase \|  \| No row is in this phase", shown)
    assert re.search(r"\| after \| phase \|", shown)
    assert "12:00:00 | trigger | mark |  | Impact start" in shown


def test_the_silence_before_the_first_row_is_a_gap():
    """An impact that nobody saw for twenty minutes is not hidden."""
    story = Story()
    story.alert(20, "EdgeErrors firing", starts=0)
    assert "GAP: nothing was recorded for 20 min, until [\\#1](#row-1)" in text(story.rows)


def test_people_class_their_notes():
    """By the word that a note begins with; anything else is just said."""
    story = Story()
    notes = ("trigger: deploy 17", "hypothesis: DNS", "Dropped: DNS", "confirmed: the cache",
             "action: cleared it", "decision: fail over", "eta: 14:00", "nothing: else")  # fmt: skip
    for minute, note in enumerate(notes):
        story.add(minute, "note_added", note, actor="person:ana")
    story.add(9, "note_added", "cause: a machine's guess", actor="jackline")
    assert [class_of(row) for row in story.rows] == [
        "trigger", "hypothesis", "hypothesis dropped", "hypothesis confirmed", "action",
        "decision", "communication", "said", "said",
    ]  # fmt: skip


def test_every_class_is_known():
    """Whatever kind a row has."""
    for kind in ("run_started", "page_sent", "clock_met", "task_added", "moon_phase_changed", "symptom"):  # fmt: skip
        story = Story()
        assert class_of(story.add(1, kind)) in CLASSES


def test_hypotheses_with_what_became_of_them():
    """One that is neither confirmed nor dropped stays an open question."""
    story = Story()
    for minute, note in enumerate((
        "hypothesis: the DNS servers are gone", "hypothesis: the cache is cold",
        "dropped: DNS servers answer", "confirmed: a full disk",
    )):  # fmt: skip
        story.add(minute, "note_added", note, actor="person:ana")
    shown = text(story.rows)
    assert "| the DNS servers are gone | dropped | [\\#1](#row-1) [\\#3](#row-3) |" in shown
    assert "| a full disk | confirmed | [\\#4](#row-4) |" in shown
    assert "| the cache is cold | open | [\\#2](#row-2) |" in shown
    assert "Is this so? the cache is cold [\\#2](#row-2)" in shown


def test_a_correction_is_a_row_and_what_was_withdrawn_is_not_repeated():
    """The first row says where it is put right, the second what it puts right."""
    story = Story()
    said = {"actor": "person:ana", "surface": "slack"}
    story.add(1, "note_added", "cause: the cache", link="https://slack.com/archives/C1/p1", **said)
    story.add(2, "note_added", "a customer's PIN is 4711", link="https://slack.com/archives/C1/p2", **said)  # fmt: skip
    story.add(3, "note_corrected", "cause: the disk", link="https://slack.com/archives/C1/p1", **said)  # fmt: skip
    story.add(4, "note_withdrawn", "Deleted in Slack: a customer's PIN is 4711",
              link="https://slack.com/archives/C1/p2", **said)  # fmt: skip
    shown = text(story.rows)
    assert "cause: the cache (corrected: [\\#3](#row-3))" in shown
    assert "Corrected from [\\#1](#row-1): cause: the disk" in shown
    assert "(withdrawn by its author: [\\#4](#row-4))" in shown
    assert "4711" not in shown
    factors = shown.split("## Contributing factors")[1].split("###")[0]
    assert "the disk" in factors
    assert "the cache" not in factors


def test_a_long_record_is_folded_and_nothing_is_uncounted():
    """Machines' rows that nothing cites are one line; all rows are shown or counted, citations lead somewhere."""
    story = Story()
    story.add(0, "incident_declared", "SEV1 declared", actor="source:a")
    for number in range(1_000):
        story.alert(1 + number / 100, "x firing", fingerprint=f"f{number % 7}")
        if number % 100 == 50:
            story.add(1 + number / 100, "note_added", "looked at it", actor="person:ana")
    shown = text(story.rows)
    table = shown.split("## Timeline")[1].split("\n## ")[0]
    single = len(re.findall(r'<a id="row-\d+">', table))
    folded = sum(int(n) for n in re.findall(r"\| (\d+) rows: ", table))
    assert single + folded == len(story.rows)
    assert single < 40
    assert table.count("looked at it") == 10
    anchors = set(re.findall(r'<a id="row-(\d+)"', shown))
    assert set(re.findall(r"\(#row-(\d+)\)", shown)) <= anchors


def test_the_commanders_wall_clock_stands_beside_utc():
    """Where the catalog knows it."""
    people = [p.model_copy(update={"timezone": "Europe/Berlin"}) for p in CATALOG.people]
    made = draft(FACTS, blackout(), CATALOG.model_copy(update={"people": people}), {})
    shown = markdown(made)
    assert "in brackets Europe/Berlin" in shown
    assert "| 12:05:00 (13:05) |" in shown

"""A draft's own pictures: the same record gives the same bytes, and no text can break them."""

from datetime import timedelta

import pytest

from bot.contract import Graph, Series
from bot.postmortems.case import Around, look_at
from bot.postmortems.charts import draw
from bot.postmortems.draft import draft
from bot.postmortems.plots import Event, figures_of, plots, window
from bot.postmortems.render import html, media_type
from tests.postmortems.story import CATALOG, FACTS, NOON, Story, blackout
from tests.postmortems.test_escape import NASTY


def plotted(rows, around=None):
    return plots(look_at(FACTS, rows, CATALOG, {}, around))


@pytest.mark.slow
def test_the_same_record_gives_the_same_bytes():
    """Names and content: SVG and PNG of the timeline and of the clock."""
    one, two = draw(plotted(blackout())), draw(plotted(list(reversed(blackout()))))
    assert one == two
    assert sorted(media_type(content) for content in one.values()) == ["image/png"] * 2 + ["image/svg+xml"] * 2  # fmt: skip
    assert all(name.startswith(("inc-12-timeline-", "inc-12-clock-")) for name in one)


def test_the_days_that_a_timeline_spans_are_said():
    """One day once; over midnight both, or a day would look like an hour."""
    start, end = Event(NOON, "a", mark=True), timedelta(hours=1)
    assert window([start, Event(NOON + end, "b", mark=True)]) == "2026-01-07 12:00 to 13:00 UTC"
    later = Event(NOON + timedelta(days=1) + end, "b", mark=True)
    assert window([start, later]) == "2026-01-07 12:00 to 2026-01-08 13:00 UTC"


def test_what_the_pictures_show():
    """Phases and silences with their bounds, the marks and what matters beside them, nobody's name."""
    found = plotted(blackout())
    assert [s.name for s in found.phases] == ["detection", "response", "mitigation", "recovery"]
    assert [(g.start, g.end) for g in found.gaps] == [
        (NOON + timedelta(minutes=6), NOON + timedelta(minutes=30))
    ]
    assert {event.label for event in found.events if event.mark} == {
        "Impact start", "Detected", "Declared", "Acknowledged", "Mitigated", "Resolved",
    }  # fmt: skip
    assert len(found.events) <= 14
    assert not any("Ana" in event.label or "Bo" in event.label for event in found.events)
    assert [bar.length for bar in found.bars][-1] == 45


def test_nothing_to_show_is_no_picture():
    """Neither a file nor a place for one in the text."""
    assert figures_of(plotted([])) == []
    assert draw(plotted([])) == {}


@pytest.mark.slow
def test_hostile_and_odd_records_are_drawn():
    """Formulas, marks that turn text round, everything in one second, years of it."""
    story = Story()
    story.alert(0, "$\\frac{" + NASTY)
    story.add(0, "decision_made", "$\\undefined$ " + NASTY, actor="person:ana")
    assert len(draw(plotted(story.rows))) == 2
    story.add(60 * 24 * 900, "status_changed", "", to="resolved", actor="person:ana")
    svg = next(c for n, c in draw(plotted(story.rows)).items() if n.endswith("timeline-" + n.split("-")[-1]) and n.endswith("svg"))  # fmt: skip
    assert b"<script" not in svg


@pytest.mark.slow
def test_what_was_measured_has_the_clocks_marks():
    """A picture of its own, in the page as well."""
    points = [(NOON.timestamp() + 60 * n, float(n)) for n in range(40)]
    graphs = (Graph(title="Errors", unit="%", series=[Series(label="x", points=points)]),)
    made = draft(FACTS, blackout(), CATALOG, {}, Around(graphs=graphs))
    drawn = draw(made.plots)
    assert len(drawn) == 6
    assert html(made, drawn).count("data:image/svg+xml;base64,") == 3

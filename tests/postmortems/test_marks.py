"""The response clock: right where rows prove it, unknown where they do not."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.postmortems.marks import clock, minutes_between, still_firing
from tests.postmortems.story import NOON, Story, blackout

KINDS = ("alert_received", "alert_resolved", "incident_declared", "note_added", "run_succeeded", "status_changed")  # fmt: skip
STATUSES = ("investigating", "monitoring", "resolved", "closed")


def minute(mark):
    return None if mark.at is None else round((mark.at - NOON).total_seconds() / 60, 2)


def test_the_blackout_has_all_its_marks_with_their_rows():
    """Each mark is the minute at which it happened, cited from its row."""
    found = {mark.title: (minute(mark), mark.seq) for mark in clock(blackout()).marks()}
    assert found == {
        "Impact start": (0, 2),
        "Detected": (3.01, 2),
        "Declared": (3, 1),
        "Acknowledged": (5, 6),
        "Diagnosed": (None, None),
        "Mitigated": (41, 19),
        "Resolved": (45, 23),
        "Closed": (None, None),
    }


def test_nothing_recorded_means_nothing_known():
    """Without rows every mark is unknown and says why."""
    marks = clock([]).marks()
    assert all(mark.at is None and mark.seq is None and mark.basis for mark in marks)


def test_a_start_that_cannot_be_is_not_a_fact():
    """No zone, the year 1, nonsense or later than its own arrival: unknown, not guessed."""
    for value in (
        None,
        "2026-01-07T11:00:00",
        "0001-01-01T00:00:00Z",
        "soon",
        7,
        "2026-01-07T13:00:00Z",
        "9999-12-31T23:59:59-05:00",
    ):
        story = Story()
        story.add(3, "alert_received", "x", starts_at=value)
        found = clock(story.rows)
        assert (found.impact_start.at, found.detected.seq) == (None, 1)


def test_what_was_merged_into_it_brings_its_start():
    """Of its alerts, as long as the merge stands."""
    story = Story()
    story.alert(3, "own", starts=2)
    merged = {"from": 14, "into": 12}
    story.add(5, "incident_merged", "#14 was merged", **merged, starts_at=str(NOON))
    found = clock(story.rows).impact_start
    assert (minute(found), found.seq) == (0, 2)
    story.add(6, "incident_unmerged", "#15 is by itself again", **{"from": 12, "into": 15})
    assert clock(story.rows).impact_start.seq == 2
    story.add(7, "incident_unmerged", "#14 is by itself again", **{"from": 12, "into": 14})
    assert (minute(clock(story.rows).impact_start), clock(story.rows).impact_start.seq) == (2, 1)


def test_the_earliest_reported_start_counts():
    """A slower alert about an earlier start moves the start of the impact."""
    story = Story()
    story.alert(3, "fast", starts=2)
    story.alert(9, "slow", starts=-4)
    assert (minute(clock(story.rows).impact_start), clock(story.rows).impact_start.seq) == (-4, 2)


def test_mitigated_falls_back_to_the_first_sign_of_recovery():
    """Without the word "monitoring" the first resolved alert or successful run stands in, and says so."""
    story = Story()
    story.alert(1, "a", fingerprint="a")
    story.alert(1, "b", fingerprint="b")
    story.add(5, "alert_resolved", "a", source="alertmanager", fingerprint="a")
    story.add(6, "run_succeeded", "r", run_id=1)
    mark = clock(story.rows).mitigated
    assert (minute(mark), mark.seq) == (5, 3)
    assert "sign of recovery" in mark.basis
    assert "1 alert(s) still firing" in mark.basis


def test_a_sign_of_recovery_that_a_reopening_took_back_does_not_count():
    """It had not recovered: of what came after, the first sign counts, or none."""
    story = Story()
    story.alert(1, "a", fingerprint="a")
    story.add(5, "alert_resolved", "a", source="alertmanager", fingerprint="a")
    story.add(6, "status_changed", "", **{"from": "investigating", "to": "resolved"})
    story.add(60, "status_changed", "", **{"from": "resolved", "to": "investigating"})
    end = {"from": "investigating", "to": "resolved"}
    without = [*story.rows]
    story.add(95, "run_succeeded", "r", run_id=1)
    story.add(100, "status_changed", "", **end)
    story.add(101, "status_changed", "", **{"from": "resolved", "to": "closed"})
    found = clock(story.rows)
    assert (minute(found.mitigated), minute(found.resolved)) == (95, 100)
    assert clock(without).mitigated.at is None


def test_a_mitigation_that_was_taken_back_does_not_count():
    """Monitoring, then investigating again: only the later monitoring is the mitigation."""
    story = Story()
    for at, status in ((1, "monitoring"), (2, "investigating"), (3, "monitoring"), (4, "resolved")):
        story.add(at, "status_changed", "", to=status)
    assert minute(clock(story.rows).mitigated) == 3


def test_a_reopened_incident_is_not_resolved():
    """Only a resolution that stood counts."""
    story = Story()
    for at, status in ((1, "resolved"), (2, "investigating")):
        story.add(at, "status_changed", "", to=status)
    assert clock(story.rows).resolved.at is None
    story.add(9, "status_changed", "", to="resolved")
    story.add(10, "status_changed", "", to="closed")
    assert minute(clock(story.rows).resolved) == 9


def test_diagnosed_is_when_a_person_named_a_cause_and_closed_stands_behind_resolved():
    """A cause that a machine names counts no more than one that nobody did."""
    story = Story()
    story.alert(1, "a")
    story.add(2, "note_added", "cause: what the bot thinks", actor="jackline")
    story.add(4, "note_added", "Root cause: the certificate", actor="person:ana")
    story.add(5, "status_changed", "", to="closed")
    story.add(6, "status_changed", "", to="resolved")
    assert (minute(clock(story.rows).diagnosed), clock(story.rows).closed.at) == (4, None)
    story.add(9, "status_changed", "", to="closed")
    assert minute(clock(story.rows).closed) == 9
    assert clock(story.rows).detected.source == "machine"


rows_strategy = st.lists(
    st.tuples(
        st.floats(0, 500), st.sampled_from(KINDS), st.sampled_from(STATUSES), st.floats(-500, 500),
        st.sampled_from(["jackline", "person:ana", "source:s"]),
    ),
    max_size=25,
)  # fmt: skip


@given(rows_strategy)
def test_no_mark_is_later_than_the_row_that_it_cites(drawn):
    """Property: a mark cites an existing row, is never after it, and mitigation precedes resolution."""
    story = Story()
    for at, kind, status, offset, actor in drawn:
        starts_at = (NOON + timedelta(minutes=at + offset)).isoformat()
        story.add(at, kind, "", actor=actor, to=status, starts_at=starts_at, fingerprint="f")
    found = clock(story.rows)
    by_seq = {row.seq: row for row in story.rows}
    for mark in found.marks():
        assert (mark.at is None) == (mark.seq is None)
        if mark.at is not None:
            assert mark.at <= by_seq[mark.seq].at
    assert (minutes_between(found.mitigated, found.resolved) or 0) >= 0


def test_what_flapped_fires_or_not_as_its_end_says() -> None:
    """Its last changes have no rows of their own."""
    story = Story()
    story.alert(0, "EdgeErrors firing")
    ended = {"source": "alertmanager", "fingerprint": "f00d"}
    story.add(40, "flapping_ended", "EdgeErrors flaps no more", firing=False, **ended)
    assert still_firing(story.rows) == {}
    story.add(80, "flapping_ended", "EdgeErrors flaps no more", firing=True, **ended)
    assert list(still_firing(story.rows)) == ["alertmanager/f00d"]

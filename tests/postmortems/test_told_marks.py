"""Published outages as rows: their marks and durations, and no time that nobody recorded."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.postmortems.casefile import Outage
from bot.postmortems.durations import durations
from bot.postmortems.marks import clock, ordered
from bot.postmortems.moments import is_known, stamp
from bot.postmortems.page import utc
from bot.postmortems.patterns.catalogue import case_ids, case_study
from bot.postmortems.told import entries_of
from tests.postmortems.outages import outage


def found_in(told):
    """Its clock and its durations."""
    rows = ordered(entries_of(told))
    found = clock(rows)
    return found, durations(rows, found)


@pytest.mark.parametrize("case_id", case_ids())
def test_the_six_cases_have_the_durations_that_were_worked_out_by_hand(case_id):
    """To the minute, from the timeline alone; what is null there is unknown here."""
    study = case_study(case_id)
    _, minutes = found_in(
        Outage.model_validate(study.model_dump(include={"title", "org", "timeline"}))
    )
    expected = {k: v for k, v in study.derived_metrics.items() if k.endswith("_min")}
    assert expected
    assert {name: minutes.get(name) for name in expected} == expected


@pytest.mark.parametrize("case_id", case_ids())
def test_each_mark_is_a_row_with_a_clock_time(case_id):
    """Or unknown, and then it says why. Rows stay in the order of the list."""
    rows = ordered(entries_of(case_study(case_id)))
    assert [row.seq for row in rows] == list(range(1, len(rows) + 1))
    for mark in clock(rows).marks():
        assert (mark.at is None) == (mark.seq is None)
        assert mark.basis
        if mark.seq is not None:
            assert is_known(rows[mark.seq - 1].at)


def test_a_row_without_a_time_shows_its_bounds():
    """Never a time that nobody recorded."""
    rows = entries_of(case_study("cloudflare-2019"))
    assert utc(rows[5].at, "%H:%M") == "between 13:45 and 14:07"
    assert utc(rows[3].at, "%H:%M") == "about 13:42"
    assert (stamp(rows[5].at), stamp(rows[4].at)) == (None, "2019-07-02T13:45:00Z")
    assert utc(entries_of(case_study("facebook-2021"))[6].at) == "no clock time given"
    assert utc(entries_of(case_study("s3-2017"))[0].at) == "before 2017-02-28 17:37"


def test_minutes_from_a_start_get_no_date():
    """A record that only counts minutes has no day."""
    found, minutes = found_in(case_study("fintech-blackout"))
    assert (stamp(found.impact_start.at), utc(found.resolved.at)) == ("T+0", "T+45 min")
    assert (found.detected.at, found.detected.source) == (None, "customer")
    assert minutes["ttd_min"] is None


def test_minutes_and_dates_together():
    """Where one row has both, the minutes of the others have a date."""
    told = Outage.model_validate({"title": "x", "timeline": [
        {"utc": "2024-05-01T10:00:00Z", "t_plus_min": 10, "kind": "symptom", "event": "Down"},
        {"t_plus_min": 25, "kind": "recovery", "event": "Up"},
    ]})  # fmt: skip
    assert stamp(entries_of(told)[1].at) == "2024-05-01T10:15:00Z"


def test_who_noticed():
    """Machine, customer, staff or outsiders; what outsiders saw is not the own detection."""
    for sentence, source in (
        ("Pager alert on error ratio", "machine"), ("Merchants call support", "customer"),
        ("A developer notices empty pages", "staff"),
    ):  # fmt: skip
        found, _ = found_in(outage(f"10:00 symptom: Down\n10:05 detection: {sentence}"))
        assert (found.detected.source, found.detected.seq) == (source, 2)
    found, minutes = found_in(outage("10:00 symptom: Down\n10:05 detection: Netwatch reports loss of our routes\n10:09 detection: Our monitoring pages"))  # fmt: skip
    assert (found.detected.seq, minutes["ttd_min"], minutes["external_detection_min"]) == (3, 9, 5)


def test_a_symptom_without_a_time_leaves_the_start_unknown():
    """Not the next row's time instead."""
    found, minutes = found_in(outage("-- symptom: Slow\n10:00 symptom: Down\n10:30 recovery: Up"))
    assert found.impact_start.at is None
    assert "row 1" in found.impact_start.basis
    assert minutes["ttr_min"] is None


def test_a_symptom_after_the_last_recovery_is_no_resolution():
    """It came back."""
    found, _ = found_in(
        outage("10:00 symptom: Down\n10:30 recovery: Up\n11:00 symptom: Down again")
    )
    assert found.resolved.at is None
    assert "row 3" in found.resolved.basis


def test_no_recovery_is_told():
    found, minutes = found_in(outage("10:00 symptom: Down"))
    assert (found.mitigated.at, found.resolved.at, minutes["ttr_min"]) == (None, None, None)


KINDS = ("trigger", "symptom", "detection", "action", "decision", "recovery", "note")
told_rows = st.lists(
    st.tuples(
        st.sampled_from(KINDS), st.none() | st.integers(0, 600), st.booleans(),
        st.sampled_from(["Down", "Up", "Alert: cause identified", "Disabled", "Restarted", "Some users"]),
    ),
    min_size=1, max_size=15,
)  # fmt: skip


@given(told_rows)
def test_whatever_is_told_no_mark_is_invented(drawn):
    """Property: marks are cited and known, durations are never negative, list order stays."""
    rows = [
        {"kind": kind, "event": event, "approx": about,
         "utc": None if at is None else f"2024-05-01T{at // 60:02}:{at % 60:02}:00Z"}
        for kind, at, about, event in drawn
    ]  # fmt: skip
    entries = entries_of(Outage.model_validate({"title": "x", "timeline": rows}))
    given_times = {row["utc"] for row in rows}
    found = clock(entries)
    for mark in found.marks():
        assert (mark.at is None) == (mark.seq is None)
        assert mark.at is None or stamp(mark.at) in given_times
    assert all(m is None or m >= 0 for m in durations(ordered(entries), found).values())
    for entry in entries:
        assert isinstance(entry.at, datetime)


def test_noticed_before_users_were_hurt_is_noticed_at_once():
    """The mark keeps its own time."""
    found, minutes = found_in(outage("10:00 trigger: A disk burns\n10:02 detection: Fire alarm\n10:10 symptom: Down\n11:00 recovery: Up"))  # fmt: skip
    assert (found.detected.seq, minutes["ttd_min"], minutes["ttr_min"]) == (2, 0, 50)


def test_people_of_the_organisation_are_no_outsiders():
    """Only somebody who is named and is not the organisation, or is called an outsider."""
    for sentence, outside in (
        ("Traders notice odd volumes", False), ("Animators noticed missing files", False),
        ("Shopwatch reports that the shop is gone", True), ("Outside observers confirm it", True),
        ("Example opens an incident", False), ("Grafana shows no traffic", False),
    ):  # fmt: skip
        rows = entries_of(
            outage(f"10:00 symptom: Down\n10:01 detection: {sentence}", org="Example Shop")
        )
        assert (rows[1].actor == "a third party") is outside, sentence


def test_a_trigger_that_says_what_was_destroyed_is_the_start():
    """Where it has an exact time; else the first symptom is."""
    lines = "{}10:00 trigger: 800 accounts are deleted\n10:20 symptom: Customers miss them\n12:00 recovery: Back"
    assert found_in(outage(lines.format("")))[0].impact_start.seq == 1
    assert found_in(outage(lines.format("~")))[0].impact_start.seq == 2


def test_recoveries_that_are_all_partial():
    """The last one then, and it says so."""
    found, minutes = found_in(outage("10:00 symptom: Down\n10:30 recovery: Some users are back\n11:00 recovery: Most users are back"))  # fmt: skip
    assert (found.mitigated.seq, minutes["tt_partial_min"], minutes["ttm_min"]) == (3, 30, 60)
    assert "partial" in found.mitigated.basis

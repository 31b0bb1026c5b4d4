"""Weeks on the wall of a time zone, and which of them is due when."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.catalog.digest import WeeklyDigest
from bot.catalog.oncall import WEEKDAYS
from bot.errors import BadInput
from bot.postmortems.learning.weeks import Week, between, last_due, week_at, week_of

NOW = datetime(2026, 11, 23, 8, 30, tzinfo=UTC)  # a Monday
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Pacific/Apia", "Asia/Kathmandu")
MOMENTS = st.integers(10**9, 3 * 10**9).map(lambda n: datetime.fromtimestamp(n, UTC))


def entry(**more: str) -> WeeklyDigest:
    return WeeklyDigest.model_validate({"id": "eng", "channel": "C0123ABC"} | more)


def test_a_week_is_from_monday_to_sunday() -> None:
    """Also where the clocks change in it: then it has an hour more or less."""
    week = week_of("2026-w43", "Europe/Berlin", NOW)
    assert (week.name, week.monday, week.sunday) == (
        "2026-W43", date(2026, 10, 19), date(2026, 10, 25),
    )  # fmt: skip
    assert week.since == datetime(2026, 10, 18, 22, 0, tzinfo=UTC)
    assert week.until == datetime(2026, 10, 25, 23, 0, tzinfo=UTC)
    assert week.until - week.since == timedelta(days=7, hours=1)
    assert (week.before.name, week.after.name) == ("2026-W42", "2026-W44")


def test_a_word_or_none() -> None:
    """None is the one that ended last, where it is read."""
    assert week_of("", "UTC", NOW).name == "2026-W47"
    assert week_of(" ", "Pacific/Apia", NOW - timedelta(hours=20)).name == "2026-W47"
    assert week_of("2026-W48", "UTC", NOW).name == "2026-W48"
    assert week_of("2026W1", "UTC", NOW).monday == date(2025, 12, 29)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("last", "'last' is no week. Write it as 2026-W47."),
        ("2026-W60", "2026 has no week 60."),
        ("2025-W53", "2025 has no week 53."),
        ("2026-W00", "2026 has no week 0."),
        ("2026-W49", "The week 2026-W49 has not begun."),
        ("0000-W01", "'0000-W01' is no week. Write it as 2026-W47."),
        ("9999-W52", "'9999-W52' is no week. Write it as 2026-W47."),
        ("٢٠٢٦-W01", "'٢٠٢٦-W01' is no week. Write it as 2026-W47."),
        ("2026-W47" * 9, f"{('2026-W47' * 5)!r} is no week. Write it as 2026-W47."),
    ],
)
def test_what_is_no_week(typed: str, said: str) -> None:
    with pytest.raises(BadInput) as caught:
        week_of(typed, "UTC", NOW)
    assert str(caught.value) == said


def test_due_once_in_the_week_after() -> None:
    monday = entry(at="09:00", timezone="Europe/Berlin")  # 8:00 UTC in winter
    week, due = last_due(monday, NOW)
    assert (week.name, due) == ("2026-W47", datetime(2026, 11, 23, 8, 0, tzinfo=UTC))
    week, due = last_due(monday, NOW - timedelta(hours=1))
    assert (week.name, due) == ("2026-W46", datetime(2026, 11, 16, 8, 0, tzinfo=UTC))
    week, due = last_due(entry(day="fri", at="16:30"), NOW)
    assert (week.name, due) == ("2026-W46", datetime(2026, 11, 20, 16, 30, tzinfo=UTC))


def test_an_hour_that_the_clocks_leave_out() -> None:
    """On the last Sunday of March 2:30 is not there: it is kept an hour later, by the clock."""
    sunday = entry(day="sun", at="02:30", timezone="Europe/Berlin")
    _, due = last_due(sunday, datetime(2026, 3, 29, 12, 0, tzinfo=UTC))
    assert due == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)


@given(MOMENTS, st.sampled_from(WEEKDAYS), st.integers(0, 1439), st.sampled_from(ZONES))
def test_always_the_last_one(at: datetime, day: str, minute: int, timezone: str) -> None:
    """It has come, the next one has not, and the week that is told about was over by then."""
    given_ = entry(day=day, at=f"{minute // 60:02}:{minute % 60:02}", timezone=timezone)
    week, due = last_due(given_, at)
    assert due <= at < due + timedelta(days=7, hours=2)
    assert week.until <= due
    assert due - week.until < timedelta(days=7, hours=2)
    assert last_due(given_, due) == (week, due)
    before, _ = last_due(given_, due - timedelta(microseconds=1))
    assert before in (week.before, week), "only where the clocks left the hour out is it the same"


@given(MOMENTS, st.sampled_from(ZONES))
def test_a_moment_is_in_one_week(at: datetime, timezone: str) -> None:
    week = week_at(at, timezone)
    assert week.since <= at < week.until
    assert (week.before.until, week.after.since) == (week.since, week.until)
    assert week_of(week.name, timezone, at) == week


def test_the_weeks_between_two() -> None:
    last = Week(date(2026, 1, 5))
    assert between("2025-W51", last) == ["2025-W52", "2026-W01"]
    assert between("2026-W01", last) == []
    assert len(between("1999-W01", last)) == 53

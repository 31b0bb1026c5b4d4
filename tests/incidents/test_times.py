"""Times as people write them: read right, refused with what would be right, and right in spring."""

from datetime import UTC, datetime

import pytest

from bot.errors import BadInput
from bot.incidents.times import parse_past, parse_time

BERLIN = "Europe/Berlin"
NOW = datetime(2026, 3, 30, 6, 0, tzinfo=UTC)  # a Monday, 8:00 in Berlin


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("in 20m", "2026-03-30T06:20"), ("20m", "2026-03-30T06:20"), ("90 s", "2026-03-30T06:01:30"),
        ("1h30m", "2026-03-30T07:30"), ("in 2 hours and 5 minutes", "2026-03-30T08:05"),
        ("in an hour", "2026-03-30T07:00"), ("1.5h", "2026-03-30T07:30"), ("2d", "2026-04-01T06:00"),
        ("at 14:30", "2026-03-30T12:30"), ("14:30", "2026-03-30T12:30"), ("9pm", "2026-03-30T19:00"),
        ("noon", "2026-03-30T10:00"), ("today 9:00", "2026-03-30T07:00"),
        ("Tomorrow  9:00", "2026-03-31T07:00"), ("tomorrow at noon", "2026-03-31T10:00"),
        ("mon 9:00", "2026-03-30T07:00"), ("mon 7:00", "2026-04-06T05:00"),
        ("tue 9:00", "2026-03-31T07:00"), ("sunday at 9:00", "2026-04-05T07:00"),
        ("1 april 9:00", "2026-04-01T07:00"), ("2026-04-01T09:00", "2026-04-01T07:00"),
        ("2026-04-01 9:00", "2026-04-01T07:00"), ("2026-04-01t09:00z", "2026-04-01T09:00"),
        ("2026-04-01T09:00+05:30", "2026-04-01T03:30"),
    ],
)  # fmt: skip
def test_what_is_meant(text: str, at: str) -> None:
    """A time of day is that on the person's wall; what comes back is UTC."""
    assert parse_time(text, NOW, BERLIN) == datetime.fromisoformat(at).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("7:00", "'7:00' has passed: did you mean tomorrow 07:00?"),
        ("yesterday 9:00", "has passed: did you mean tomorrow 09:00?"),
        ("20m ago", "'20m ago' has passed. Write it like: in 20m"),
        ("0m", "has passed"), ("2026-01-01T00:00", "has passed (2026-01-01 00:00). Write it like"),
        ("400d", "more than a year ahead"), ("2031-01-01T00:00", "more than a year ahead"),
        ("9", "I cannot read '9' as a time. Write it like: in 20m"), ("tomorrow 9", "I cannot read"),
        ("friday", "I cannot read"), ("in 5", "I cannot read"), ("", "I cannot read"),
        ("soon", "I cannot read"), ("x" * 5000, "I cannot read"), ("1 " * 3000 + "m", "I cannot read"),
        ("25:00", "There is no time '25:00'"), ("31 feb 9:00", "There is no time"),
        ("2026-13-01T00:00", "I cannot read"),
    ],
)  # fmt: skip
def test_what_is_no_time(text: str, says: str) -> None:
    """A guess would be a reminder at the wrong hour."""
    with pytest.raises(BadInput) as caught:
        parse_time(text, NOW, BERLIN)
    assert says in str(caught.value)
    assert len(str(caught.value)) < 250


@pytest.mark.parametrize(
    ("now", "text", "at"),
    [
        ("2026-03-28T20:00", "tomorrow 2:30", "2026-03-29T01:30"),  # left out: an hour later
        ("2026-03-28T20:00", "sun 3:30", "2026-03-29T01:30"),
        ("2026-03-28T20:00", "8h", "2026-03-29T04:00"),
        ("2026-10-24T20:00", "tomorrow 2:30", "2026-10-25T00:30"),  # comes twice: the first
        ("2026-10-25T00:40", "2:30", "2026-10-25T01:30"),  # of those that are left
        ("2026-10-24T20:00", "8h", "2026-10-25T04:00"),
        ("2026-10-24T22:50", "1:10", "2026-10-24T23:10"),  # past midnight, and soon
    ],
)
def test_when_the_clocks_change(now: str, text: str, at: str) -> None:
    moment = datetime.fromisoformat(now).replace(tzinfo=UTC)
    assert parse_time(text, moment, BERLIN) == datetime.fromisoformat(at).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("20m ago", "2026-03-30T05:40"), ("20m", "2026-03-30T05:40"), ("7:00", "2026-03-30T05:00"),
        ("at 21:10", "2026-03-29T19:10"), ("yesterday 9:00", "2026-03-29T07:00"),
        ("sat 9:00", "2026-03-28T08:00"), ("2026-03-30T05:00Z", "2026-03-30T05:00"),
    ],
)  # fmt: skip
def test_looking_back(text: str, at: str) -> None:
    assert parse_past(text, NOW, BERLIN) == datetime.fromisoformat(at).replace(tzinfo=UTC)


def test_what_is_still_to_come_has_not_happened() -> None:
    for text in ("tomorrow 9:00", "today 9:00", "2026-04-01T09:00"):
        with pytest.raises(BadInput, match="is still to come"):
            parse_past(text, NOW, BERLIN)


@pytest.mark.parametrize("tz", [BERLIN, "America/New_York"])
@pytest.mark.parametrize(
    "text", ["0001-01-01T00:00", "9999-12-31T23:59", "31 dec 9999 23:59", "1 jan 0001 00:00",
             "0001-01-01T00:00+02:00", "9999-12-31T23:59-02:00"],
)  # fmt: skip
def test_either_end_of_the_calendar(text: str, tz: str) -> None:
    """No fault of ours, and nothing from which a clock would then be counted."""
    for read in (parse_time, parse_past):
        with pytest.raises(BadInput):
            read(text, NOW, tz)

"""When a drill is due, and what is said of a schedule that cannot be kept."""

from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import pytest

from bot.catalog import load_catalog
from bot.catalog import schedule as schedules
from bot.catalog.schedule import check_schedule, check_timezone, occurrences, zone
from bot.errors import Unavailable
from tests.catalog.test_load import refused, write


def due(schedule: str, timezone: str, after: str, count: int = 3) -> list[str]:
    since = datetime.fromisoformat(after).replace(tzinfo=UTC)
    found = islice(occurrences(schedule, timezone, since), count)
    return [f"{each:%m-%d %H:%M}" for each in found]


def test_all_fields_must_match() -> None:
    """Not one of day and weekday, as in cron: this is the first Tuesday of each month."""
    found = due("0 10 1-7 * tue", "Europe/Berlin", "2027-02-01")
    assert found == ["02-02 09:00", "03-02 09:00", "04-06 08:00"]  # summer time in between


def test_what_is_due_at_this_moment_is_not_due_again() -> None:
    assert due("*/30 * * * *", "UTC", "2027-02-01 10:30", 2) == [
        "02-01 11:00",
        "02-01 11:30",
    ]


def test_an_hour_that_is_left_out_or_comes_twice() -> None:
    """In spring 02:30 is 03:30; in autumn it is twice, an hour apart. No day goes without."""
    spring = due("30 2 * * *", "Europe/Berlin", "2027-03-26 12:00")
    assert spring == ["03-27 01:30", "03-28 01:30", "03-29 00:30"]
    autumn = due("30 2 * * *", "Europe/Berlin", "2027-10-29 12:00", 4)
    assert autumn == ["10-30 00:30", "10-31 00:30", "10-31 01:30", "11-01 01:30"]


@pytest.mark.parametrize(
    ("schedule", "said"),
    [
        ("0 10 * *", "must be five fields: minute hour day month weekday, as 0 10 1-7 * tue"),
        ("0 10 * * 1", "'1' is no weekday: write mon, tue, wed, thu, fri, sat, sun"),
        ("0 10 * * */2", "'*/2' is no weekday: write mon, tue, wed, thu, fri, sat, sun"),
        ("0 10 * * tue#1", "'tue#1' is no weekday: write mon, tue, wed, thu, fri, sat, sun"),
        ("x 10 * * *", "'x' is no minute: write *, 5, 1-7, 1,15 or */10"),
        ("0 10 last * *", "'last' is no day: write *, 5, 1-7, 1,15 or */10"),
        ("0 24 * * *", "Error validating expression '24': the last value (24) is higher"),
        ("0 10 1 foo *", 'Invalid month name "foo"'),
        ("0 10 31 feb *", "'0 10 31 feb *' never comes"),
        ("", "must be five fields"),
    ],
)
def test_a_schedule_that_cannot_be_kept(tmp_path: Path, schedule: str, said: str) -> None:
    """Said with its line. Weekdays are names: 1 is Monday to cron, and Tuesday to others."""
    entry = f"drills:\n  - name: a\n    down: [slack]\n    schedule: '{schedule}'\n"
    assert refused(write(tmp_path, entry)).startswith(f"all.yaml:4: schedule: {said}")


def test_capitals_and_spaces_are_no_error() -> None:
    assert check_schedule(" 0  10 1-7 JAN,Jul Mon-Fri ") == "0 10 1-7 jan,jul mon-fri"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("timezone: Europe/Berln", "5: timezone: there is no time zone 'Europe/Berln'; did you mean 'Europe/Berlin'?"),
        ("timezone: ../etc/passwd", "5: timezone: there is no time zone '../etc/passwd'"),
        ("least: 80", "5: least: Input should be less than or equal to 1"),
        ("lest: 0.8", "5: lest: unknown field; did you mean 'least'?"),
    ],
)  # fmt: skip
def test_what_else_may_be_wrong_with_a_drill(tmp_path: Path, more: str, said: str) -> None:
    entry = f"drills:\n  - name: a\n    down: [slack]\n    schedule: 0 1 * * *\n    {more}\n"
    assert refused(write(tmp_path, entry)) == f"all.yaml:{said}"


def test_a_drill_has_its_name_alone_and_takes_something_down(tmp_path: Path) -> None:
    one = "  - {name: a, down: [slack], schedule: 0 1 * * *}\n"
    assert refused(write(tmp_path, f"drills:\n{one}{one}")) == (
        "all.yaml:3: name: drill 'a' is defined twice"
    )
    nothing = "drills:\n  - {name: a, down: [], schedule: 0 1 * * *}\n"
    assert refused(write(tmp_path, nothing)).startswith("all.yaml:2: down: List should have")


def test_a_host_without_time_zones_still_reads_the_catalog(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A go-bag is opened where little is installed. What needs a time there says so."""

    def none(_name: str) -> None:
        raise LookupError

    monkeypatch.setattr(schedules, "ZoneInfo", none)
    monkeypatch.setattr(schedules, "available_timezones", set)
    assert check_timezone("Europe/Berlin") == "Europe/Berlin"
    entry = "{name: a, down: [slack], schedule: 0 1 * * *, timezone: Europe/Berlin}"
    write(tmp_path, f"drills: [{entry}]")
    assert load_catalog(tmp_path).drill("a") is not None
    with pytest.raises(Unavailable, match="does not know the time zone Europe/Berlin"):
        zone("Europe/Berlin")

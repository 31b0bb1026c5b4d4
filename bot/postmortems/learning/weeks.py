"""Weeks from Monday to Sunday on the wall of a time zone, and when a digest of one is due. Pure."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from bot.catalog.digest import WeeklyDigest
from bot.catalog.oncall import WEEKDAYS, clock
from bot.catalog.schedule import zone
from bot.errors import BadInput

_NAME = re.compile(r"([0-9]{4})-?W([0-9]{1,2})", re.IGNORECASE)
_DAYS = timedelta(days=7)
_YEARS = range(1971, 9998)  # the week before and the one after are dates as well


@dataclass(frozen=True, order=True)
class Week:
    """An ISO week. Raises `Unavailable` on a host that lacks the time zone."""

    monday: date
    timezone: str = "UTC"

    @property
    def name(self) -> str:
        """``2026-W47``."""
        year, number, _ = self.monday.isocalendar()
        return f"{year}-W{number:02}"

    @property
    def since(self) -> datetime:
        """Its first moment, UTC."""
        return self.on(0, time())

    @property
    def until(self) -> datetime:
        """The first moment after it, UTC."""
        return self.on(7, time())

    @property
    def sunday(self) -> date:
        """Its last day."""
        return self.monday + timedelta(days=6)

    @property
    def before(self) -> "Week":
        """The one before it."""
        return Week(self.monday - _DAYS, self.timezone)

    @property
    def after(self) -> "Week":
        """The one after it."""
        return Week(self.monday + _DAYS, self.timezone)

    def on(self, days: int, at: time) -> datetime:
        """So many days after its Monday at that time of the day, UTC.

        One that the clocks leave out is kept later; of one that comes twice the first is meant.
        """
        day = self.monday + timedelta(days=days)
        return datetime.combine(day, at, tzinfo=zone(self.timezone)).astimezone(UTC)


def week_at(at: datetime, timezone: str) -> Week:
    """The week that a moment is in."""
    day = at.astimezone(zone(timezone)).date()
    return Week(day - timedelta(days=day.weekday()), timezone)


def week_of(text: str, timezone: str, at: datetime) -> Week:
    """``2026-W47``, or without a word the one that ended last. Raises `BadInput`, also for one to come."""
    if not text.strip():
        return week_at(at, timezone).before
    found = _NAME.fullmatch(text.strip())
    if not found or int(found[1]) not in _YEARS:
        raise BadInput(f"{text[:40]!r} is no week.", hint="Write it as 2026-W47.")
    try:
        week = Week(date.fromisocalendar(int(found[1]), int(found[2]), 1), timezone)
    except ValueError:
        raise BadInput(f"{found[1]} has no week {int(found[2])}.") from None
    if week.since > at:
        raise BadInput(f"The week {week.name} has not begun.")
    return week


def last_due(entry: WeeklyDigest, at: datetime) -> tuple[Week, datetime]:
    """The week that was to be told about last, and since when: once in the week after it."""
    days, time_of_day = WEEKDAYS.index(entry.day), clock(entry.at)
    week = week_at(at, entry.timezone)
    due = week.on(days, time_of_day)
    if due > at:
        week, due = week.before, week.before.on(days, time_of_day)
    return week.before, due


def between(first: str, last: Week) -> list[str]:
    """The names of the weeks after ``first`` and before ``last``, oldest first; a year's at most."""
    found: list[str] = []
    week = last.before
    while week.name > first and len(found) < 53:  # noqa: PLR2004 - the weeks of a long year
        found.append(week.name)
        week = week.before
    return found[::-1]

"""When something is due: five fields as in cron, read in a time zone. Pure.

Unlike cron's, all fields must match: ``0 10 1-7 * tue`` is the first Tuesday of each month. An hour
that the clocks leave out is kept an hour later, and one that comes twice counts twice.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

from apscheduler.triggers.cron import CronTrigger

from bot.errors import Unavailable
from bot.located import near

_ONE = r"(?:\*|[0-9]{1,2}(?:-[0-9]{1,2})?)(?:/[0-9]{1,2})?"
_NAME = r"[a-z]{3}(?:-[a-z]{3})?"
# The trigger reads a field from its left and leaves out what it does not understand to the right.
_FIELDS = (
    ("minute", _ONE), ("hour", _ONE), ("day", _ONE), ("month", f"(?:{_ONE}|{_NAME})"),
    ("weekday", rf"(?:\*|{_NAME})"),
)  # fmt: skip
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


def check_schedule(text: str) -> str:
    """The text, tidied. Raises `ValueError` with words for who wrote it."""
    fields = text.lower().split()
    if len(fields) != len(_FIELDS):
        raise ValueError("must be five fields: minute hour day month weekday, as 0 10 1-7 * tue")
    for field, (name, form) in zip(fields, _FIELDS, strict=True):
        if re.fullmatch(f"{form}(?:,{form})*", field):
            continue
        if name == "weekday":  # numbers are refused: 1 is Monday to cron, and Tuesday to others
            raise ValueError(f"{field!r} is no weekday: write mon, tue, wed, thu, fri, sat, sun")
        raise ValueError(f"{field!r} is no {name}: write *, 5, 1-7, 1,15 or */10")
    tidy = " ".join(fields)
    if CronTrigger.from_crontab(tidy, UTC).get_next_fire_time(None, _EPOCH) is None:
        raise ValueError(f"{tidy!r} never comes")
    return tidy


def check_timezone(name: str) -> str:
    """The name. Raises `ValueError` with the nearest one, where there are any to compare with.

    A host without time zones, such as one that a go-bag is opened on, must still read the catalog.
    """
    try:
        ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        if known := available_timezones():
            raise ValueError(f"there is no time zone {name!r}{near(name, known)}") from None
    return name


def zone(name: str) -> ZoneInfo:
    """The time zone. Raises `Unavailable` on a host that has none."""
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        raise Unavailable(
            f"This host does not know the time zone {name}.", hint="Install its package tzdata."
        ) from None


def occurrences(schedule: str, timezone: str, after: datetime) -> Iterator[datetime]:
    """Every time that it is due later than ``after``, in order, as UTC. Raises `Unavailable`."""
    trigger = CronTrigger.from_crontab(schedule, zone(timezone))
    while found := trigger.get_next_fire_time(None, after + timedelta(microseconds=1)):
        after = found.astimezone(UTC)
        yield after

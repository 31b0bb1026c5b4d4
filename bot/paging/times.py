"""Times as people type them: ``18:00``, ``tomorrow 9:00``, ``fri 17:30``, ``2026-11-27 09:00``. Pure."""

import re
from datetime import UTC, date, datetime, timedelta

from bot.catalog.oncall import WEEKDAYS, clock
from bot.catalog.schedule import zone
from bot.errors import BadInput

_FORM = "Write 18:00, tomorrow 9:00, fri 17:30 or 2026-11-27 09:00."
_DAY = re.compile(r"today|tomorrow|[a-z]{3}|[0-9]{4}-[0-9]{2}-[0-9]{2}")
_WEEK = 7


def time_of(text: str, timezone: str, at: datetime) -> datetime:
    """The next such time after ``at``, UTC; by the clock of ``timezone``. Raises `BadInput`."""
    words = " ".join(text.lower().split())
    try:
        if found := _iso(words):
            return found
        day_word, _, clock_word = words.rpartition(" ")
        moment = clock(clock_word)
        tz = zone(timezone)
        local = at.astimezone(tz)
        day = _day(day_word, local.date())
        naive = datetime.combine(day or local.date(), moment)
        result = naive.replace(tzinfo=tz).astimezone(UTC)
        if result <= at and day_word in ("", *WEEKDAYS):
            later = naive + timedelta(days=1 if not day_word else _WEEK)
            result = later.replace(tzinfo=tz).astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadInput(f"{text[:40]!r} is no time that I can read.", hint=_FORM) from None
    return result


def _iso(words: str) -> datetime | None:
    """One with its own offset."""
    try:
        found = datetime.fromisoformat(words.upper())
    except ValueError:
        return None
    return found.astimezone(UTC) if found.tzinfo else None


def _day(word: str, today: date) -> date | None:
    if word and not _DAY.fullmatch(word):
        raise ValueError(word)
    if word in ("", "today"):
        return None
    if word == "tomorrow":
        return today + timedelta(days=1)
    if word in WEEKDAYS:
        return today + timedelta(days=(WEEKDAYS.index(word) - today.weekday()) % _WEEK)
    return date.fromisoformat(word)

"""When somebody meant: "in 20m", "at 14:30", "tomorrow 9:00", as a moment in UTC. Pure.

A length of time is real time; a time of day is what the clock on the person's wall shows. One that
the clocks leave out in spring is kept an hour later, and one that comes twice in autumn is the first
of both that fits. The terminal of the go-bag does without this module: the library is not in there.
"""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from bot.catalog.schedule import zone
from bot.errors import BadInput

EXAMPLES = "Write it like: in 20m, at 14:30, tomorrow 9:00, mon 9:00, 2026-03-01T09:00."
LONGEST = timedelta(days=366)
_OLDEST = timedelta(days=3660)  # looking back: what is longer ago is a slip
_LIMIT = 60  # characters
_EPOCH = datetime(2000, 1, 1)  # noqa: DTZ001 - the library reads naive times, lengths too
_SOON = timedelta(hours=12)  # a time of day that has passed is tomorrow's, if that is no longer off
_LENGTH = re.compile(
    r"(in\s+)?((\d{1,4}(\.\d)?|an?)\s*"
    r"(s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?)[\s,]*(and\s+)?)+(\s+ago)?"
)
_CLOCK = r"\d{1,2}:\d{2}(:\d{2})?(\s*[ap]m)?|\d{1,2}\s*[ap]m|noon|midnight"
_WEEKDAY = r"mon(day)?|tue(sday)?|wed(nesday)?|thu(rsday)?|fri(day)?|sat(urday)?|sun(day)?"
_DAY = (
    r"today|tomorrow|yesterday"
    r"|\d{1,2}\s+(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}(\s+\d{4})?"
)
_TIME = re.compile(
    rf"(((?P<weekday>{_WEEKDAY})|(?P<day>{_DAY}))[\s,]+)?(at\s+)?(?P<clock>{_CLOCK})"
)


def parse_time(text: str, now: datetime, tz: str) -> datetime:
    """The moment ahead that is meant, aware, in UTC.

    ``tz`` is the person's time zone, such as ``Europe/Berlin``. Raises `BadInput` with examples for
    what is no time, and with what may have been meant for one that has passed; `Unavailable` where
    this host does not know the time zone.
    """
    said, home = _said(text), zone(tz)
    found = _moment(said, text, now, home, ahead=True)
    if found <= now:
        raise BadInput(f"{text.strip()!r} has passed{_instead(said, found, now, home)}")
    if found - now > LONGEST:
        raise BadInput(f"{text.strip()!r} is more than a year ahead.", hint=EXAMPLES)
    return found


def parse_past(text: str, now: datetime, tz: str) -> datetime:
    """The moment that is meant of something that has happened: as `parse_time`, looking back."""
    said, home = _said(text), zone(tz)
    found = _moment(said, text, now, home, ahead=False)
    if found > now:
        raise BadInput(
            f"{text.strip()!r} is still to come.", hint="Write it like: at 14:30, yesterday 21:10."
        )
    if now - found > _OLDEST:
        raise BadInput(f"{text.strip()!r} is more than ten years ago.")
    return found


def prepare() -> None:
    """What takes up to a second before the first time is read: whoever writes it need not wait."""
    _read("in 20m", _EPOCH)


def _said(text: str) -> str:
    return " ".join(text.lower().split())


def _moment(said: str, text: str, now: datetime, home: ZoneInfo, *, ahead: bool) -> datetime:
    try:
        return _meant(said, text, now, home, ahead=ahead)
    except OverflowError:  # at either end of the calendar, UTC has another year than the wall
        raise BadInput(
            f"I cannot read {text.strip()[:_LIMIT]!r} as a time.", hint=EXAMPLES
        ) from None


def _meant(said: str, text: str, now: datetime, home: ZoneInfo, *, ahead: bool) -> datetime:
    if (exact := _iso(said.removeprefix("at "), home)) is not None:
        return exact
    short = len(said) <= _LIMIT
    if short and _LENGTH.fullmatch(said):
        length = abs(_read(said, _EPOCH) - _EPOCH)
        return now + length if ahead and not said.endswith("ago") else now - length
    parts = _TIME.fullmatch(said) if short else None
    if parts is None:
        raise BadInput(f"I cannot read {text.strip()[:_LIMIT]!r} as a time.", hint=EXAMPLES)
    wall = _read(said.removeprefix("at "), now.astimezone(home).replace(tzinfo=None))
    days = [wall]
    if not parts["day"]:  # that of this day or week is meant, or of its neighbours
        step = timedelta(days=7 if parts["weekday"] else 1)
        days = [wall - step, wall, wall + step]
    moments = [moment for each in days for moment in _utc(each, home)]
    gone, to_come = [m for m in moments if m <= now], [m for m in moments if m > now]
    if not (gone and to_come):
        return moments[-1] if gone else moments[0]
    tomorrow = to_come[0].astimezone(home).date() > now.astimezone(home).date()
    far = tomorrow and not parts["weekday"] and to_come[0] - now > _SOON
    return to_come[0] if ahead and not far else gone[-1]


def _utc(wall: datetime, home: ZoneInfo) -> list[datetime]:
    """Both, where the clocks show it twice; an hour later, where they leave it out."""
    first, second = (wall.replace(tzinfo=home, fold=f).astimezone(UTC) for f in (0, 1))
    if first.astimezone(home).replace(tzinfo=None) != wall:
        return [first]
    return sorted({first, second})


def _iso(said: str, home: ZoneInfo) -> datetime | None:
    """An ISO time; one without an offset is on the person's wall."""
    if not re.match(r"\d{4}-\d{2}-\d{2}[t ]\d", said):
        return None
    try:
        found = datetime.fromisoformat(re.sub(r"[t ](?=\d:)", "T0", said).upper())  # " 9:00"
    except ValueError:
        return None
    return found.astimezone(UTC) if found.tzinfo else _utc(found, home)[0]


def _read(said: str, base: datetime) -> datetime:
    """What the library makes of it. Raises `BadInput`."""
    # here: the go-bag, where nobody asks for a time, does without it
    from dateparser.date import DateDataParser  # noqa: PLC0415

    settings = {"RELATIVE_BASE": base, "PREFER_DATES_FROM": "current_period"}
    if _LENGTH.fullmatch(said):
        settings["PREFER_DATES_FROM"] = "future"
    parser = DateDataParser(languages=["en"], settings=settings)
    found = parser.get_date_data(said).date_obj
    if found is None:
        raise BadInput(f"There is no time {said!r}.", hint=EXAMPLES)
    return found.replace(tzinfo=None)


def _instead(said: str, found: datetime, now: datetime, home: ZoneInfo) -> str:
    """What was meant, perhaps."""
    if _LENGTH.fullmatch(said):
        return f". {EXAMPLES}"
    clock = f"{found.astimezone(home):%H:%M}"
    if now - found < timedelta(days=1):
        return f": did you mean tomorrow {clock}?"
    return f" ({found.astimezone(home):%Y-%m-%d %H:%M}). {EXAMPLES}"

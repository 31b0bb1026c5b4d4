"""The drills to come as iCalendar (RFC 5545), for calendars that people subscribe to. Pure.

Each is an event by itself: not every schedule has a recurrence rule that says the same.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice

from bot.catalog import AccessDrill
from bot.catalog.schedule import occurrences

_EACH = 12
_WIDE = 74  # octets of a line, of the 75 that are allowed


def calendar(drills: Iterable[AccessDrill], at: datetime) -> str:
    """The next twelve of each drill. Raises `Unavailable` on a host without time zones."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Jackline//Access drills//EN"]
    for drill in drills:
        for due in islice(occurrences(drill.schedule, drill.timezone, at), _EACH):
            lines += _event(drill, due, at)
    folded = (part for line in [*lines, "END:VCALENDAR"] for part in _folded(line))
    return "".join(f"{line}\r\n" for line in folded)


def _event(drill: AccessDrill, due: datetime, at: datetime) -> list[str]:
    words = f"Taken to be down: {', '.join(drill.down)}"
    words += f"\nOwner: {drill.owner}" if drill.owner else ""
    return [
        "BEGIN:VEVENT",
        f"UID:{drill.name}-{due:%Y%m%dT%H%M%SZ}@jackline",
        f"DTSTAMP:{at:%Y%m%dT%H%M%SZ}",
        f"DTSTART:{due:%Y%m%dT%H%M%SZ}",
        "DURATION:PT5M",
        f"SUMMARY:{_text(f'Access drill {drill.name}')}",
        f"DESCRIPTION:{_text(words)}",
        "TRANSP:TRANSPARENT",
        "END:VEVENT",
    ]


def _text(words: str) -> str:
    for sign in ("\\", ";", ","):
        words = words.replace(sign, f"\\{sign}")
    return words.replace("\r", "").replace("\n", "\\n")


def _folded(line: str) -> Iterator[str]:
    """A long line goes on in the next, behind a space; no letter is cut in two."""
    start, wide = "", 0
    for letter in line:
        size = len(letter.encode())
        if wide + size > _WIDE:
            yield start
            start, wide = " ", 1
        start, wide = start + letter, wide + size
    yield start

"""The drills to come as iCalendar, for calendars that people subscribe to. Pure.

Each is an event by itself: not every schedule has a recurrence rule that says the same.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import islice

from icalendar import Calendar, Event

from bot.catalog import AccessDrill
from bot.catalog.schedule import occurrences

_EACH = 12
_TAKES = timedelta(minutes=5)


def calendar(drills: Iterable[AccessDrill], at: datetime) -> str:
    """The next twelve of each drill. Raises `Unavailable` on a host without time zones."""
    found = Calendar()
    found.add("version", "2.0")
    found.add("prodid", "-//Jackline//Access drills//EN")
    for drill in drills:
        for due in islice(occurrences(drill.schedule, drill.timezone, at), _EACH):
            found.add_component(_event(drill, due, at))
    return bytes(found.to_ical()).decode()


def _event(drill: AccessDrill, due: datetime, at: datetime) -> Event:
    words = f"Taken to be down: {', '.join(drill.down)}"
    words += f"\nOwner: {drill.owner}" if drill.owner else ""
    event = Event()
    for name, value in (
        ("uid", f"{drill.name}-{due:%Y%m%dT%H%M%SZ}@jackline"),
        ("dtstamp", at),
        ("dtstart", due),
        ("duration", _TAKES),
        ("summary", f"Access drill {drill.name}"),
        ("description", words),
        ("transp", "TRANSPARENT"),
    ):
        event.add(name, value)
    return event

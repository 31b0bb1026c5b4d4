"""When an alert flaps: it changes again and again, and telling each change helps nobody. Pure.

It begins at four changes within the window and ends when the window has none left. Nagios and
Elastic call it flapping at the same share, 4 changes of the last 20 checks, and Nagios ends it
below one. Twenty checks are twenty minutes at the interval at which Prometheus evaluates its rules
unless told otherwise; and as Alertmanager by default sends a group's changes five minutes apart,
four of them take fifteen at least.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

CHANGES = 4
WINDOW = timedelta(minutes=20)
_MINUTE = timedelta(minutes=1)


class Change(NamedTuple):
    """An alert fired, anew or with another start, or it resolved; and when that was accepted."""

    at: datetime
    firing: bool


def recent(changes: Iterable[Change], at: datetime) -> list[Change]:
    """Those that the window has at this time."""
    return [change for change in changes if at - change.at < WINDOW]


def calm_at(last: datetime) -> datetime:
    """When it flaps no more, if ``last`` was its last change."""
    return last + WINDOW


def goes_on(
    title: str, fired: int, resolved: int, since: datetime, last: datetime, *, firing: bool
) -> str:
    """What is said while it flaps."""
    how = "flaps" if resolved else "fires again and again"
    minutes = round((last - since) / _MINUTE)
    within = f"{minutes} min" if minutes else "less than a minute"
    return (
        f"{title} {how}: {fired + resolved} changes in {within} ({_times(fired, resolved)}, "
        f"now {'firing' if firing else 'resolved'}). "
        "Further changes are counted here, not told."
    )


def is_over(
    title: str, fired: int, resolved: int, since: datetime, last: datetime, ended: str
) -> str:
    """What is said at the end; ``ended`` is how."""
    return (
        f"{title} flaps no more: {fired + resolved} changes from {since:%H:%M} to {last:%H:%M} UTC "
        f"({_times(fired, resolved)}). {ended}"
    )


def calm(*, firing: bool) -> str:
    """How it ended, if nothing changes any more."""
    stands = "fires" if firing else "is resolved"
    return f"It {stands}, and nothing changed for {WINDOW // _MINUTE} min."


def _times(fired: int, resolved: int) -> str:
    return f"fired {fired} times, resolved {resolved}"

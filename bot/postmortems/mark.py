"""A moment of the response clock, and the clock: what `marks` and `told_marks` find. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import datetime

from bot.timeline import Entry


@dataclass(frozen=True)
class Mark:
    """One moment. ``basis`` says how it was found, or why it is unknown.

    ``source`` is through whom it came, of a detection: machine, customer, staff or third-party.
    """

    title: str
    at: datetime | None
    seq: int | None
    basis: str
    source: str = ""


@dataclass(frozen=True)
class Clock:
    """The marks of one incident, in the order in which they are expected."""

    impact_start: Mark
    detected: Mark
    declared: Mark
    acknowledged: Mark
    diagnosed: Mark
    mitigated: Mark
    resolved: Mark
    closed: Mark

    def marks(self) -> list[Mark]:
        """All eight."""
        return [getattr(self, each.name) for each in fields(self)]


def unknown(title: str, why: str, source: str = "") -> Mark:
    """A moment that no row proves."""
    return Mark(title, None, None, why, source)


def ordered(rows: Iterable[Entry]) -> list[Entry]:
    """Rows as they happened: a row that was merged in late stands where it belongs."""
    return sorted(rows, key=lambda row: (row.at, row.seq))


def minutes_between(start: Mark, end: Mark) -> float | None:
    """Minutes from one mark to another, or None if either is unknown."""
    if start.at is None or end.at is None:
        return None
    return (end.at - start.at).total_seconds() / 60

"""Times as sources give them: exact, about, minutes from a start, or only between two others. Pure.

A row that has no clock time keeps its place in the list. It carries a `Moment` that sorts there, and
that is shown as what is known about it: never as a time that nobody recorded.
"""

from datetime import UTC, datetime, timedelta
from typing import Self

NO_DATE = datetime(1, 7, 1, tzinfo=UTC)  # where minutes count from, in a record without dates
_DATED = 1000  # years before it are minutes, of which a file may count some millions


class Moment(datetime):
    """A time that must not be shown as if a clock had given it.

    ``known`` says whether it may be counted with; ``words`` is how it is shown, or how a time of
    day is introduced where it is known.
    """

    known: bool = True
    words: str = ""

    @classmethod
    def of(cls, at: datetime, *, known: bool, words: str = "") -> Self:
        """The moment at a place in time."""
        at = at.astimezone(UTC)
        made = cls(at.year, at.month, at.day, at.hour, at.minute, at.second, at.microsecond, UTC)
        made.known, made.words = known, words
        return made

    def shown(self, shape: str) -> str:
        """As people read it."""
        if not self.known:
            return self.words
        if not has_date(self):
            return f"{self.words} {_from_start(self)} min".strip()
        return f"{self.words} {self:{shape}}".strip()


def _from_start(at: datetime) -> str:
    """``T+45``, ``T-3``: never rounded to a power of ten."""
    minutes = f"{minutes_from(NO_DATE, at):+.2f}"
    return f"T{minutes.rstrip('0').rstrip('.')}"


def minutes_from(start: datetime, end: datetime) -> float:
    """Minutes from one to the other."""
    return (end - start) / timedelta(minutes=1)


def is_known(at: datetime | None) -> bool:
    """Whether a time may be counted with."""
    return at is not None and (not isinstance(at, Moment) or at.known)


def has_date(at: datetime) -> bool:
    """Whether it is a day, and not minutes from a start that nobody dated."""
    return at.year >= _DATED


def is_about(at: datetime | None) -> bool:
    """Whether the source gave it as approximate."""
    return isinstance(at, Moment) and at.known and at.words == "about"


def stamp(at: datetime | None) -> str | None:
    """A known moment for machines: ISO 8601 in UTC, or ``T+45`` in a record without dates."""
    if at is None or not is_known(at):
        return None
    if not has_date(at):
        return _from_start(at)
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

"""Where the time went: the stretches between the marks, and the phase of each row. Pure.

before      until the impact began
trigger     what people named as the trigger; the moment at which the impact began
detection   from there until somebody or something noticed
response    until the first attempt to mend it: finding out, deciding, getting in
mitigation  until the impact was over
recovery    until the service was as before
after       whatever came later
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.timeline import Entry

PHASES = ("before", "trigger", "detection", "response", "mitigation", "recovery", "after")
_ATTEMPTS = frozenset({"run_started", "step_started", "manual_asked"})


class Mark(Protocol):
    """A moment of the clock."""

    @property
    def at(self) -> datetime | None:
        """None where it is unknown."""

    @property
    def seq(self) -> int | None:
        """The row that proves it."""


@dataclass(frozen=True)
class Phase:
    """One stretch. ``start`` and ``end`` are None where no row proves them; ``cited`` proves both."""

    name: str
    start: datetime | None
    end: datetime | None
    rows: int
    cited: tuple[int, ...] = ()

    @property
    def minutes(self) -> float | None:
        """Its length, or None where it is not known."""
        if self.start is None or self.end is None:
            return None
        return (self.end - self.start).total_seconds() / 60


@dataclass(frozen=True)
class Phases:
    """All seven, and which one each row is in."""

    phases: tuple[Phase, ...]
    of: Mapping[int, str]


def phases(
    rows: Sequence[Entry], classes: Mapping[int, str],
    impact: Mark, detected: Mark, mitigated: Mark, resolved: Mark,
) -> Phases:  # fmt: skip
    """``rows`` are in order. A phase whose bounds nothing proves has no rows of its own."""
    attempt = _first_attempt(rows, classes, detected)
    if attempt and mitigated.at and attempt.at > mitigated.at:
        attempt = None  # it got well before anybody tried
    bounds = [
        ("detection", impact.at, impact.seq), ("response", detected.at, detected.seq),
        ("mitigation", attempt.at if attempt else None, attempt.seq if attempt else None),
        ("recovery", mitigated.at, mitigated.seq), ("after", resolved.at, resolved.seq),
    ]  # fmt: skip
    known = [(name, at, seq) for name, at, seq in bounds if at is not None]
    of = {row.seq: _phase(row, classes[row.seq], known) for row in rows}
    counts = dict.fromkeys(PHASES, 0)
    for name in of.values():
        counts[name] += 1
    return Phases(tuple(_spans(bounds, counts)), of)


def _first_attempt(
    rows: Sequence[Entry], classes: Mapping[int, str], detected: Mark
) -> Entry | None:
    """The first row after the detection that changes something, or sets out to."""
    if detected.at is None:
        return None
    later = (row for row in rows if row.at >= detected.at and row.seq != detected.seq)
    return next((row for row in later if _tries(row, classes[row.seq])), None)


def _tries(row: Entry, name: str) -> bool:
    by_hand = name == "action" and row.kind in ("note_added", "message_pinned", "action")
    moved = row.kind == "status_changed" and row.data.get("to") == "mitigating"
    return row.kind in _ATTEMPTS or by_hand or moved


def _phase(row: Entry, name: str, known: Sequence[tuple[str, datetime, int | None]]) -> str:
    """The last phase that has begun; the row that ends a phase still belongs to that phase."""
    if name == "trigger":
        return "trigger"
    found = "before"
    for phase, at, seq in known:
        ends_here = row.seq == seq and phase in ("response", "recovery", "after")
        if row.at < at or ends_here:
            break
        found = phase
    if found == "before" and known and row.at >= known[0][1]:
        return known[0][0]
    return found


def _spans(
    bounds: Sequence[tuple[str, datetime | None, int | None]], counts: Mapping[str, int]
) -> list[Phase]:
    _, impact, first = bounds[0]
    cited = (first,) if first is not None else ()
    found = [
        Phase("before", None, impact, counts["before"], cited),
        Phase("trigger", impact, impact, counts["trigger"], cited),
    ]
    for index, (name, start, seq) in enumerate(bounds):
        end = next(((at, s) for _, at, s in bounds[index + 1 :] if at is not None), (None, None))
        last = name == "after"
        until = None if last else end[0]
        if start is not None and until is not None and until < start:
            until = None
        both = tuple(dict.fromkeys(s for s in (seq, end[1]) if s is not None))
        found.append(Phase(name, start, until, counts[name], both))
    return found

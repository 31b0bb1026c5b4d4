"""The arithmetic of the figures. Pure.

A mean of few and uneven incidents says nothing, so there is none: a median and a 90th percentile, each
with how many incidents it is of and how many the record leaves out.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from bot.postmortems.marks import Clock, minutes_between

FEWEST = 5  # below it a 90th percentile is the worst one by another name
SPANS = {
    "detect": ("impact_start", "detected"),
    "acknowledge": ("detected", "acknowledged"),
    "mitigate": ("impact_start", "mitigated"),
    "resolve": ("impact_start", "resolved"),
}
AGES = ((7, "under a week"), (30, "a week to a month"), (90, "a month to a quarter"), (None, "longer"))  # fmt: skip


@dataclass(frozen=True)
class Past:
    """One incident as far as it counts. ``going``: it has not ended."""

    number: int
    severity: str
    declared_at: datetime
    detected_by: str
    clock: Clock
    patterns: tuple[str, ...] = ()
    title: str = ""
    drill: bool = False
    going: bool = False


@dataclass(frozen=True)
class Open:
    """A follow-up that is not done. ``ticket`` is what a tracker calls it, where it is one there."""

    incident: int
    text: str
    days: int
    late: bool
    ticket: str = ""
    url: str = ""


@dataclass(frozen=True)
class Spread:
    """``of`` are those whose record has both marks, ``unknown`` the others; minutes."""

    of: int
    unknown: int
    median: float | None
    p90: float | None


@dataclass(frozen=True)
class Figures:
    """Of the incidents that were declared since; drills, private and cancelled ones are not counted."""

    since: date
    incidents: int
    by_severity: dict[str, int]
    by_week: dict[str, dict[str, int]]
    detected_by: dict[str, int]
    minutes: dict[str, Spread]
    open_actions: int
    late_actions: int
    actions_by_age: dict[str, int]
    oldest_actions: list[Open]
    patterns_by_month: dict[str, dict[str, int]] = field(default_factory=dict)


def summed(past: Sequence[Past], actions: Sequence[Open], since: date, until: date) -> Figures:
    """All figures of these."""
    severities = Counter(each.severity for each in past)
    return Figures(
        since=since,
        incidents=len(past),
        by_severity=dict(sorted(severities.items())),
        by_week=_by_week(past, since, until),
        detected_by=dict(Counter(each.detected_by for each in past).most_common()),
        minutes={name: spread(spans_of(past, *marks)) for name, marks in SPANS.items()},
        open_actions=len(actions),
        late_actions=sum(each.late for each in actions),
        actions_by_age=by_age(actions),
        oldest_actions=oldest(actions)[:10],
        patterns_by_month=_by_month(past),
    )


def spread(minutes: Iterable[float | None]) -> Spread:
    """Nearest rank: each figure is one that an incident had."""
    values = list(minutes)
    known = sorted(v for v in values if v is not None and v >= 0)
    unknown = len(values) - len(known)
    p90 = _rank(known, 0.9) if len(known) >= FEWEST else None
    return Spread(len(known), unknown, _rank(known, 0.5) if known else None, p90)


def _rank(known: Sequence[float], part: float) -> float:
    return round(known[max(0, math.ceil(part * len(known)) - 1)], 1)


def spans_of(past: Sequence[Past], start: str, end: str) -> list[float | None]:
    """From one mark to another, of each."""
    return [minutes_between(getattr(p.clock, start), getattr(p.clock, end)) for p in past]


def _by_week(past: Sequence[Past], since: date, until: date) -> dict[str, dict[str, int]]:
    """Monday → severity → count; weeks without an incident are there too."""
    monday = since - timedelta(days=since.weekday())
    weeks: dict[str, dict[str, int]] = {}
    while monday <= until:
        weeks[monday.isoformat()] = {}
        monday += timedelta(days=7)
    for each in past:
        day = each.declared_at.date()
        week = weeks.setdefault((day - timedelta(days=day.weekday())).isoformat(), {})
        week[each.severity] = week.get(each.severity, 0) + 1
    return weeks


def oldest(actions: Sequence[Open]) -> list[Open]:
    """The oldest first."""
    return sorted(actions, key=lambda each: (-each.days, each.incident))


def by_age(actions: Sequence[Open]) -> dict[str, int]:
    """How many there are of each of `AGES`."""
    ages = {title: 0 for _, title in AGES}
    for each in actions:
        ages[next(title for limit, title in AGES if limit is None or each.days < limit)] += 1
    return ages


def _by_month(past: Sequence[Past]) -> dict[str, dict[str, int]]:
    found: dict[str, Counter[str]] = {}
    for each in past:
        for name in each.patterns:
            found.setdefault(f"{each.declared_at:%Y-%m}", Counter())[name] += 1
    return {month: dict(counted.most_common()) for month, counted in sorted(found.items())}


def months(since: date, until: date, most: int) -> list[str]:
    """``2026-11`` and so on, without a gap; the last ``most`` of them."""
    found, year, month = list[str](), until.year, until.month
    while (year, month) >= (since.year, since.month) and len(found) < most:
        found.append(f"{year:04}-{month:02}")
        year, month = (year, month - 1) if month > 1 else (year - 1, 12)
    return found[::-1]


def by_pattern(
    counted: Mapping[str, Mapping[str, int]], shown: Sequence[str]
) -> dict[str, tuple[int, list[int]]]:
    """Each pattern's count before the months that are ``shown``, and in each of them; the most first."""
    total: Counter[str] = Counter()
    for named in counted.values():
        total.update(named)
    earlier = [month for month in counted if not shown or month < shown[0]]
    return {
        name: (
            sum(counted[month].get(name, 0) for month in earlier),
            [counted.get(month, {}).get(name, 0) for month in shown],
        )
        for name, _ in sorted(total.items(), key=lambda each: (-each[1], each[0]))
    }


def detection(declared_by: str, first_alert: Mapping[str, object] | None) -> str:
    """Who noticed first: a check of Jackline's, a source of alerts by name, or a person."""
    kind, _, name = declared_by.partition(":")
    if kind == "person" and first_alert is None:
        return "a person"
    source = str((first_alert or {}).get("source") or name or "unknown")
    return "a person, before an alert" if kind == "person" else f"alerts of {source}"

"""What a week's digest says, as facts. Pure.

The week beside the one before it; what is still open now; what recurred in the ninety days up to it.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import inf

from bot.postmortems.learning.sums import (
    SPANS,
    Open,
    Past,
    Spread,
    by_age,
    oldest,
    spans_of,
    spread,
)
from bot.postmortems.learning.weeks import Week

RECENT = timedelta(days=90)  # of what recurs
_LONGEST = 3
_OLDEST = 10


@dataclass(frozen=True)
class Counted:
    """Incidents declared in a week; drills are apart."""

    incidents: int
    by_severity: dict[str, int]
    drills: int


@dataclass(frozen=True)
class Long:
    """One of the longest: from when its impact began, as far as that is known."""

    number: int
    title: str
    severity: str
    minutes: float
    going: bool


@dataclass(frozen=True)
class Due:
    """A postmortem that is not final. ``due_at`` is None where its severity asks for none."""

    number: int
    title: str
    state: str
    due_at: datetime | None = None
    late: bool = False


@dataclass(frozen=True)
class Recurring:
    """A pattern that several incidents resemble: number and title of each, the newest first."""

    id: str
    title: str
    incidents: list[tuple[int, str]]


@dataclass(frozen=True)
class Weekly:
    """Of the incidents that everybody may see. ``running``: the week is not over yet."""

    week: str
    monday: date
    sunday: date
    timezone: str
    running: bool
    this: Counted
    before: Counted
    detected_by: dict[str, int]
    minutes: dict[str, Spread]
    longest: list[Long]
    postmortems: list[Due]
    open_actions: int
    late_actions: int
    actions_by_age: dict[str, int]
    oldest_actions: list[Open]
    recurring: list[Recurring]

    @property
    def quiet(self) -> bool:
        """Whether nothing happened in it."""
        return not self.this.incidents and not self.this.drills


def weekly(
    week: Week, at: datetime, past: Sequence[Past], papers: Sequence[Due], actions: Sequence[Open],
    titles: Mapping[str, str],
) -> Weekly:  # fmt: skip
    """``past`` holds drills too, of the two weeks and of the time before; ``titles`` are patterns'."""
    of_week = _declared(past, week.since, week.until)
    real = [each for each in of_week if not each.drill]
    recent = _declared(past, week.until - RECENT, week.until)
    return Weekly(
        week=week.name,
        monday=week.monday,
        sunday=week.sunday,
        timezone=week.timezone,
        running=at < week.until,
        this=_counted(of_week),
        before=_counted(_declared(past, week.before.since, week.since)),
        detected_by=dict(Counter(each.detected_by for each in real).most_common()),
        minutes={name: spread(spans_of(real, *marks)) for name, marks in SPANS.items()},
        longest=_longest(real, at),
        postmortems=sorted(papers, key=_urgency),
        open_actions=len(actions),
        late_actions=sum(each.late for each in actions),
        actions_by_age=by_age(actions),
        oldest_actions=oldest(actions)[:_OLDEST],
        recurring=_recurring([each for each in recent if not each.drill], titles),
    )


def _declared(past: Sequence[Past], since: datetime, until: datetime) -> list[Past]:
    return [each for each in past if since <= each.declared_at < until]


def _counted(past: Sequence[Past]) -> Counted:
    real = [each for each in past if not each.drill]
    severities = Counter(each.severity for each in real)
    return Counted(len(real), dict(sorted(severities.items())), len(past) - len(real))


def _longest(past: Sequence[Past], at: datetime) -> list[Long]:
    """One that goes on is as long as it has been until now."""
    found = []
    for each in past:
        start = each.clock.impact_start.at or each.declared_at
        end = at if each.going else each.clock.resolved.at
        if end is not None and end > start:
            minutes = round((end - start).total_seconds() / 60, 1)
            found.append(Long(each.number, each.title, each.severity, minutes, each.going))
    return sorted(found, key=lambda each: (-each.minutes, each.number))[:_LONGEST]


def _urgency(paper: Due) -> tuple[bool, float, int]:
    """What is late first, then what is due, the rest at the end."""
    return not paper.late, paper.due_at.timestamp() if paper.due_at else inf, paper.number


def _recurring(past: Sequence[Past], titles: Mapping[str, str]) -> list[Recurring]:
    found: dict[str, dict[int, str]] = defaultdict(dict)
    for each in sorted(past, key=lambda each: each.declared_at, reverse=True):
        for name in each.patterns:
            found[name][each.number] = each.title
    several = [
        Recurring(name, titles.get(name, name), list(those.items()))
        for name, those in found.items()
        if len(those) > 1
    ]
    return sorted(several, key=lambda each: (-len(each.incidents), each.id))

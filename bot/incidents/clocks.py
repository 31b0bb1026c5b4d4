"""The deadlines of laws about incidents: from the facts that people recorded to when what is due. Pure.

Reference for clocks only, not legal advice. A clock runs from a recorded fact and from nothing else:
that one is aware, that a person classified or determined. Nothing is ever submitted from here.
"""

from calendar import monthrange
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Protocol

from bot.catalog import Regulation
from bot.catalog.schedule import zone

STOPPED = "stopped"  # the fact that somebody found that it does not apply
_H = timedelta(hours=1)
_NOON = time(12)
_FILED = time(17, 30)  # when EDGAR's day ends
_SATURDAY = 5


class Fact(Protocol):
    """When something happened, and who says so."""

    @property
    def at(self) -> datetime:
        """Aware, UTC."""

    @property
    def by(self) -> str:
        """An actor, as the timeline names them."""


Facts = Mapping[str, Fact]


@dataclass(frozen=True)
class Law:
    """``facts`` start its clocks, in the order in which they come; ``duties`` are what is due."""

    name: str
    facts: Mapping[str, str]
    duties: Mapping[str, str]


LAWS: dict[str, Law] = {
    "dora": Law(
        "DORA", {"aware": "aware of the incident", "classified": "classified as major"},
        {"initial": "initial notification", "intermediate": "intermediate report",
         "final": "final report"},
    ),
    "nis2": Law(
        "NIS2", {"aware": "aware of the incident"},
        {"early": "early warning", "notification": "incident notification", "final": "final report"},
    ),
    "gdpr": Law(
        "GDPR", {"aware": "aware of the breach"}, {"authority": "notification of the authority"}
    ),
    "sec": Law("SEC", {"determined": "determined to be material"}, {"filing": "Form 8-K, Item 1.05"}),
}  # fmt: skip


@dataclass(frozen=True)
class Duty:
    """One thing that a law asks for.

    ``at`` is None while nothing that it counts from is recorded; ``waits`` says what that is.
    ``if_major``: it is due then only if the incident turns out to be one that must be reported.
    """

    law: str
    id: str
    at: datetime | None
    since: datetime | None = None
    done: Fact | None = None
    waits: str = ""
    if_major: bool = False

    @property
    def title(self) -> str:
        """``GDPR: notification of the authority``."""
        law = LAWS[self.law]
        return f"{law.name}: {law.duties[self.id]}"

    @property
    def key(self) -> str:
        """``gdpr:authority``."""
        return f"{self.law}:{self.id}"

    @property
    def running(self) -> bool:
        """Whether it is due at some time and not done."""
        return self.at is not None and self.done is None


def duties(regulation: Regulation, facts: Facts) -> list[Duty]:
    """What a law asks for and when, as far as the facts say; nothing where it was found not to apply."""
    if STOPPED in facts:
        return []
    match regulation.id:
        case "gdpr":
            return [_after("gdpr", "authority", facts, "aware", 72 * _H)]
        case "nis2":
            return [
                _after("nis2", "early", facts, "aware", 24 * _H),
                _after("nis2", "notification", facts, "aware", 72 * _H),
                _month_after("nis2", facts, "notification", regulation),
            ]
        case "dora":
            return _dora(regulation, facts)
    return [_sec(regulation, facts)]


def _dora(regulation: Regulation, facts: Facts) -> list[Duty]:
    """Delegated Regulation 2025/301, Article 5.

    The initial one: 4 hours from classification, and no later than 24 hours from awareness, unless
    it was classified later than that.
    """
    aware, classified = facts.get("aware"), facts.get("classified")
    at, since = None, classified or aware
    if aware:
        at = aware.at + 24 * _H
    if classified:
        soon = classified.at + 4 * _H
        late = at is not None and classified.at > at
        at = soon if at is None or late else min(soon, at)
    initial = Duty(
        "dora", "initial", _relieved(at, regulation, always=False), since.at if since else None,
        facts.get("initial"), "" if since else "aware", if_major=classified is None,
    )  # fmt: skip
    middle = _after("dora", "intermediate", facts, "initial", 72 * _H)
    middle = Duty(
        "dora", "intermediate", _relieved(middle.at, regulation, always=False), middle.since,
        middle.done, middle.waits,
    )  # fmt: skip
    return [initial, middle, _month_after("dora", facts, "intermediate", regulation)]


def _sec(regulation: Regulation, facts: Facts) -> Duty:
    """Four working days after the determination."""
    found = facts.get("determined")
    if found is None:
        return Duty("sec", "filing", None, waits="determined")
    home = zone(regulation.home)
    day = found.at.astimezone(home).date()
    for _ in range(4):
        day += timedelta(days=1)
        while not _works(day, regulation):
            day += timedelta(days=1)
    at = datetime.combine(day, _FILED, home)
    return Duty("sec", "filing", at.astimezone(UTC), found.at, facts.get("filing"))


def _after(law: str, duty: str, facts: Facts, fact: str, length: timedelta) -> Duty:
    begun = facts.get(fact)
    if begun is None:
        return Duty(law, duty, None, waits=fact)
    return Duty(law, duty, begun.at + length, begun.at, facts.get(duty))


def _month_after(law: str, facts: Facts, fact: str, regulation: Regulation) -> Duty:
    """The same day and hour a month later, or the month's last day; DORA's may wait for a working day."""
    begun = facts.get(fact)
    if begun is None:
        return Duty(law, "final", None, waits=fact)
    wall = begun.at.astimezone(zone(regulation.home))
    year, month = wall.year + wall.month // 12, wall.month % 12 + 1
    day = min(wall.day, monthrange(year, month)[1])
    at: datetime | None = wall.replace(year=year, month=month, day=day).astimezone(UTC)
    if law == "dora":
        at = _relieved(at, regulation, always=True)
    return Duty(law, "final", at, begun.at, facts.get("final"))


def _relieved(at: datetime | None, regulation: Regulation, *, always: bool) -> datetime | None:
    """Noon of the next working day, for one that would be due on another day."""
    if at is None or not (always or regulation.weekend_relief):
        return at
    home = zone(regulation.home)
    day = at.astimezone(home).date()
    if _works(day, regulation):
        return at
    while not _works(day, regulation):
        day += timedelta(days=1)
    return datetime.combine(day, _NOON, home).astimezone(UTC)


def _works(day: date, regulation: Regulation) -> bool:
    return day.weekday() < _SATURDAY and day not in regulation.holidays


def left(at: datetime, now: datetime) -> str:
    """``41 h 5 min left``, ``overdue by 20 min``."""
    minutes = int(abs((at - now).total_seconds()) // 60)
    days, rest = divmod(minutes, 24 * 60)
    hours, minutes = divmod(rest, 60)
    parts = [(days, "d"), (hours, "h"), (minutes, "min")]
    shown = [f"{n} {unit}" for n, unit in parts if n][:2] or ["0 min"]
    return f"{' '.join(shown)} left" if at > now else f"overdue by {' '.join(shown)}"


def in_order(found: Sequence[Duty]) -> list[Duty]:
    """Those that run first, by when they are due."""
    never = datetime.max.replace(tzinfo=UTC)
    return sorted(found, key=lambda duty: (not duty.running, duty.at or never))

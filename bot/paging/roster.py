"""Who is on call and who comes next, as every surface shows it. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bot.catalog import Catalog
from bot.catalog.coverage import gap_words, gaps
from bot.catalog.oncall import Schedule
from bot.catalog.rota import Shift, Stand, shifts
from bot.catalog.schedule import zone

_AHEAD = timedelta(weeks=5)
NEXT = 5  # hand-overs that are shown


@dataclass(frozen=True)
class Roster:
    """One schedule from a time on. ``shifts`` begin with who is on call then; none is empty."""

    schedule: Schedule
    shifts: Sequence[Shift]
    stands: Sequence[Stand]
    gap: str
    names: Mapping[str, str]

    @property
    def person(self) -> str:
        """The id of who is on call; empty for nobody."""
        return self.shifts[0].person

    def name(self, person: str) -> str:
        """For people."""
        return self.names.get(person, person) if person else "nobody"

    def local(self, at: datetime) -> str:
        """``Mon 2026-11-30 09:00 CET``."""
        return f"{at.astimezone(zone(self.schedule.timezone)):%a %Y-%m-%d %H:%M %Z}"

    @property
    def words(self) -> str:
        """Who is on call, and until when."""
        first = self.shifts[0]
        until = f" until {self.local(first.until)}" if len(self.shifts) > 1 else ""
        return f"{self.name(first.person)}{until}"

    @property
    def coming(self) -> list[tuple[str, str]]:
        """The next hand-overs: when, and to whom."""
        return [(self.local(s.since), self.name(s.person)) for s in self.shifts[1 : NEXT + 1]]

    def as_dict(self) -> dict[str, Any]:
        """For JSON; times are UTC, and a person is an id or null."""
        return {
            "schedule": self.schedule.id,
            "title": self.schedule.name,
            "timezone": self.schedule.timezone,
            "on_call": self.person or None,
            "until": self.shifts[0].until.isoformat() if len(self.shifts) > 1 else None,
            "next": [
                {"person": s.person or None, "since": s.since.isoformat()}
                for s in self.shifts[1 : NEXT + 1]
            ],
            "overrides": [
                {"override": s.number, "person": s.person, "since": s.since.isoformat(),
                 "until": s.until.isoformat()}
                for s in self.stands
            ],
            "warning": self.gap or None,
        }  # fmt: skip


def rosters(
    catalog: Catalog, at: datetime, stands: Mapping[str, Sequence[Stand]], only: str = ""
) -> list[Roster]:
    """Every schedule, or the one named. Raises `Unavailable` on a host without time zones."""
    names = {p.id: p.name for p in catalog.people}
    found = []
    for schedule in catalog.schedules:
        if only in ("", schedule.id):
            mine = list(stands.get(schedule.id, ()))
            coming = shifts(schedule, at, at + _AHEAD, mine)
            gap = gap_words(schedule, gaps(schedule, at, mine))
            found.append(Roster(schedule, coming, mine, gap, names))
    return found

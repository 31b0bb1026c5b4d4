"""Everything that the sections of one draft are drawn from. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from bot.catalog import Catalog
from bot.postmortems.cast import Cast
from bot.postmortems.cost import Impact, impact
from bot.postmortems.marks import Clock, clock, ordered
from bot.postmortems.page import Line, cell
from bot.postmortems.runs import Run, runs
from bot.timeline import Entry

GAP_MINUTES = 15


@dataclass(frozen=True)
class Facts:
    """What the incident's own row says."""

    id: int
    title: str
    severity: str
    status: str
    services: tuple[str, ...]
    drill: bool
    declared_at: datetime
    resolved_at: datetime | None
    declared_by: str


@dataclass(frozen=True)
class Gap:
    """A stretch in which nothing was recorded."""

    after: Entry
    before: Entry
    minutes: float


@dataclass(frozen=True)
class Case:
    """One incident, looked at from all sides once."""

    facts: Facts
    rows: list[Entry]
    catalog: Catalog
    pictures: Mapping[str, bytes]
    cast: Cast
    clock: Clock
    impact: Impact
    runs: list[Run]
    gaps: list[Gap]

    def of(self, *kinds: str) -> list[Entry]:
        """The rows of some kinds."""
        return [row for row in self.rows if row.kind in kinds]

    def notes(self, *prefixes: str) -> list[tuple[Entry, str]]:
        """People's notes that start with ``cause:`` and the like, without that word."""
        found = []
        for row in self.of("note_added"):
            word, colon, rest = row.text.partition(":")
            by_person = row.actor.startswith("person:")
            if colon and by_person and word.strip().lower() in prefixes and rest.strip():
                found.append((row, rest.strip()))
        return found

    def say(self, value: object) -> Line:
        """Recorded text as a line, names replaced by roles."""
        return cell(self.cast.plain(value))

    def service_titles(self) -> str:
        """The affected services as people call them."""
        return ", ".join(each.title for each in self.impact.services)


def look_at(
    facts: Facts, rows: Sequence[Entry], catalog: Catalog, pictures: Mapping[str, bytes]
) -> Case:
    """Works out clock, cost, runs, gaps and roles."""
    rows = ordered(rows)
    found = clock(rows)
    return Case(
        facts=facts,
        rows=rows,
        catalog=catalog,
        pictures=pictures,
        cast=Cast(rows, catalog),
        clock=found,
        impact=impact(found, list(facts.services), catalog),
        runs=runs(rows),
        gaps=_gaps(rows, found),
    )


def _gaps(rows: Sequence[Entry], found: Clock) -> list[Gap]:
    """Silences longer than a quarter of an hour, up to the resolution."""
    gaps = []
    for after, before in pairwise(rows):
        minutes = (before.at - after.at).total_seconds() / 60
        during = found.resolved.at is None or after.at < found.resolved.at
        if minutes > GAP_MINUTES and during:
            gaps.append(Gap(after, before, minutes))
    return gaps

"""Everything that the sections of one draft are drawn from. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from itertools import pairwise

from bot.catalog import Catalog
from bot.contract import Graph
from bot.postmortems.cast import Cast
from bot.postmortems.cost import Impact, impact
from bot.postmortems.marks import Clock, clock, ordered
from bot.postmortems.moments import is_known
from bot.postmortems.page import Line, cell
from bot.postmortems.phases import Phases, phases
from bot.postmortems.rowclass import classes, corrections, noted
from bot.postmortems.runs import Run, runs
from bot.postmortems.told import is_told
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
class Action:
    """An open task or follow-up of some incident; ``owner`` is a person's id."""

    incident: int
    name: str
    text: str
    owner: str
    due_at: datetime | None
    link: str = ""


@dataclass(frozen=True)
class Related:
    """An earlier incident that was like it. ``because`` says in what, ``ended`` what ended it."""

    number: int
    title: str
    severity: str
    at: datetime
    minutes: float | None
    services: tuple[str, ...]
    because: tuple[str, ...] = ()
    ended: str = ""


@dataclass(frozen=True)
class Around:
    """What the database knows beside the record; ``looked`` says whether it was asked at all."""

    related: tuple[Related, ...] = ()
    actions: tuple[Action, ...] = ()
    looked: bool = False
    links: tuple[tuple[str, str], ...] = ()  # title, address
    graphs: tuple[Graph, ...] = ()  # what was measured while it lasted


@dataclass(frozen=True)
class Gap:
    """A stretch in which nothing was recorded, or nothing that has a time."""

    after: Entry
    before: Entry
    minutes: float
    untimed: bool = False

    @property
    def words(self) -> str:
        """What was not recorded."""
        return "no row has a clock time" if self.untimed else "nothing was recorded"


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
    classes: Mapping[int, str]
    phases: Phases
    corrected: Mapping[int, Entry]
    around: Around = field(default_factory=Around)

    def of(self, *kinds: str) -> list[Entry]:
        """The rows of some kinds."""
        if len(kinds) == 1:
            return self._by_kind.get(kinds[0], [])
        found = [row for kind in kinds for row in self._by_kind.get(kind, [])]
        return sorted(found, key=lambda row: self.place[row.seq])

    def classed(self, *names: str) -> list[Entry]:
        """The rows of some classes."""
        return [row for row in self.rows if self.classes[row.seq] in names]

    def notes(self, *prefixes: str) -> list[tuple[Entry, str]]:
        """People's notes that start with ``cause:`` and the like, without that word.

        One that was corrected stands where it was and says what its correction says; one that was
        withdrawn says nothing.
        """
        return [(row, rest) for row, word, rest in self._noted if word in prefixes]

    def say(self, value: object) -> Line:
        """Recorded text as a line, names replaced by roles."""
        return cell(self.cast.plain(value))

    def service_titles(self) -> str:
        """The affected services as people call them."""
        return ", ".join(each.title for each in self.impact.services)

    @cached_property
    def told(self) -> bool:
        """Whether it is drawn from what was published: what such a record does not say, nobody can look up."""
        return any(is_told(row) for row in self.rows)

    def telling(self, tells: Callable[[Entry], bool]) -> list[Entry]:
        """The rows of a told outage whose sentence is about something; a record of our own has none."""
        return [row for row in self.rows if tells(row)] if self.told else []

    @cached_property
    def seen_by_users(self) -> list[Entry]:
        """The symptoms of a told outage from its impact on: what was amiss before it is another matter."""
        rows = self.of("symptom") if self.told else []
        began = self.place.get(self.clock.impact_start.seq or 0, 0)
        return [row for row in rows if self.place[row.seq] >= began]

    @cached_property
    def shape(self) -> str:
        """How a row's time is written: with its day, where there are several."""
        days = {row.at.date() for row in self.rows if is_known(row.at)}
        return "%H:%M:%S" if len(days) < 2 else "%m-%d %H:%M:%S"  # noqa: PLR2004 - one day needs no name

    def before(self, row: Entry) -> Entry | None:
        """The last row by a machine before that one."""
        return self._machine_before[self.place[row.seq]]

    def row(self, seq: int | None) -> Entry | None:
        """The row of a number."""
        place = self.place.get(seq) if seq is not None else None
        return None if place is None else self.rows[place]

    @cached_property
    def place(self) -> dict[int, int]:
        """Row → where it stands in the order of time."""
        return {row.seq: index for index, row in enumerate(self.rows)}

    @cached_property
    def _by_kind(self) -> dict[str, list[Entry]]:
        found: dict[str, list[Entry]] = {}
        for row in self.rows:
            found.setdefault(row.kind, []).append(row)
        return found

    @cached_property
    def _noted(self) -> list[tuple[Entry, str, str]]:
        corrections = {row.seq for row in self.corrected.values()}
        said = (
            (row, *noted(self.corrected.get(row.seq, row)))
            for row in self.rows
            if row.seq not in corrections
        )
        return [(row, word, rest) for row, word, rest in said if word]

    @cached_property
    def _machine_before(self) -> list[Entry | None]:
        last: Entry | None = None
        found: list[Entry | None] = []
        for row in self.rows:
            found.append(last)
            if not row.actor.startswith("person:"):
                last = row
        return found


def look_at(
    facts: Facts, rows: Sequence[Entry], catalog: Catalog, pictures: Mapping[str, bytes],
    around: Around | None = None,
) -> Case:  # fmt: skip
    """Works out clock, phases, cost, runs, gaps and roles."""
    rows = ordered(rows)
    found = clock(rows)
    named = classes(rows, found.detected.seq)
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
        classes=named,
        phases=phases(
            rows, named, found.impact_start, found.detected, found.mitigated, found.resolved
        ),
        corrected=corrections(rows),
        around=around or Around(),
    )


def _gaps(rows: Sequence[Entry], found: Clock) -> list[Gap]:
    """Silences longer than a quarter of an hour, up to the resolution."""
    gaps = []
    timed = [(place, row) for place, row in enumerate(rows) if is_known(row.at)]
    for (above, after), (below, before) in pairwise(timed):
        minutes = (before.at - after.at).total_seconds() / 60
        during = found.resolved.at is None or after.at < found.resolved.at
        if minutes > GAP_MINUTES and during:
            gaps.append(Gap(after, before, minutes, untimed=below > above + 1))
    return gaps

"""Looks for incidents that were like one, and says why and how they ended.

Among those that have ended, the newest hundreds that share an alert, a service or a rare word of the title
are compared by that; of the best of them the timelines and postmortems are read too. Drills stand beside
drills only, what is merged into another counts there, and of private ones nobody learns who may not see them.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, or_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from bot.catalog import Catalog, Person
from bot.catalog.needs import needs
from bot.incidents.seeing import hidden_from
from bot.incidents.similar.candidates import by_rows, by_words, count, known_of
from bot.incidents.similar.endings import ABOUT, ENDS, MANY, ending, minutes_of, with_rows
from bot.incidents.similar.scoring import Alike, Around, Known, alike, compared, ranked, searched
from bot.incidents.tables import Incident
from bot.timeline import Entry, Timeline, entries

SHOWN = 3
_READ = 30  # of which the timelines are read
_LONG, _SHORT = (
    2000,
    200,
)  # rows of this one's timeline, and of another's, that say what it was about
_OVER = ("resolved", "closed")
Patterns = Callable[[AsyncSession, Sequence[int]], Awaitable[Mapping[int, Collection[str]]]]


@dataclass(frozen=True)
class Past:
    """An incident that was like it. ``because`` are the reasons, ``ended`` is how it ended, in words."""

    number: int
    title: str
    severity: str
    status: str
    drill: bool
    private: bool
    services: tuple[str, ...]
    declared_at: datetime
    minutes: float | None
    score: float
    because: tuple[str, ...]
    ended: str
    paper: bool


async def _none(_: AsyncSession, __: Sequence[int]) -> Mapping[int, Collection[str]]:
    """Where nobody reads postmortems."""
    return {}


class Similar:
    """``patterns`` reads which patterns the postmortems of some incidents name."""

    def __init__(self, catalog: Callable[[], Catalog], patterns: Patterns = _none) -> None:
        self.catalog = catalog
        self.patterns = patterns

    async def find(
        self, session: AsyncSession, number: int, *, person: Person | None = None,
        earlier: bool = False, shown: int = SHOWN,
    ) -> list[Past]:  # fmt: skip
        """The most alike first. Without a person: for everybody. ``earlier``: only what was before it."""
        incident = await session.get_one(Incident, number)
        where = await self._where(session, incident, person, earlier=earlier)
        this = await self._this(session, incident)
        around = self._around(this)
        incidents = await count(session)
        words = await by_words(session, searched(this, around), incidents)
        around = replace(around, incidents=incidents, titles=words.titles)
        numbers = (words.numbers | await by_rows(session, this, where)) - {number}
        others = await known_of(session, numbers, where)
        first = ranked(compared(this, each, around) for each in others)[:_READ]
        best = {each.number for each in first if each.score}
        rows = await _rows(session, best, _SHORT)
        named = await self.patterns(session, [number, *sorted(best)])
        this = replace(this, patterns=frozenset(named.get(number, ())))
        read = [
            replace(with_rows(each, rows.get(each.number, ())), patterns=frozenset(named.get(each.number, ())))
            for each in others if each.number in best
        ]  # fmt: skip
        return await _past(session, alike(this, read, around, shown))

    async def _where(
        self, session: AsyncSession, incident: Incident, person: Person | None, *, earlier: bool
    ) -> list[ColumnElement[bool]]:
        hidden = await hidden_from(session, self.catalog(), person)
        where = [
            col(Incident.status).in_(_OVER), col(Incident.drill) == incident.drill,
            col(Incident.merged_into).is_(None), col(Incident.id).not_in(hidden),
        ]  # fmt: skip
        return [*where, col(Incident.declared_at) < incident.declared_at] if earlier else where

    async def _this(self, session: AsyncSession, incident: Incident) -> Known:
        (known,) = await known_of(session, {incident.number}, ())
        rows = await _rows(session, [incident.number], _LONG)
        return with_rows(known, rows.get(incident.number, ()))

    def _around(self, this: Known) -> Around:
        """The services near its own in the catalog, and what they are called."""
        catalog = self.catalog()
        near: dict[str, str] = {}
        for each in catalog.services:
            below = needs(catalog, each.id)
            if each.id in this.services:
                near |= {n: f"{each.id} stands on {n}" for n in below if n not in near}
            elif on := sorted(this.services & set(below)):
                near.setdefault(each.id, f"{each.id} stands on {on[0]}")
        names = {s.id: s.title for s in catalog.services}
        return Around(near={n: w for n, w in near.items() if n not in this.services}, names=names)


async def _rows(
    session: AsyncSession, numbers: Collection[int], first: int
) -> dict[int, list[tuple[str, dict[str, Any]]]]:
    """Kind and data of the rows that say what they were about: of alerts and steps, among the ``first`` rows."""
    kind = col(Timeline.kind)
    query = select(Timeline.incident_id, Timeline.kind, Timeline.data).where(
        col(Timeline.incident_id).in_(sorted(numbers)),
        or_(kind.in_(ABOUT), and_(kind.in_(MANY), col(Timeline.seq) <= first)),
    )
    found: dict[int, list[tuple[str, dict[str, Any]]]] = {}
    for number, name, data in (await session.execute(query)).all() if numbers else ():
        found.setdefault(number, []).append((name, data))
    return found


async def _past(session: AsyncSession, found: Sequence[Alike]) -> list[Past]:
    numbers = [each.number for each in found]
    query = select(Incident).where(col(Incident.id).in_(numbers))
    known = {i.number: i for i in (await session.execute(query)).scalars()}
    rows: dict[int, list[Entry]] = {}
    for row in await entries(session, numbers, col(Timeline.kind).in_(ENDS)):
        rows.setdefault(row.incident_id, []).append(row)
    return [_one(known[each.number], each, rows.get(each.number, ())) for each in found]


def _one(incident: Incident, like: Alike, rows: Sequence[Entry]) -> Past:
    end = ending(incident, rows)
    return Past(
        number=incident.number, title=incident.title, severity=incident.severity,
        status=incident.standing, drill=incident.drill, private=incident.private,
        services=tuple(incident.services), declared_at=incident.declared_at,
        minutes=minutes_of(incident.declared_at, incident.resolved_at), score=like.score,
        because=like.because, ended=end.words, paper=end.paper,
    )  # fmt: skip

"""Asks the database's own index, and shows each incident with places that were found.

Those whose title has the words come first, then those whose postmortem has them, then the others, the
newest first. Of private incidents nobody learns who may not see them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text as sql
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from bot.catalog import Catalog, Person
from bot.incidents import Incident
from bot.incidents.seeing import hidden_from
from bot.postmortems.search.words import Term, excerpt, for_postgresql, for_sqlite, terms
from bot.postmortems.tables import Postmortem
from bot.store import by_index
from bot.timeline import Timeline, entries

SHOWN = 20  # incidents
PLACES = 3  # of each
_AT_ONCE = 400  # rows of timelines, the newest first: a common word has too many to look at all
_LAST = 2**31 - 1  # no incident has this number


@dataclass(frozen=True)
class Hit:
    """A place: ``where`` is title, timeline or postmortem; ``seq`` is the row of the timeline."""

    where: str
    text: str
    seq: int = 0
    at: datetime | None = None
    kind: str = ""


@dataclass(frozen=True)
class Found:
    """An incident and the first places in it that were found."""

    number: int
    title: str
    severity: str
    status: str
    drill: bool
    declared_at: datetime
    hits: tuple[Hit, ...]


class Search:
    """Over one database of either kind, whose migrations keep the index."""

    def __init__(self, catalog: Callable[[], Catalog]) -> None:
        self.catalog = catalog

    async def find(
        self, session: AsyncSession, typed: str, person: Person | None, *, shown: int = SHOWN
    ) -> list[Found]:
        """What a person may see of it; without one, what everybody may. Raises `BadInput`."""
        wanted = terms(typed)
        hidden = await hidden_from(session, self.catalog(), person)
        index = _index(session, wanted, hidden, shown)
        titled = await index.numbers("incident")
        papers = await index.numbers("postmortem")
        rows = await index.rows()
        order = list(dict.fromkeys([*titled, *papers, *rows]))[:shown]
        query = select(Incident).where(col(Incident.id).in_(order))
        known = {i.number: i for i in (await session.execute(query)).scalars()}
        drawn = {number: (number in papers, rows.get(number, [])) for number in order}
        places = await _places(session, drawn, wanted)
        return [
            _found(known[n], n in titled, places.get(n, [])) for n in order if n in known
        ]  # fmt: skip


async def _places(
    session: AsyncSession, drawn: dict[int, tuple[bool, list[int]]], wanted: list[Term]
) -> dict[int, list[Hit]]:
    """What stands at the places, by incident."""
    found: dict[int, list[Hit]] = {}
    seqs = {seq for _, rows in drawn.values() for seq in rows}
    for row in await entries(session, drawn, col(Timeline.seq).in_(seqs)):
        if row.seq in drawn[row.incident_id][1]:
            hit = Hit("timeline", excerpt(row.text, wanted), row.seq, row.at, row.kind)
            found.setdefault(row.incident_id, []).append(hit)
    numbers = [number for number, (paper, _) in drawn.items() if paper]
    papers = select(Postmortem).where(col(Postmortem.incident_id).in_(numbers))
    for paper in (await session.execute(papers)).scalars() if numbers else ():
        hit = Hit("postmortem", excerpt(paper.markdown, wanted))
        found.setdefault(paper.incident_id, []).append(hit)
    return found


def _found(incident: Incident, titled: bool, hits: list[Hit]) -> Found:
    title = [Hit("title", incident.title)] if titled else []
    return Found(
        number=incident.number, title=incident.title, severity=incident.severity,
        status=incident.standing, drill=incident.drill, declared_at=incident.declared_at,
        hits=(*title, *hits),
    )  # fmt: skip


@dataclass(frozen=True)
class _Sqlite:
    """FTS5. Numbers of incidents alone are put into the SQL; what people typed is a value."""

    session: AsyncSession
    query: str
    hidden: str
    shown: int

    async def numbers(self, table: str) -> list[int]:
        """The newest incidents whose title or postmortem fits."""
        asked = (
            f"SELECT rowid FROM search_{table} WHERE search_{table} MATCH :query "  # noqa: S608 - see above
            f"AND rowid NOT IN ({self.hidden}) ORDER BY rowid DESC LIMIT :many"
        )
        return [int(row[0]) for row in await self._ask(asked, {"many": self.shown})]

    async def rows(self) -> dict[int, list[int]]:
        """The newest incidents with rows that fit, and of each the first of those that were seen.

        It jumps from incident to incident: one with ten thousand such rows hides no other.
        """
        asked = (
            "SELECT rowid / 4294967296, rowid % 4294967296 FROM search_timeline "  # noqa: S608 - the same
            "WHERE search_timeline MATCH :query AND rowid >= 4294967296 "
            f"AND rowid < :below * 4294967296 AND rowid / 4294967296 NOT IN ({self.hidden}) "
            "ORDER BY rowid DESC LIMIT :many"
        )
        found: dict[int, list[int]] = {}
        below = _LAST
        while len(found) < self.shown:
            batch = await self._ask(asked, {"below": below, "many": _AT_ONCE})
            for number, seq in batch:
                found.setdefault(int(number), []).append(int(seq))
            if len(batch) < _AT_ONCE:
                break
            below = min(found)
        return {number: sorted(seqs)[:PLACES] for number, seqs in found.items()}

    async def _ask(self, asked: str, values: dict[str, Any]) -> Sequence[Any]:
        return (await self.session.execute(sql(asked), {"query": self.query, **values})).all()


class _Postgresql(_Sqlite):
    """GIN indexes over ``search_words(…)``."""

    async def numbers(self, table: str) -> list[int]:
        column, key = ("title", "id") if table == "incident" else ("markdown", "incident_id")
        asked = (
            f"SELECT {key} FROM {table} WHERE search_words({column}) @@ to_tsquery('simple', :query) "  # noqa: S608 - the same
            f"AND {key} NOT IN ({self.hidden}) ORDER BY {key} DESC LIMIT :many"
        )
        return [int(row[0]) for row in await self._ask(asked, {"many": self.shown})]

    async def rows(self) -> dict[int, list[int]]:
        """In one pass over what the index has."""
        asked = (
            "SELECT incident_id, (array_agg(seq ORDER BY seq))[1:3] FROM timeline "  # noqa: S608 - the same
            "WHERE search_words(text) @@ to_tsquery('simple', :query) AND incident_id > 0 "
            f"AND incident_id NOT IN ({self.hidden}) "
            "GROUP BY incident_id ORDER BY incident_id DESC LIMIT :many"
        )
        # The planner takes a word's beginning for frequent, and would read timelines until it has enough.
        async with by_index(self.session):
            found = await self._ask(asked, {"many": self.shown})
        return {int(number): [int(seq) for seq in seqs] for number, seqs in found}


def _index(session: AsyncSession, wanted: list[Term], hidden: list[int], shown: int) -> _Sqlite:
    none = ", ".join(map(str, hidden)) or "0"
    if session.get_bind().dialect.name == "postgresql":
        return _Postgresql(session, for_postgresql(wanted), none, shown)
    return _Sqlite(session, for_sqlite(wanted), none, shown)

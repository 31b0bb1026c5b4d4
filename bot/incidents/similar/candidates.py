"""Finds the incidents that may be alike by the database's indexes, the newest of each kind.

Words of titles are looked up in the full-text index that search has (migration 0023); alerts and services
in the incidents' own rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, String, cast, func, or_
from sqlalchemy import text as sql
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from bot.incidents.similar.scoring import RARE, Known
from bot.incidents.tables import Incident
from bot.store import by_index

_NEWEST = 200  # of one kind that are compared
_WORDS = 12  # of a title that are looked up
_TITLES = {
    "sqlite": ("SELECT rowid FROM search_incident WHERE search_incident MATCH :word", "rowid"),
    "postgresql": ("SELECT id FROM incident WHERE search_words(title) @@ to_tsquery('simple', :word)", "id"),
}  # fmt: skip


@dataclass(frozen=True)
class Words:
    """How many titles have each word, and the newest that have a rare one of them."""

    titles: dict[str, int]
    numbers: set[int]


async def by_words(session: AsyncSession, words: Sequence[str], incidents: int) -> Words:
    """Of words that many titles have only their number is asked for: the others find the rest."""
    kind = session.get_bind().dialect.name
    asked, key = _TITLES[kind]
    newest = sql(f"{asked} ORDER BY {key} DESC LIMIT {_NEWEST + 1}")
    counted = sql(f"SELECT count(*) FROM ({asked}) AS found")  # noqa: S608 - both are ours
    found: set[int] = set()
    titles: dict[str, int] = {}
    async with by_index(session):  # the planner takes each word for frequent
        for word in words[:_WORDS]:
            value = {"word": f'"{word}"' if kind == "sqlite" else f"'{word}'"}
            numbers = [int(row[0]) for row in await session.execute(newest, value)]
            titles[word] = len(numbers)
            if len(numbers) <= _NEWEST:
                found.update(numbers)
            else:
                titles[word] = int((await session.execute(counted, value)).scalar_one())
                if titles[word] * RARE <= incidents:
                    found.update(numbers)
    return Words(titles, found)


async def by_rows(session: AsyncSession, this: Known, where: Sequence[ColumnElement[bool]]) -> set[int]:  # fmt: skip
    """Those that one of its alerts declared, and those of its services."""
    found: set[int] = set()
    if this.alerts:
        alert = col(Incident.trigger)["alert"].as_string()
        found |= await _newest(session, alert.in_(this.alerts), where)
    if this.services:
        services = cast(col(Incident.services), String)
        same = or_(*(services.contains(f'"{each}"', autoescape=True) for each in this.services))
        found |= await _newest(session, same, where)
    return found


async def _newest(
    session: AsyncSession, fits: ColumnElement[bool], where: Sequence[ColumnElement[bool]]
) -> set[int]:
    query = select(Incident.id).where(fits, *where).order_by(col(Incident.id).desc())
    return {n for n in (await session.execute(query.limit(_NEWEST))).scalars() if n is not None}


async def known_of(
    session: AsyncSession, numbers: set[int], where: Sequence[ColumnElement[bool]]
) -> list[Known]:
    """What their own rows say of them."""
    columns: list[Any] = [Incident.id, Incident.title, Incident.services, Incident.trigger]
    query = select(*columns).where(col(Incident.id).in_(sorted(numbers)), *where)
    return [_known(*row) for row in (await session.execute(query)).all()]


async def count(session: AsyncSession) -> int:
    """About how many incidents there have been."""
    return int((await session.execute(select(func.max(Incident.id)))).scalar() or 1)


def _known(number: int, title: str, services: list[str], trigger: dict[str, Any]) -> Known:
    alert, labels = trigger.get("alert"), trigger.get("labels")
    return Known(
        number, title, frozenset(services), frozenset([str(alert)] if alert else []),
        labels if isinstance(labels, dict) else {},
        frozenset([str(trigger["runbook"])] if trigger.get("runbook") else []),
    )  # fmt: skip

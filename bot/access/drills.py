"""Where the scheduled access drills stand: when each is due, and how the last ones went. Reads only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from bot.access.graph import graph_of, named
from bot.access.tables import DrillHeld
from bot.catalog import AccessDrill, Catalog, catalog_files
from bot.catalog.files import entries
from bot.catalog.schedule import occurrences, zone
from bot.errors import BadInput


@dataclass(frozen=True)
class DrillStanding:
    """One drill of the catalog, as it was ``at`` a time: the last one that was held, and the one before."""

    drill: AccessDrill
    at: datetime
    last: DrillHeld | None
    before: DrillHeld | None

    @property
    def next_at(self) -> datetime | None:
        """When it is due next. Raises `Unavailable` on a host without time zones."""
        return next(occurrences(self.drill.schedule, self.drill.timezone, self.at), None)

    @property
    def change(self) -> float | None:
        """Of the score, -1 to 1; None until it was held twice."""
        if self.last is None or self.before is None:
            return None
        return (self.last.score or 0) - (self.before.score or 0)

    @property
    def wrong(self) -> str:
        """What the last one fell short of, in words; empty if it went well or was never held."""
        return shortfall(self.drill, self.last) if self.last else ""

    def cells(self) -> tuple[str, str, str, str, str, str]:
        """Name, what is down, next time, last held, score and its change, for a table."""
        coming = self.next_at
        next_at = local(self.drill, coming) if coming else "never"
        last = local(self.drill, self.last.ended) if self.last and self.last.ended else "never"
        score = f"{self.last.score or 0:.0%}" if self.last else ""
        change = "" if self.change is None else f"{100 * self.change:+.0f} points"
        return self.drill.name, ", ".join(self.drill.down), next_at, last, score, change

    def as_dict(self) -> dict[str, Any]:
        """For JSON; times are UTC."""
        last, coming = self.last, self.next_at
        return {
            "name": self.drill.name,
            "down": self.drill.down,
            "schedule": self.drill.schedule,
            "timezone": self.drill.timezone,
            "owner": self.drill.owner,
            "least": self.drill.least,
            "next_at": coming.isoformat() if coming else None,
            "last_held": last.ended.isoformat() if last and last.ended else None,
            "score": last.score if last else None,
            "change": self.change,
            "wrong": self.wrong,
            "result": last.result if last else None,
        }


def local(drill: AccessDrill, at: datetime) -> str:
    """``2027-02-02 10:00 CET``. Raises `Unavailable` on a host without time zones."""
    return f"{at.astimezone(zone(drill.timezone)):%Y-%m-%d %H:%M %Z}"


def shortfall(drill: AccessDrill, held: DrillHeld) -> str:
    """What a drill that was held fell short of: its score, and the first thing that does not work."""
    runbooks = held.result["runbooks"]
    failed = [f"{each['id']}: {each['failed'][0]}" for each in runbooks if each["failed"]]
    dead = [f"{each['id']} would not run" for each in runbooks if not each["should_run"]]
    score = held.score or 0
    well = not failed if drill.least is None else score >= drill.least
    if well:
        return ""
    least = "" if drill.least is None else f", and {drill.least:.0%} should"
    return "; ".join([f"{score:.0%} of the runbooks run{least}", *[*failed, *dead][:1]])


async def standings(
    session: AsyncSession, catalog: Catalog, at: datetime
) -> Sequence[DrillStanding]:
    """One for each drill of the catalog, in its order."""
    found = []
    for drill in catalog.drills:
        query = (
            select(DrillHeld)
            .where(DrillHeld.name == drill.name, col(DrillHeld.score).is_not(None))
            .order_by(col(DrillHeld.due_at).desc())
            .limit(2)
        )
        held = [*(await session.execute(query)).scalars(), None, None]
        found.append(DrillStanding(drill, at, held[0], held[1]))
    return found


def check_drills(folder: Path, catalog: Catalog) -> None:
    """Raises `BadFile` where a drill of the catalog's folder takes down what nothing stands on."""
    if not catalog.drills:
        return
    graph = graph_of(catalog)
    for path in catalog_files(folder):
        for section, entry, origin in entries(path):
            for number, node in enumerate(entry["down"] if section == "drills" else ()):
                try:
                    named(graph, node)
                except BadInput as error:
                    raise origin.problem(["down", number], error.message) from None

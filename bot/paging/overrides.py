"""Who stands in for whom: set from chat or the terminal, and taken back. Each is on record."""

from collections import defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from bot.catalog import Catalog, Person
from bot.catalog.oncall import Schedule
from bot.catalog.rota import Stand
from bot.errors import BadInput, Conflict, NotAllowed, NotFound
from bot.located import near
from bot.paging.tables import OncallOverride
from bot.store import now
from bot.timeline import Ledger

LONGEST = timedelta(days=90)


def may_page(person: Person) -> None:
    """Whether a person may change who is on call, and page people. Raises `NotAllowed`."""
    if not (person.has("responder") or person.has("commander")):
        raise NotAllowed("On call and pages need the role 'responder'.")


def schedule_of(catalog: Catalog, name: str) -> Schedule:
    """Raises `NotFound` with the nearest name."""
    found = catalog.schedule(name)
    if found is None:
        known = [s.id for s in catalog.schedules]
        hint = f"Known: {', '.join(known)}." if known else "Write one in the catalog: `schedules`."
        raise NotFound(f"There is no schedule {name[:64]!r}{near(name, known) or '.'}", hint=hint)
    return found


class Overrides:
    """In the transaction of who asks. Those of chat go before the catalog's, the newest first."""

    def __init__(self, ledger: Ledger, catalog: Callable[[], Catalog]) -> None:
        self.ledger = ledger
        self.catalog = catalog

    async def set(
        self,
        session: AsyncSession,
        schedule_id: str,
        person_id: str,
        since: datetime,
        until: datetime,
        by: str,
        origin: str,
    ) -> OncallOverride:
        """``by`` is a person's id, empty for the command line; the same ``origin`` again is one.

        Raises `NotFound` for a schedule or a person that is not there, `BadInput` for its times.
        """
        schedule = schedule_of(self.catalog(), schedule_id)
        if self.catalog().person(person_id) is None:
            people = [p.id for p in self.catalog().people]
            raise NotFound(f"There is no person {person_id[:64]!r}{near(person_id, people) or '.'}")
        found = await session.execute(select(OncallOverride).where(OncallOverride.origin == origin))
        if earlier := found.scalar_one_or_none():
            return earlier
        if not max(since, now()) < until <= since + LONGEST:
            raise BadInput(f"It must end later than it begins, within {LONGEST.days} days.")
        row = OncallOverride(schedule=schedule.id, person=person_id, since=since, until=until,
                             by=by, origin=origin)  # fmt: skip
        session.add(row)
        await session.flush()
        text = f"{person_id} is on call for {schedule.name} {_span(row)} (override {row.number})"
        await self._record(session, "oncall_overridden", by, row, text)
        return row

    async def undo(self, session: AsyncSession, number: int, by: str) -> OncallOverride:
        """Takes it back from now on. Raises `NotFound`, and `Conflict` where it is over already."""
        query = select(OncallOverride).where(OncallOverride.id == number).with_for_update()
        row = (await session.execute(query)).scalar_one_or_none()
        if row is None:
            raise NotFound(f"There is no override {number}.", hint="/incident oncall lists them.")
        if row.undone_at is not None or row.until <= now():
            raise Conflict(f"Override {number} is over already.")
        row.undone_at, row.undone_by = now(), by
        text = f"Override {number} is taken back: {row.person} for {row.schedule} {_span(row)}"
        await self._record(session, "oncall_override_undone", by, row, text)
        return row

    async def standing(
        self, session: AsyncSession, at: datetime | None = None
    ) -> dict[str, list[Stand]]:
        """By schedule, those that hold at ``at`` or later, oldest first; of people who are known."""
        query = (
            select(OncallOverride)
            .where(col(OncallOverride.until) > (at or now()))
            .where(col(OncallOverride.undone_at).is_(None))
            .order_by(col(OncallOverride.id))
        )
        found: dict[str, list[Stand]] = defaultdict(list)
        for row in (await session.execute(query)).scalars():
            if self.catalog().person(row.person):
                found[row.schedule].append(Stand(row.person, row.since, row.until, row.number))
        return found

    async def _record(
        self, session: AsyncSession, kind: str, by: str, row: OncallOverride, text: str
    ) -> None:
        """On Jackline's own chain: it is about no incident."""
        data = {"override": row.number, "schedule": row.schedule, "person": row.person,
                "since": row.since.isoformat(), "until": row.until.isoformat()}  # fmt: skip
        actor = f"person:{by}" if by else "source:cli"
        await self.ledger.append(session, 0, kind, actor, text, data=data)


def _span(row: OncallOverride) -> str:
    return f"from {row.since:%Y-%m-%d %H:%M} to {row.until:%Y-%m-%d %H:%M} UTC"

"""Alerts that go to another incident because a person says so: splits, joins and merges.

What belonged where is on the timeline of both incidents. Whoever calls has the turn of all who
route (`Incidents.one_at_a_time`) and has checked that the person may.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, or_, update
from sqlalchemy import select as columns
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased
from sqlmodel import col, select

from bot.alerts.by_hand import claim, meant
from bot.alerts.endings import settle
from bot.alerts.routing import title_of
from bot.alerts.rules import PRIVATE, Decision, decide
from bot.alerts.tables import StoredAlert, has_ended
from bot.alerts.telling import BUDGET, names, record
from bot.catalog import match_words
from bot.errors import BadInput, NotFound
from bot.incidents import SEVERITIES, Incident
from bot.incidents.merging import Brought, Merging, check_open, counted
from bot.incidents.rules import worst
from bot.store import now

LOOK = 5000  # alerts, the newest, among which a join looks for what it means
_CHUNK = 1000  # ids in one statement, and rows between two breaths
_NAMED = 100  # identities that a row lists


@dataclass
class Picked:
    """Some alerts, and what they are about."""

    match: dict[str, str]
    ids: list[int] = field(default_factory=list)
    names: Counter[str] = field(default_factory=Counter)
    groups: dict[str, None] = field(default_factory=dict)
    services: dict[str, None] = field(default_factory=dict)
    sources: Counter[int | None] = field(default_factory=Counter)  # incidents that they sit in
    severity: str = SEVERITIES[-1]  # of the gravest, which would name a new incident
    gravest: int = 0

    @property
    def upto(self) -> int:
        """The newest of them: what comes after it was not shown to who decided."""
        return max(self.ids, default=0)

    @property
    def words(self) -> str:
        """``5 alerts: DiskFull (3), DiskSlow (2)``."""
        return f"{counted(self.names.total())}: {names(self.names)}"


_A = StoredAlert.__table__.c  # type: ignore[attr-defined]  # SQLModel sets it on table classes
_LIGHT = (_A.id, _A.source, _A.fingerprint, _A.status, _A.name, _A.labels, _A.incident_id)
_Row = Any  # of these columns: in a storm an incident has very many


class Moving:
    """The alerts' part of what `Merging` is for incidents."""

    def __init__(self, merging: Merging) -> None:
        self.merging = merging
        self.incidents = merging.incidents

    # ── which ────────────────────────────────────────────────────────────────────────────────

    async def inside(
        self, session: AsyncSession, incident: Incident, match: dict[str, str], upto: int = 0
    ) -> tuple[Picked, Picked]:
        """The alerts of an incident that are meant, with all that became of them; and the others.

        ``upto``: those that fired there when somebody was asked. Raises `NotFound` where none is.
        """
        query = columns(*_LIGHT).where(_A.incident_id == incident.number).order_by(_A.id)
        rows = (await session.execute(query)).all()
        picked, left = Picked(match), Picked({})
        async for row, decision in self._decided(r for r in rows if r.status == "firing"):
            known = not upto or row.id <= upto
            _sort(row, decision, picked if known and _meant(row, decision, match) else left)
        ids = set(picked.ids)
        taken = {(row.source, row.fingerprint) for row in rows if row.id in ids}
        ends = (r for r in rows if r.status != "firing" and (r.source, r.fingerprint) in taken)
        picked.ids += [row.id for row in ends]
        if not picked.names:
            has = f"It has {names(left.names)}." if left.names else "It has no alerts."
            raise NotFound(f"No alert of #{incident.number} matches.", hint=has)
        return picked, left

    async def elsewhere(
        self, session: AsyncSession, incident: Incident, match: dict[str, str], upto: int = 0
    ) -> Picked:
        """The alerts that fire, are not in the incident and are meant. Raises `NotFound`."""
        query = (
            columns(*_LIGHT)
            .where(_A.status == "firing", ~has_ended(), _A.state != "new")
            .where(or_(_A.incident_id.is_(None), _A.incident_id != incident.number))
            .order_by(_A.id.desc())
            .limit(LOOK)
        )
        if upto:
            query = query.where(_A.id <= upto)
        picked = Picked(match)
        rows = (await session.execute(query)).all()
        async for row, decision in self._decided(reversed(rows)):
            if _meant(row, decision, match):
                _sort(row, decision, picked)
        if not picked.names:
            raise NotFound(
                f"No alert that fires outside #{incident.number} matches.",
                hint=f"Those that resolved are left where they are; the newest {LOOK} are looked at.",
            )
        return picked

    async def counts(self, session: AsyncSession, number: int) -> Counter[str]:
        """By name, how many alerts of an incident fired."""
        query = (
            columns(_A.name, func.count(_A.id))
            .where(_A.incident_id == number, _A.status == "firing")
            .group_by(_A.name)
        )
        return Counter({row[0]: row[1] for row in await session.execute(query)})

    async def newest(self, session: AsyncSession, number: int) -> int:
        """The last alert that an incident has by now."""
        query = columns(func.max(_A.id)).where(_A.incident_id == number)
        return int((await session.execute(query)).scalar_one() or 0)

    async def _decided(self, rows: Iterable[_Row]) -> AsyncIterator[tuple[_Row, Decision]]:
        """Each alert with what the rules say of it now; others have their turn in between."""
        catalog = self.incidents.catalog()
        for number, row in enumerate(rows, start=1):
            if number % _CHUNK == 0:
                await asyncio.sleep(0)
            yield row, decide(catalog, row.name, row.labels, row.source)

    # ── to where ─────────────────────────────────────────────────────────────────────────────

    async def split(
        self, session: AsyncSession, incident: Incident, picked: Picked, left: Picked,
        actor: str, origin: str,
    ) -> Incident:  # fmt: skip
        """Makes them an incident of their own, which has their group from now on.

        ``left`` is what stays.
        """
        check_open(incident)
        first = await session.get_one(StoredAlert, picked.gravest)
        catalog = self.incidents.catalog()
        decision = decide(catalog, first.name, first.labels, first.source)
        whole = [group for group in picked.groups if group not in left.groups]
        key = await self._key(session, incident, whole)
        made = await self.incidents.declare(
            session, title=title_of(first, decision, catalog), severity=picked.severity,
            actor=actor, origin=origin, services=list(picked.services), open_key=key,
            trigger={"alert": first.name, "source": first.source, "labels": first.labels},
            drill=incident.drill, private=incident.private, people=incident.people,
            workspace=incident.workspace,
        )  # fmt: skip
        made.takes = [claim(list(picked.groups), picked.match, now().isoformat())]
        gone = [s for s in picked.services if s not in left.services]
        stays = [s for s in incident.services if s not in gone]
        incident.services = stays or list(left.services)
        await self._take(session, picked, made)
        there, here = f"{picked.words} became #{made.number}", f"Split off #{incident.number}"
        await self._tell(session, incident, made, picked, there, actor, origin)
        await self._tell(session, made, incident, picked, f"{here}: {picked.words}", actor, origin)
        await self._retell(session, picked, made)
        await settle(session, incident)
        await settle(session, made)
        await self.incidents.refresh(session, incident)
        return made

    async def join(
        self, session: AsyncSession, incident: Incident, picked: Picked, actor: str, origin: str
    ) -> None:
        """Takes them into an incident, from others or from none; the likes of them follow."""
        check_open(incident)
        others = await self.others(session, incident, picked)
        incident.takes = [
            *incident.takes, claim(list(picked.groups), picked.match, now().isoformat())
        ]  # fmt: skip
        new = [s for s in picked.services if s not in incident.services]
        incident.services = [*incident.services, *new]
        await self._take(session, picked, incident)
        for each in others:
            moved = picked.sources[each.number]
            text = f"{counted(moved)} went to #{incident.number}: {match_words(picked.match)}"
            await self._tell(session, each, incident, picked, text, actor, origin)
        text = f"Joined by hand: {picked.words}{came_from(picked)}"
        other = others[0] if others else None
        await self._tell(session, incident, other, picked, text, actor, origin)
        await self._retell(session, picked, incident)
        for each in (*others, incident):
            await settle(session, each)
        graver = worst([incident.severity, picked.severity])
        await self.incidents.set_severity(session, incident, graver, actor)
        await self.incidents.refresh(session, incident)

    async def absorb(self, session: AsyncSession, source: int, target: int) -> Brought:
        """A merged incident's alerts are the other's, until that is undone."""
        query = columns(func.count(_A.id), func.min(_A.starts_at)).where(
            _A.incident_id == source, _A.status == "firing"
        )
        count, starts_at = (await session.execute(query)).one()
        await self._set(
            session, [_A.incident_id == source], incident_id=target,
            merged_from=func.coalesce(_A.merged_from, source),
        )  # fmt: skip
        return Brought(count, starts_at)

    async def give_back(
        self, session: AsyncSession, source: int, target: int, under: Iterable[int]
    ) -> int:
        """Undoes `absorb`, with what came meanwhile; ``under``: merged into the source before.

        How many fired. What was split off or joined elsewhere meanwhile stays there.
        """
        whole = [source, *under]
        there = [_A.incident_id == target, _A.merged_from.in_(whole)]
        query = columns(func.count(_A.id)).where(*there, _A.status == "firing")
        count = (await session.execute(query)).scalar_one()
        ends = [_A.incident_id == target, _ends_of(target, whole)]
        await self._set(session, ends, incident_id=source)
        await self._set(session, there, incident_id=source)
        own = [_A.incident_id == source, _A.merged_from == source]
        await self._set(session, own, merged_from=None)
        return int(count)

    # ── how ──────────────────────────────────────────────────────────────────────────────────

    async def _key(self, session: AsyncSession, incident: Incident, whole: list[str]) -> str | None:
        """Of some groups that nothing is left of, one that the new incident can have."""
        if incident.open_key in whole:
            key, incident.open_key = incident.open_key, None
            await session.flush()  # it is unique: free before the other has it
            return key
        query = select(Incident.open_key).where(col(Incident.open_key).in_(whole))
        held = set((await session.execute(query)).scalars())
        return next((group for group in whole if group not in held), None)

    async def others(
        self, session: AsyncSession, incident: Incident, picked: Picked
    ) -> list[Incident]:
        """The incidents that lose alerts. Raises `BadInput` where practice would meet the real."""
        numbers = [number for number in picked.sources if number is not None]
        query = select(Incident).where(col(Incident.id).in_(numbers)).order_by(col(Incident.id))
        found = list((await session.execute(query)).scalars())
        check_drills(incident, found, free=None in picked.sources)
        if hidden := next((other for other in found if other.private), None):
            raise BadInput(f"#{hidden.number} is private: its alerts stay there.")
        if not incident.private and any(group.startswith(PRIVATE) for group in picked.groups):
            raise BadInput(f"Some are of a private rule, and #{incident.number} is not private.")
        return found

    async def _take(self, session: AsyncSession, picked: Picked, incident: Incident) -> None:
        for at in range(0, len(picked.ids), _CHUNK):
            some = _A.id.in_(picked.ids[at : at + _CHUNK])
            await self._set(
                session, [some, _A.state != "new"], state="routed",
                incident_id=incident.number, merged_from=None,
            )  # fmt: skip

    async def _set(
        self, session: AsyncSession, which: Sequence[ColumnElement[bool]], **values: object
    ) -> None:
        await session.execute(
            update(StoredAlert)
            .where(*which)
            .values(**values)
            .execution_options(synchronize_session=False)  # none of them is read again here
        )

    async def _tell(
        self, session: AsyncSession, incident: Incident, other: Incident | None, picked: Picked,
        text: str, actor: str, origin: str,
    ) -> None:  # fmt: skip
        data = {
            "match": picked.match, "alerts": dict(picked.names.most_common(_NAMED)),
            "incidents": sorted(number for number in picked.sources if number),
            "other": other.number if other else None, "last": picked.upto,
        }  # fmt: skip
        await self.incidents.ledger.append(
            session, incident.number, "alerts_moved", actor, text, data=data
        )
        await self.merging.tell(session, incident, other, f"moved-{origin}", text, actor)

    async def _retell(self, session: AsyncSession, picked: Picked, incident: Incident) -> None:
        """The first ones again, with their own times: an incident's record tells of its alerts."""
        query = select(StoredAlert).where(col(StoredAlert.id).in_(sorted(picked.ids)[:BUDGET]))
        for alert in (await session.execute(query.order_by(col(StoredAlert.id)))).scalars():
            await record(self.incidents, session, incident.number, alert, at=alert.received_at)


def _meant(row: _Row, decision: Decision, match: dict[str, str]) -> bool:
    return meant(match, decision, row.name, row.labels, row.source, row.fingerprint)


def _sort(row: _Row, decision: Decision, into: Picked) -> None:
    into.ids.append(row.id)
    into.names[row.name] += 1
    into.groups[decision.group] = None
    if decision.service:
        into.services[decision.service] = None
    graver = worst([decision.severity, into.severity])
    if not into.gravest or graver != into.severity:
        into.severity, into.gravest = graver, row.id
    into.sources[row.incident_id] += 1


def check_drills(incident: Incident, others: Sequence[Incident], *, free: bool) -> None:
    """Raises `BadInput`: a drill takes no real alert, and the real no practice.

    ``free``: some of the alerts are of no incident.
    """
    if incident.drill and (free or not all(other.drill for other in others)):
        raise BadInput(f"#{incident.number} is a drill: it takes no real alerts.")
    if drill := next((o for o in others if o.drill and not incident.drill), None):
        raise BadInput(f"#{drill.number} is a drill: its alerts stay there.")


def came_from(picked: Picked) -> str:
    """``; 2 of no incident, 1 of #14``."""
    none = picked.sources.get(None, 0)
    of = [f"{none} of no incident"] if none else []
    of += [f"{n} of #{number}" for number, n in sorted(
        (number, n) for number, n in picked.sources.items() if number is not None
    )]  # fmt: skip
    return f"; {', '.join(of)}"


def _ends_of(target: int, whole: Sequence[int]) -> ColumnElement[bool]:
    """The ends of those that go back: they came as the target's own."""
    fired = aliased(StoredAlert)
    same = (
        (col(fired.source) == _A.source)
        & (col(fired.fingerprint) == _A.fingerprint)
        & (col(fired.status) == "firing")
        & (col(fired.incident_id) == target)
        & col(fired.merged_from).in_(whole)
    )
    return and_(_A.status == "resolved", exists().where(same))

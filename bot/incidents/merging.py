"""Merging an incident into another, and taking that back.

Alerts and runs are not known here: whoever merges moves them in the same transaction. Locks are
taken in one order: first the turn of all who declare and route, then the incident that is merged
into, then the other.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from bot.errors import BadInput, Conflict, NotFound
from bot.incidents.flow import Incidents
from bot.incidents.rules import ACTIVE, worst
from bot.incidents.seeing import belonging
from bot.incidents.tables import Incident
from bot.store import now
from bot.timeline import Timeline

UNMERGE_WITHIN = timedelta(hours=24)


@dataclass(frozen=True)
class Brought:
    """What the alerts of a merged incident are: how many, and since when the first one fires."""

    alerts: int = 0
    starts_at: datetime | None = None


def check_merge(source: Incident, target: Incident) -> None:
    """Raises `BadInput` and `Conflict` where ``source`` cannot become part of ``target``."""
    if source.number == target.number:
        raise BadInput(f"#{source.number} cannot be merged into itself.")
    for incident in (source, target):
        check_open(incident)
    if source.drill != target.drill:
        drill, real = sorted((source, target), key=lambda i: not i.drill)
        raise BadInput(f"#{drill.number} is a drill and #{real.number} is not: they stay apart.")
    if source.private != target.private:
        private, seen = sorted((source, target), key=lambda i: not i.private)
        raise BadInput(f"#{private.number} is private and #{seen.number} is not: they stay apart.")


def check_open(incident: Incident) -> None:
    """Raises `Conflict` for one that has ended or is part of another."""
    if incident.status not in ACTIVE:
        hint = f"Take #{incident.merged_into} instead." if incident.merged_into else ""
        raise Conflict(f"#{incident.number} is {incident.standing}.", hint=hint)


def check_unmerge(source: Incident, target: Incident) -> None:
    """Raises `Conflict` where a merge cannot be taken back any more."""
    if target.status not in ACTIVE:
        hint = f"Unmerge #{target.number} first." if target.merged_into else ""
        raise Conflict(
            f"#{target.number} is {target.standing}: what is merged into it stays.", hint=hint
        )
    if now() - merged_at(source) > UNMERGE_WITHIN:
        hours = int(UNMERGE_WITHIN / timedelta(hours=1))
        raise Conflict(f"#{source.number} was merged more than {hours} hours ago: it stays so.")


def merged_at(incident: Incident) -> datetime:
    """When a merged incident was merged."""
    return datetime.fromisoformat(incident.merge["at"])


class Merging:
    """``actor`` is as in `Incidents`; ``origin`` makes the same click delivered twice one."""

    def __init__(self, incidents: Incidents) -> None:
        self.incidents = incidents

    async def done(self, session: AsyncSession, number: int, verb: str, origin: str) -> bool:
        """Whether that click was done before."""
        return await self.incidents.outbox.said(session, number, f"{verb}-{origin}")

    async def pair(
        self, session: AsyncSession, number: int, into: int
    ) -> tuple[Incident, Incident]:
        """Both, locked, once they may be merged."""
        target = await self.incidents.get(session, into)
        source = await self.incidents.get(session, number)
        check_merge(source, target)
        return source, target

    async def parted(self, session: AsyncSession, number: int) -> tuple[Incident, Incident]:
        """A merged incident and the one that it is part of, locked, once that may be undone."""
        into = await into_of(session, number)
        target = await self.incidents.get(session, into)
        source = await self.incidents.get(session, number)
        if source.merged_into != into:
            raise Conflict(f"#{number} was unmerged just now.")
        check_unmerge(source, target)
        return source, target

    async def merge(
        self, session: AsyncSession, source: Incident, target: Incident, brought: Brought,
        actor: str, origin: str,
    ) -> None:  # fmt: skip
        """Makes one incident part of the other, which its people are invited to.

        Its key stays: it holds its group for the other now, so that a group still has one.
        """
        adds = [s for s in source.services if s not in target.services]
        source.merge = {"at": now().isoformat(), "was": source.status, "adds": adds}
        source.status, source.merged_into = "merged", target.number
        target.services = [*target.services, *adds]
        target.people = list(dict.fromkeys([*target.people, *source.people]))
        target.proposed_at = None  # what fits the merged one is proposed where people are now
        there = f"Merged into #{target.number}: {target.title}"
        here = (
            f"#{source.number} was merged into this one: {source.title} "
            f"({source.severity}, {source.merge['was']}, {counted(brought.alerts)})"
        )
        data = {
            "from": source.number, "into": target.number, "alerts": brought.alerts,
            "was": source.merge["was"], "services": source.services,
        }  # fmt: skip
        starts = {"starts_at": brought.starts_at.isoformat()} if brought.starts_at else {}
        append = self.incidents.ledger.append
        await append(session, source.number, "incident_merged", actor, there, data=data)
        await append(session, target.number, "incident_merged", actor, here, data=data | starts)
        await self.tell(session, source, target, f"merge-{origin}", there, actor)
        await self.tell(session, target, source, f"merge-{origin}", here, actor)
        people = await self._people(session, source)
        await self.incidents.outbox.invite(session, target.number, people)
        graver = worst([source.severity, target.severity])
        await self.incidents.set_severity(session, target, graver, actor)
        await self._show(session, source, target)

    async def unmerge(
        self, session: AsyncSession, source: Incident, target: Incident, alerts: int,
        actor: str, origin: str,
    ) -> None:  # fmt: skip
        """Makes it again what it was; the other keeps its severity, which people may rely on."""
        adds = source.merge["adds"]
        source.status, source.merged_into = source.merge["was"], None
        source.merge = {}
        self.incidents.unarchive(session, source)
        target.services = [s for s in target.services if s not in adds]
        there = (
            f"By itself again, {source.status}: {counted(alerts)} came back from #{target.number}"
        )
        here = f"#{source.number} is by itself again, and {counted(alerts)} with it: {source.title}"
        data = {"from": target.number, "into": source.number, "alerts": alerts}
        append = self.incidents.ledger.append
        await append(session, source.number, "incident_unmerged", actor, there, data=data)
        await append(session, target.number, "incident_unmerged", actor, here, data=data)
        await self.tell(session, source, target, f"unmerge-{origin}", there, actor)
        await self.tell(session, target, source, f"unmerge-{origin}", here, actor)
        await self._show(session, source, target)

    async def tell(
        self, session: AsyncSession, incident: Incident, other: Incident | None, key: str, text: str,
        actor: str,
    ) -> None:  # fmt: skip
        """Says in an incident's channel what became of it, with the way to the other."""
        payload = {"text": text, "other": other.number if other else None}
        await self.incidents.outbox.say(
            session, incident.number, key, "regrouped", payload, author=actor
        )

    async def _people(self, session: AsyncSession, incident: Incident) -> list[str]:
        """Who was asked to its channel, and who did something there."""
        query = select(Timeline.actor).where(
            Timeline.incident_id == incident.number, col(Timeline.actor).startswith("person:")
        )
        acted = (await session.execute(query.distinct())).scalars()
        found = {actor.removeprefix("person:"): None for actor in sorted(acted)}
        return list(dict.fromkeys([*belonging(self.incidents.catalog(), incident), *found]))

    async def _show(self, session: AsyncSession, *incidents: Incident) -> None:
        for incident in incidents:
            await self.incidents.refresh(session, incident)
            await self.incidents.show_topic(session, incident)


async def into_of(session: AsyncSession, number: int) -> int:
    """Which incident that one is merged into, unlocked. Raises `NotFound` and `Conflict`."""
    query = select(Incident.merged_into).where(Incident.id == number)
    found = (await session.execute(query)).all()
    if not found:
        raise NotFound(f"There is no incident {number}.", hint="/incident list shows all.")
    into: int | None = found[0][0]
    if into is None:
        raise Conflict(f"#{number} is not merged into another incident.")
    return into


def counted(alerts: int) -> str:
    """``1 alert``, ``5 alerts``, ``no alert``."""
    return f"{alerts} alert{'s' if alerts != 1 else ''}" if alerts else "no alert"

"""What becomes of an incident's channel: archived some time after the end, and what Slack says of it.

While the channel of an incident that has ended is archived, what is said for it waits and keeps its
order; an open incident goes on in a new one. The console has everything.
"""

from datetime import timedelta

from sqlalchemy import and_, exists, or_, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased
from sqlmodel import col, select
from sqlmodel.sql.expression import SelectOfScalar

from bot.delivery import Binding, Delivery
from bot.delivery.leaving import forget_messages
from bot.incidents.family import tops
from bot.incidents.flow import Incidents
from bot.incidents.rules import ACTIVE
from bot.incidents.tables import Incident, Task
from bot.store import Store, now

_AT_ONCE = 20  # Slack archives so many a minute
_OVER = ("closed", "cancelled")
SLACK = "slack"


class Channels:
    """Each may be told the same twice."""

    def __init__(self, incidents: Incidents) -> None:
        self.incidents = incidents

    async def archive_due(self, session: AsyncSession, after: timedelta) -> int:
        """Asks for the channels of what was closed that long ago to be archived; how many."""
        query = _due(after).limit(_AT_ONCE).with_for_update(skip_locked=True)
        due = list((await session.execute(query)).scalars())
        for incident in due:
            incident.archived_at = now()
            self.incidents.outbox.ask(session, "archive", incident.number, {})
        return len(due)

    async def over(self, session: AsyncSession, number: int) -> bool:
        """Whether it is still to be archived: asked for long ago, people may have opened it again."""
        top = (await tops(session, [number]))[number]
        return (await session.get_one(Incident, top)).status in _OVER

    async def archived(self, session: AsyncSession, number: int) -> bool:
        """Slack says so. An open incident gets another one; for one that has ended it waits.

        Whether there is one soon: another one, or this one, which is being unarchived.
        """
        bound = await session.get(Binding, (SLACK, f"channel:{number}"))
        if bound is None:
            return False
        if not bound.value.get("archived"):
            channel = bound.value["channel"]
            if await self.incidents.channel_lost(session, number, channel, "archived"):
                return True
            bound.value = {**bound.value, "archived": True}
        incident = await self.incidents.get(session, number)
        return incident.status in ACTIVE and not incident.merged_into

    async def unarchived(self, session: AsyncSession, number: int) -> None:
        """What waits is said, in its order."""
        incident = await self.incidents.get(session, number)
        bound = await session.get(Binding, (SLACK, f"channel:{number}"))
        if bound is None:
            return
        was = bound.value.get("archived")
        bound.value = {key: each for key, each in bound.value.items() if key != "archived"}
        await self._go_on(session, number)
        if was and incident.status in ACTIVE:
            text = "Its channel is there again in Slack"
            await self._tell(session, incident, "channel_unarchived", text)

    async def stays_archived(self, session: AsyncSession, number: int, why: str) -> None:
        """We could not unarchive it: an incident that is open again goes on in a new one."""
        bound = await session.get(Binding, (SLACK, f"channel:{number}"))
        if bound is None:
            return
        bound.value = {key: each for key, each in bound.value.items() if key != "archived"}
        await session.flush()
        await self.incidents.channel_lost(session, number, bound.value["channel"], why)
        await self._go_on(session, number)

    async def _go_on(self, session: AsyncSession, number: int) -> None:
        """What waits is sent now, in its order."""
        await session.execute(
            update(Delivery)
            .where(col(Delivery.surface) == SLACK, col(Delivery.incident_id) == number)
            .where(col(Delivery.state) == "pending")
            .values(next_at=now())
        )

    async def renamed(self, session: AsyncSession, number: int, name: str) -> None:
        """People may call it as they like; links to it use the new name."""
        bound = await session.get(Binding, (SLACK, f"channel:{number}"))
        if bound is not None and bound.value["name"] != name:
            bound.value = {**bound.value, "name": name}

    async def deleted(self, session: AsyncSession, number: int) -> None:
        """An open incident gets another one; what was said in the old one is in the console."""
        incident = await self.incidents.get(session, number)
        bound = await session.get(Binding, (SLACK, f"channel:{number}"))
        if bound is None:
            return
        if await self.incidents.channel_lost(session, number, bound.value["channel"], "deleted"):
            return
        await session.delete(bound)
        await forget_messages(session, SLACK, number, bound.value["channel"])
        await self._tell(session, incident, "channel_deleted", "Its channel was deleted in Slack")

    async def _tell(self, session: AsyncSession, incident: Incident, kind: str, text: str) -> None:
        number = incident.number
        await self.incidents.ledger.append(session, number, kind, "jackline", text)
        key = f"{kind}-{now().timestamp()}"
        await self.incidents.outbox.say(session, number, key, "line", {"text": text})
        await self.incidents.refresh(session, incident)


def _due(after: timedelta) -> SelectOfScalar[Incident]:
    """What was closed that long ago and is not archived, and what is merged into such a one.

    Not where a follow-up will be reminded of.
    """
    ahead = exists().where(
        col(Task.incident_id) == col(Incident.id), col(Task.state) == "open",
        col(Task.after), col(Task.due_at).is_not(None),
    )  # fmt: skip
    into, since = aliased(Incident), now() - after
    mine = and_(col(Incident.status).in_(_OVER), col(Incident.closed_at) < since)
    its = and_(col(into.status).in_(_OVER), col(into.closed_at) < since)
    gone = or_(its, col(into.archived_at).is_not(None))  # or that one is merged itself
    merged = exists().where(col(into.id) == col(Incident.merged_into), gone)
    query = select(Incident).where(or_(mine, merged), col(Incident.archived_at).is_(None), ~ahead)
    return query.order_by(col(Incident.id))


class Archiver:
    """`look` is due by the clock; ``after`` zero: never."""

    def __init__(self, store: Store, incidents: Incidents, after: timedelta) -> None:
        self.store = store
        self.channels = Channels(incidents)
        self.after = after

    async def look(self) -> None:
        """Archives what is due."""
        if not self.after:
            return
        async with self.store.read() as session:
            due = (await session.execute(_due(self.after).limit(1))).first()
        if due is not None:
            async with self.store.write() as session:
                await self.channels.archive_due(session, self.after)

"""Reminds people of what is due, once each time, whoever of the replicas is first.

`bot.incidents.due` says what is due; this reads the facts, and says it in the same commit that
counts it, with the incident locked and the facts read again. So nothing is said twice, a restart
forgets nothing, and what was done in between is not asked for. What a reminder asked for and is
done, loses its buttons.
"""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, or_, select

from bot.delivery import Delivery, Message
from bot.errors import JacklineError
from bot.incidents.due import Deadline, Due, Facts, OpenTask, Paper, due, wishes
from bot.incidents.due_tables import Reminder, Update
from bot.incidents.flow import Incidents
from bot.incidents.rules import ACTIVE
from bot.incidents.snoozing import Snoozing
from bot.incidents.tables import Incident
from bot.incidents.updates import latest
from bot.log import get
from bot.store import Store, now
from bot.timeline import Timeline
from bot.timeline.tables import Head

log = get("reminders")
_OVER = timedelta(days=30)  # after it was resolved, nobody is asked for a postmortem any more
Tasks = Callable[[AsyncSession], Awaitable[list[OpenTask]]]
Deadlines = Callable[[AsyncSession, Iterable[int] | None], Awaitable[dict[int, list[Deadline]]]]
Papers = Callable[[AsyncSession, Iterable[int] | None], Awaitable[dict[int, Paper]]]
_NOWHERE = (
    "channel_not_found",
    "is_archived",
    "not_in_channel",
)  # what Slack says of a lost channel


async def no_tasks(session: AsyncSession) -> list[OpenTask]:
    """Where nothing keeps tasks."""
    del session
    return []


async def no_deadlines(
    session: AsyncSession, numbers: Iterable[int] | None
) -> dict[int, list[Deadline]]:
    """Where no law applies."""
    del session, numbers
    return {}


async def no_papers(session: AsyncSession, numbers: Iterable[int] | None) -> dict[int, Paper]:
    """Where nobody works on postmortems."""
    del session, numbers
    return {}


@dataclass
class _Acts:
    """What people did on one timeline, read up to ``seq``."""

    seq: int = 0
    at: datetime | None = None
    who: tuple[str, ...] = ()


class Reminders:
    """``look`` is the clock's part. `bot.incidents.snoozing` is that of people.

    ``tasks`` are all that have a due time and are not done; ``deadlines`` those of legal clocks, and
    ``papers`` how far postmortems are, of some incidents, or of all where something is due.
    """

    def __init__(
        self, store: Store, incidents: Incidents, tasks: Tasks = no_tasks,
        deadlines: Deadlines = no_deadlines, papers: Papers = no_papers,
    ) -> None:  # fmt: skip
        self.store = store
        self.incidents = incidents
        self.snoozing = Snoozing(incidents)
        self.tasks = tasks
        self.deadlines = deadlines
        self.papers = papers
        self._acts: dict[int, _Acts] = defaultdict(_Acts)  # rows never change: they are read once

    async def look(self) -> None:
        """Sends what is due, and takes the buttons off what is done."""
        catalog, at = self.incidents.catalog(), now()
        async with self.store.read() as session:
            facts = await self._facts(session)
            self._acts = defaultdict(_Acts, {n: self._acts[n] for n in facts})
            found = [(n, each) for n, f in facts.items() for each in due(f, catalog, at)]
            gone = await _gone(session, {n for n, _ in found})
            done = [(n, what) for n, f in facts.items() for what in _settled(f, self._wished(f))]
            done += await self._ended(session, facts)
        for number, each in found:
            silent = number in gone and each.wish.kind != "clock"  # that one the console shows
            await self._one(number, each.wish.what, silent=silent)
        for number, what in done:
            async with self.store.write() as session:
                await self._settle(session, number, what)

    async def _one(self, number: int, what: str, *, silent: bool) -> None:
        """Looks once more, with the incident locked, and says it; ``silent``: only counts it."""
        try:
            async with self.store.write() as session:
                incident = await self.incidents.get(session, number)
                facts = (await self._facts(session, [incident]))[number]
                found = due(facts, self.incidents.catalog(), now())
                for each in found:
                    if each.wish.what == what:
                        await self._say(session, incident, each, silent=silent)
        except JacklineError as error:  # one must not keep the others from being sent
            log.error("reminder_not_sent", incident_id=number, what=what, error=str(error))

    async def _say(
        self, session: AsyncSession, incident: Incident, each: Due, *, silent: bool
    ) -> None:
        wish = each.wish
        row = await self.snoozing.row(session, incident.number, wish.what)
        waiting = row.message if await _waits(session, incident.number, row.message) else ""
        await self.snoozing.strike(session, row, but=waiting)
        row.occasion, row.sent, row.sent_at = wish.occasion, each.number, now()
        row.stopped_by, row.snoozed_until = "", None
        if silent:
            return
        row.message = waiting or f"reminder-{wish.what}-{wish.occasion}-{each.key}"
        payload = {
            "what": wish.what, "text": wish.words, "to": each.to, "due_at": wish.at.isoformat(),
            "button": list(wish.button) if wish.button else [],
        }  # fmt: skip
        await self.incidents.outbox.say(session, incident.number, row.message, "reminder", payload)
        if wish.kind == "update" and wish.at <= now():  # overdue is visible where everybody reads
            await self.incidents.refresh(session, incident)

    async def _settle(self, session: AsyncSession, number: int, what: str) -> None:
        incident = await self.incidents.get(session, number)
        row = await self.snoozing.row(session, number, what)
        facts = (await self._facts(session, [incident]))[number]
        if what in _settled(facts, self._wished(facts)):
            await self.snoozing.strike(session, row)

    def _wished(self, facts: Facts) -> dict[str, str]:
        return {w.what: w.occasion for w in wishes(facts, self.incidents.catalog())}

    async def _ended(self, session: AsyncSession, facts: dict[int, Facts]) -> list[tuple[int, str]]:
        """What was asked for in incidents that are not looked at any more."""
        query = select(Reminder.incident_id, Reminder.what).where(
            Reminder.message != "", col(Reminder.incident_id).not_in(list(facts))
        )
        return [(number, what) for number, what in (await session.execute(query)).all()]

    async def _facts(
        self, session: AsyncSession, only: list[Incident] | None = None
    ) -> dict[int, Facts]:
        tasks = await self.tasks(session)
        incidents = only if only is not None else await self._incidents(session, tasks)
        numbers = [i.number for i in incidents]
        sent: dict[int, dict[str, Update]] = defaultdict(dict)
        for (number, audience), update in (await latest(session, numbers)).items():
            sent[number][audience] = update
        rows: dict[int, dict[str, Reminder]] = defaultdict(dict)
        query = select(Reminder).where(col(Reminder.incident_id).in_(numbers))
        for row in (await session.execute(query)).scalars():
            rows[row.incident_id][row.what] = row
        deadlines = await self.deadlines(session, numbers)
        papers = await self.papers(session, numbers)
        await self._read_acts(session, numbers)
        return {
            i.number: Facts(
                i, self._acts[i.number].who, self._acts[i.number].at, sent[i.number],
                [t for t in tasks if t.incident_id == i.number], deadlines.get(i.number, []),
                rows[i.number], papers.get(i.number, Paper()),
            )
            for i in incidents
        }  # fmt: skip

    async def _incidents(self, session: AsyncSession, tasks: list[OpenTask]) -> list[Incident]:
        """Those that may have something due."""
        recent = (col(Incident.status) == "resolved") & (col(Incident.resolved_at) > now() - _OVER)
        clocks = await self.deadlines(session, None)
        papers = await self.papers(session, None)
        more = {*clocks, *papers, *(t.incident_id for t in tasks)}
        query = select(Incident).where(
            or_(col(Incident.status).in_(ACTIVE), recent, col(Incident.id).in_(more))
        )
        found = (await session.execute(query.order_by(col(Incident.id)))).scalars()
        return list(found)

    async def _read_acts(self, session: AsyncSession, numbers: list[int]) -> None:
        """What people did since the last look."""
        heads = select(Head.incident_id, Head.seq).where(col(Head.incident_id).in_(numbers))
        for number, seq in (await session.execute(heads)).all():
            known = self._acts[number]
            if known.seq == seq:
                continue
            rows = select(Timeline.actor, Timeline.at).where(
                Timeline.incident_id == number, Timeline.seq > known.seq, Timeline.seq <= seq,
                col(Timeline.actor).startswith("person:"),
            )  # fmt: skip
            for actor, at in (await session.execute(rows.order_by(col(Timeline.seq)))).all():
                who = (actor.removeprefix("person:"), *known.who)
                known.who, known.at = tuple(dict.fromkeys(who)), at
            known.seq = seq


def _settled(facts: Facts, wished: dict[str, str]) -> list[str]:
    """What was asked for, and is not wished for any more, or on another occasion."""
    return [
        what for what, row in facts.reminders.items()
        if row.message and wished.get(what) != row.occasion
    ]  # fmt: skip


async def _gone(session: AsyncSession, numbers: set[int]) -> set[int]:
    """Those whose channel took nothing the last time: archived, deleted, or without us."""
    found = set()
    for number in numbers:
        query = (
            select(Delivery.state, Delivery.error)
            .where(Delivery.incident_id == number, Delivery.op == "say")
            .where(col(Delivery.state).in_(("sent", "failed")))
            .order_by(col(Delivery.id).desc())
            .limit(1)
        )
        last = (await session.execute(query)).first()
        if last and last[0] == "failed" and any(code in last[1] for code in _NOWHERE):
            found.add(number)
    return found


async def _waits(session: AsyncSession, number: int, message: str) -> bool:
    """Whether the last one has not gone out yet, as while Slack is down: it is edited then."""
    query = (
        select(Delivery.id)
        .join(Message, col(Message.id) == col(Delivery.message_id))
        .where(Message.key == f"{number}:{message}", Delivery.state == "pending")
    )
    return bool(message) and (await session.execute(query.limit(1))).first() is not None

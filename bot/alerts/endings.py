"""Incidents whose alerts have all ended: said once, and resolved where every rule says so.

Only what alerts opened is resolved, and never what people have made their own: see `_peoples`.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from bot.alerts.deciding import longest
from bot.alerts.flaps import flapping
from bot.alerts.rules import Decision, decide
from bot.alerts.tables import StoredAlert, has_ended
from bot.catalog import Catalog
from bot.catalog.durations import spelled
from bot.delivery import Message
from bot.incidents import ACTIVE, Incident, Incidents
from bot.store import Store, now
from bot.timeline import Timeline

Going = Callable[[AsyncSession, int], Awaitable[bool]]  # whether a run is going on or waits
_ALL_ENDED = "All alerts of this incident have ended."


class Endings:
    """``look`` is the clock's part; ``going`` is asked for runs, of which this room knows nothing."""

    def __init__(self, store: Store, incidents: Incidents, going: Going) -> None:
        self.store = store
        self.incidents = incidents
        self.going = going
        # incident → what its alerts' rules say, as of an end and a catalog: they may be thousands
        self._known: dict[int, tuple[datetime, Catalog, Decision | None]] = {}

    async def look(self) -> None:
        """Says what has ended, and resolves what has been quiet for as long as its rules ask."""
        async with self.store.read() as session:
            query = select(Incident).where(
                col(Incident.status).in_(ACTIVE), col(Incident.alerts_ended_at).is_not(None)
            )
            quiet = list((await session.execute(query)).scalars())
            due = [i.number for i in quiet if await self._due(session, i)]
        self._known = {n: known for n, known in self._known.items() if n in {i.id for i in quiet}}
        for number in due:
            async with self.store.write() as session:
                incident = await self.incidents.get(session, number)  # locked: looked at once more
                self._known.pop(number, None)  # its alerts may have been moved by hand
                if await self._due(session, incident):
                    await self._end(session, incident)

    async def _due(self, session: AsyncSession, incident: Incident) -> bool:
        """Whether something is to be said or done about it now."""
        since = incident.alerts_ended_at
        if incident.status not in ACTIVE or since is None:
            return False
        if await flapping(session, incident.number):
            return False
        if not await _said(session, incident.number):
            return not await fires(session, incident.number)
        rule = await self._rule(session, incident)
        return (
            rule is not None
            and since + _quiet(rule) <= now()
            and await self._free(session, incident)
        )

    async def _free(self, session: AsyncSession, incident: Incident) -> bool:
        """Nobody is at work on it, and nothing that fires was moved here by hand."""
        if await self.going(session, incident.number) or await fires(session, incident.number):
            return False
        return not await _peoples(session, incident)

    async def _end(self, session: AsyncSession, incident: Incident) -> None:
        number, rule = incident.number, await self._rule(session, incident)
        if not await _said(session, number):
            text = _ALL_ENDED
            if rule and not await _peoples(session, incident):
                text += f" It is resolved when they have stayed so for {spelled(rule.quiet or 0)}: {rule.because}."
            await self.incidents.ledger.append(session, number, "alerts_ended", "jackline", text)
            await self.incidents.outbox.say(session, number, "ended", "line", {"text": text})
        elif rule and incident.alerts_ended_at:
            ended = f"{incident.alerts_ended_at:%H:%M} UTC"
            because = f"all its alerts have ended, the last at {ended}, and stayed so for {spelled(rule.quiet or 0)}: {rule.because}"
            await self.incidents.set_status(
                session, incident, "resolved", "jackline", because=because
            )

    async def _rule(self, session: AsyncSession, incident: Incident) -> Decision | None:
        """The decision that asks for the longest quiet; None where one of its alerts' leaves it to people.

        By the present catalog: who takes a rule back wants it to stop.
        """
        catalog, since = self.incidents.catalog(), incident.alerts_ended_at
        if since is None or not any(rule.resolve == "auto" for rule in catalog.rules):
            return None
        at, by, decision = self._known.get(incident.number, (None, None, None))
        if at == since and by is catalog:
            return decision
        query = select(StoredAlert.name, StoredAlert.labels, StoredAlert.source).where(
            StoredAlert.incident_id == incident.number, StoredAlert.status == "firing"
        )
        decisions = [decide(catalog, *row) for row in await session.execute(query)]
        quiet = longest(d.quiet for d in decisions)
        decision = next((d for d in decisions if quiet is not None and d.quiet == quiet), None)
        self._known[incident.number] = since, catalog, decision
        return decision


async def settle(session: AsyncSession, incident: Incident, *, fires_still: bool = False) -> None:
    """After a change of its alerts: whether one fires still, which the caller may know."""
    some = select(StoredAlert.id).where(StoredAlert.incident_id == incident.number).limit(1)
    quiet = (
        not fires_still
        and not await fires(session, incident.number)
        and (await session.execute(some)).first() is not None  # all may have gone elsewhere
    )
    incident.alerts_ended_at = now() if quiet else None


async def fires(session: AsyncSession, number: int) -> bool:
    """Whether an alert of an incident has not ended."""
    query = select(StoredAlert.id).where(
        StoredAlert.incident_id == number, StoredAlert.status == "firing", ~has_ended()
    )
    return (await session.execute(query.limit(1))).first() is not None


async def _said(session: AsyncSession, number: int) -> bool:
    query = select(Message.id).where(Message.key == f"{number}:ended")
    return (await session.execute(query)).first() is not None


async def _peoples(session: AsyncSession, incident: Incident) -> bool:
    """Whether people resolve it: one declared it, made it a sev1, or opened it again."""
    if incident.drill or not incident.declared_by.startswith("source:"):
        return True
    query = select(Timeline.data).where(
        Timeline.incident_id == incident.number, col(Timeline.actor).startswith("person:"),
        col(Timeline.kind).in_(("severity_changed", "status_changed")),
    )  # fmt: skip
    changed = (await session.execute(query)).scalars()
    return any(d.get("to") == "sev1" or d.get("from") == "resolved" for d in changed)


def _quiet(rule: Decision) -> timedelta:
    return timedelta(seconds=rule.quiet or 0)

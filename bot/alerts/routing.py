"""Turns stored alerts into incidents, in the order in which they were accepted."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from sqlalchemy import bindparam, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from bot.alerts.arrivals import at_fault, oldest, unpack, unpack_singly
from bot.alerts.aside import set_aside, try_again
from bot.alerts.asking import Asking
from bot.alerts.by_hand import ByHand
from bot.alerts.deciding import Key, Verdict, judge
from bot.alerts.endings import settle
from bot.alerts.flaps import Flaps
from bot.alerts.grouping import Found
from bot.alerts.history import Firing, past
from bot.alerts.holding import Hold
from bot.alerts.questions import Questions
from bot.alerts.rules import Decision, decide
from bot.alerts.silences import how_ended, over, standing
from bot.alerts.tables import StoredAlert, earlier
from bot.alerts.telling import Share, Teller, summary
from bot.catalog import Catalog
from bot.delivery import DeliveryWorker
from bot.errors import BadInput, JacklineError
from bot.incidents import Incident, Incidents, under
from bot.incidents.rules import TITLE_LIMIT, check_title
from bot.log import get
from bot.store import Store, now

log = get("alerts")
_BATCH = 500
_FIRST = 0.005  # seconds that a new channel is ahead of all else: people wait for it
_WAITING = (
    select(StoredAlert.id)
    .where(StoredAlert.state == "new")
    .order_by(col(StoredAlert.id))
    .limit(_BATCH)
)
_TABLE = StoredAlert.__table__  # type: ignore[attr-defined]  # SQLModel sets it on table classes
_ROUTED = (
    update(_TABLE)
    .where(_TABLE.c.id == bindparam("of"))
    .values(
        state=bindparam("as"), incident_id=bindparam("to"), decision=bindparam("why"),
        held_by=bindparam("by"), merged_from=bindparam("via"), flap_id=bindparam("in"),
    )
)  # fmt: skip


class AlertRouter:
    """Alerts, their decisions, their incidents and the timeline rows are one commit."""

    def __init__(self, store: Store, incidents: Incidents) -> None:
        self.store = store
        self.incidents = incidents
        self._senders: list[DeliveryWorker] = []
        self._began = False

    def sends_by(self, worker: DeliveryWorker) -> None:
        """Has a new incident's channel claimed with its commit: it is what people wait for."""
        self._senders.append(worker)

    async def route_next(self) -> bool:
        """Routes the oldest of what is waiting; whether more may be.

        An alert that cannot be routed does not hold up those behind it. It stays waiting, in the log
        and in the metrics, where another try may help; else it is set aside until the next start.
        """
        if not self._began:
            await try_again(self.store)
            self._began = True
        async with self.store.read() as session:
            arrivals, more = await oldest(session)
            waiting = arrivals or (await session.execute(_WAITING.limit(1))).first()
        if not waiting:
            return False
        try:
            return await self._route(arrivals) or more
        except Exception as error:
            if not at_fault(error):
                raise
            return await self._one_by_one() or bool(arrivals)

    async def _one_by_one(self) -> bool:
        await unpack_singly(self.store)
        async with self.store.read() as session:
            ids = (await session.execute(_WAITING)).scalars().all()
        done = aside = False
        for alert_id in ids:
            try:
                await self._route(only=alert_id)
            except JacklineError as error:
                log.error("alert_not_routed", alert_id=alert_id, error=str(error))
                continue
            except Exception as error:
                if not at_fault(error):
                    raise
                # where it is ours, they may be thousands, and one traceback says it
                log.error(
                    "alert_set_aside", alert_id=alert_id, error=repr(error), exc_info=not aside
                )
                await set_aside(self.store, self.incidents, alert_id, error)
                aside = True
            done = True
        return done

    async def _route(self, arrivals: Sequence[int] = (), *, only: int | None = None) -> bool:
        """Whether more are left: beyond a batch, or let go by it."""
        async with self.store.write(silent=True) as session:
            active = await self.incidents.active(session)  # from here on no other replica routes
            await unpack(session, arrivals)
            query = select(StoredAlert).where(StoredAlert.state == "new")
            query = query if only is None else query.where(StoredAlert.id == only)
            query = query.order_by(col(StoredAlert.id)).limit(_BATCH)
            alerts = list((await session.execute(query)).scalars())
            session.expunge_all()  # they are written all at once, in the end
            session.add_all(active)
            batch = _Batch(self.incidents, session, active, alerts)
            await batch.route()
            more = (await session.execute(_WAITING.limit(1))).first() is not None
            senders = self._senders if batch.opened else []
            claimed = [(sender, await sender.take(session)) for sender in senders]
        for sender, jobs in claimed:
            sender.begin(jobs)
        if claimed:
            await asyncio.sleep(_FIRST)
        self.store.announce()
        return more


class _Batch:
    """Some alerts on their way, in one transaction."""

    def __init__(
        self, incidents: Incidents, session: AsyncSession, active: list[Incident],
        alerts: list[StoredAlert],
    ) -> None:  # fmt: skip
        self.incidents = incidents
        self.catalog = incidents.catalog()
        self.session = session
        self.active = active
        self.alerts = alerts
        self.teller = Teller(incidents, session)
        self.flaps = Flaps(incidents, session)
        self.asking = Asking(Questions(incidents), session)
        self.over: set[int | None] = set()
        self.how_ended: dict[str, str] = {}
        self.opened = 0  # incidents

    async def route(self) -> None:
        """All of them; then each incident hears of its share at once."""
        known = await past(self.session, self.alerts)
        await self.flaps.load(self.alerts, known.changes)
        merged = await under(self.session, [incident.number for incident in self.active])
        self.by_hand = ByHand(self.active, merged)
        holds = await standing(self.session, self.catalog)
        decided = [decide(self.catalog, a.name, a.labels, a.source) for a in self.alerts]
        await self.asking.begin(self.alerts, {d.group for d in decided if d.declare})
        await self._once_held()
        for alert, decision in zip(self.alerts, decided, strict=True):
            await self._one(alert, decision, holds, known.firing)
        await self._write(known.firing)
        await self.asking.tell()
        await self.teller.tell()
        await self.flaps.tell()

    async def _one(
        self, alert: StoredAlert, decision: Decision, holds: list[Hold], known: dict[Key, Firing]
    ) -> None:
        ended = alert.id in self.over
        verdict = judge(self.catalog, alert, decision, holds, self.active, now(), ended=ended)
        alert.decision = decision.as_dict() | {"because": verdict.because}
        alert.state = "routed"
        key = alert.source, alert.fingerprint
        if alert.status == "resolved":
            if not self.asking.ends(alert):
                await self._resolved(alert, known, key)
            return
        answered = self.asking.answered(alert)
        if verdict.routes or answered is not None:
            if firing := await self._firing(alert, verdict, answered):
                known[key] = firing
        elif verdict.hold:
            alert.state, alert.held_by = "silenced", verdict.hold.key

    async def _write(self, firing: dict[Key, Firing]) -> None:
        """All alerts at once; and which incidents have none left that fires."""
        if not self.alerts:
            return
        rows = [
            {"of": a.id, "to": a.incident_id, "why": a.decision, "as": a.state, "by": a.held_by,
             "via": a.merged_from, "in": a.flap_id}
            for a in self.alerts
        ]  # fmt: skip
        await (await self.session.connection()).execute(_ROUTED, rows)
        known = {each.incident for each in firing.values()}
        for share in self.teller.shares.values():
            await settle(self.session, share.incident, fires_still=share.incident.number in known)

    async def _once_held(self) -> None:
        """Of those that were held back: which have ended since, and how what held them did."""
        held = [alert for alert in self.alerts if alert.held_by]
        if held:
            keys = sorted({str(alert.held_by) for alert in held})
            self.how_ended = await how_ended(self.session, self.catalog, keys)
            self.how_ended |= self.asking.how_answered()
            self.over = await over(self.session, [alert.id for alert in held])

    async def _firing(
        self, alert: StoredAlert, verdict: Verdict[Incident], answered: int | None
    ) -> Firing | None:
        """``answered``: the incident of the question for which it waited. None: it is asked about."""
        decision, found = verdict.decision, verdict.found
        if answered is not None:
            found = Found(await self._incident(answered))
        elif sent := self._sent(alert, decision):
            found = sent
        if found is None and decision.asks:
            await self.asking.takes(alert, decision, _opening(alert, decision, self.catalog))
            return None
        incident = found.incident if found else await self._declare(alert, decision)
        share = await self.teller.share(incident, fresh=found is None)
        if found and found.because:
            share.joins(found.because)
        if found and found.adds:
            incident.services = [*incident.services, decision.service]
        if alert.held_by and answered is None:
            share.was_held(alert.held_by, self.how_ended[alert.held_by])
        flaps = await self.flaps.counts(alert, incident.number, told=share.has_room)
        share.takes(alert, decision.severity, flaps=flaps)
        return Firing(incident.number, bool(alert.decision["told"]), alert.starts_at)

    def _sent(self, alert: StoredAlert, decision: Decision) -> Found[Incident] | None:
        """Where people sent the likes of it by hand."""
        asked = alert.name, alert.labels, alert.source, alert.fingerprint
        sent = self.by_hand.of(decision, *asked)
        if sent is None:
            return None
        alert.merged_from = sent.via
        alert.decision |= {"because": f"{decision.because}; {sent.because}"}
        return Found(sent.incident)

    async def _declare(self, alert: StoredAlert, decision: Decision) -> Incident:
        incident = await self.incidents.declare(
            self.session,
            severity=decision.severity,
            actor=f"source:{alert.source}",
            origin=f"alert:{alert.id}",
            **_opening(alert, decision, self.catalog),
        )
        self.active.append(incident)
        self.opened += 1
        await self.asking.opened(incident)
        return incident

    async def _incident(self, number: int) -> Incident:
        known = next((i for i in self.active if i.id == number), None)
        return known or await self.incidents.get(self.session, number)

    async def _resolved(self, alert: StoredAlert, known: dict[Key, Firing], key: Key) -> None:
        firing = known.get(key)
        if firing is None:
            return
        if earlier(alert.starts_at, alert.ends_at, firing.starts_at):
            because = f"{alert.decision['because']}; it ended before what fires now began"
            alert.decision |= {"because": because}
            return
        del known[key]
        number = firing.incident
        share: Share | None = self.teller.shares.get(number)
        if share is None:
            share = await self.teller.share(await self._incident(number))
        flaps = await self.flaps.counts(alert, number, told=firing.told)
        share.ends(alert, told=firing.told, flaps=flaps)


def _opening(alert: StoredAlert, decision: Decision, catalog: Catalog) -> dict[str, Any]:
    """What an incident begins with, besides its severity, who declares it and why."""
    rule = decision.rule
    trigger = {"alert": alert.name, "source": alert.source, "labels": alert.labels}
    return {
        "title": title_of(alert, decision, catalog),
        "services": [decision.service] if decision.service else [],
        "open_key": decision.group,
        "trigger": trigger | ({"runbook": rule.runbook} if rule.runbook else {}),
        "people": list(rule.people),
        "private": decision.private,
    }


def title_of(alert: StoredAlert, decision: Decision, catalog: Catalog) -> str:
    """What an incident is called that an alert declares."""
    service = catalog.service(decision.service)
    text = summary(alert)
    if service and service.title.lower() not in text.lower():
        text = f"{service.title}: {text}"
    for candidate in (text, alert.name):
        with suppress(BadInput):  # nothing that can be read is left of it
            return check_title(" ".join(candidate.split())[:TITLE_LIMIT])
    return "An alert without a name"

"""Turns stored alerts into incidents, in the order in which they were accepted."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from sqlalchemy import bindparam, update
from sqlalchemy import select as columns
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from bot.alerts.asking import Asking
from bot.alerts.grouping import Found, belongs
from bot.alerts.holding import Hold, covers
from bot.alerts.questions import Questions
from bot.alerts.rules import Decision, decide
from bot.alerts.silences import how_ended, over, standing
from bot.alerts.tables import StoredAlert
from bot.alerts.telling import Share, Teller, summary
from bot.catalog import Catalog
from bot.errors import BadInput, JacklineError
from bot.incidents import Incident, Incidents
from bot.incidents.rules import TITLE_LIMIT, check_title
from bot.log import get
from bot.store import Store, now

log = get("alerts")
_BATCH = 500
_TABLE = StoredAlert.__table__  # type: ignore[attr-defined]  # SQLModel sets it on table classes
_ROUTED = (
    update(_TABLE)
    .where(_TABLE.c.id == bindparam("of"))
    .values(
        state=bindparam("as"), incident_id=bindparam("to"), decision=bindparam("why"),
        held_by=bindparam("by"),
    )
)  # fmt: skip
_Firing = tuple[int, bool]  # the incident of an alert's last firing, and whether that was told


class AlertRouter:
    """Alerts, their decisions, their incidents and the timeline rows are one commit."""

    def __init__(self, store: Store, incidents: Incidents) -> None:
        self.store = store
        self.incidents = incidents

    async def route_next(self) -> bool:
        """Routes what is waiting; whether anything was.

        An alert that cannot be routed stays waiting, in the log and in the metrics, and does
        not hold up those behind it.
        """
        query = select(StoredAlert.id).where(StoredAlert.state == "new")
        async with self.store.read() as session:
            query = query.order_by(col(StoredAlert.id)).limit(_BATCH)
            waiting = (await session.execute(query)).scalars().all()
        if not waiting:
            return False
        try:
            await self._route(waiting)
        except JacklineError:
            return await self._one_by_one(waiting)
        return True

    async def _one_by_one(self, waiting: Sequence[int | None]) -> bool:
        routed = False
        for alert_id in waiting:
            try:
                await self._route([alert_id])
            except JacklineError as error:
                log.error("alert_not_routed", alert_id=alert_id, error=str(error))
            else:
                routed = True
        return routed

    async def _route(self, waiting: Sequence[int | None]) -> None:
        async with self.store.write() as session:
            active = await self.incidents.active(session)  # from here on no other replica routes
            query = select(StoredAlert).where(col(StoredAlert.id).in_(waiting))
            query = query.where(StoredAlert.state == "new").order_by(col(StoredAlert.id))
            alerts = list((await session.execute(query)).scalars())
            session.expunge_all()  # they are written all at once, in the end
            session.add_all(active)
            await _Batch(self.incidents, session, active, alerts).route()


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
        self.asking = Asking(Questions(incidents), session)
        self.over: set[int | None] = set()
        self.how_ended: dict[str, str] = {}

    async def route(self) -> None:
        """All of them; then each incident hears of its share at once."""
        firing = await self._earlier()
        holds = await standing(self.session, self.catalog)
        decided = [decide(self.catalog, a.name, a.labels, a.source) for a in self.alerts]
        await self.asking.begin(self.alerts, {d.group for d in decided if d.declare})
        await self._once_held()
        for alert, decision in zip(self.alerts, decided, strict=True):
            alert.decision, alert.state = decision.as_dict(), "routed"
            key = alert.source, alert.fingerprint
            if alert.status == "resolved":
                if not self.asking.ends(alert):
                    await self._resolved(alert, firing.pop(key, None))
                continue
            answered = self.asking.answered(alert)
            if answered is not None or (
                decision.declare and not self._kept(alert, decision, holds)
            ):
                await self._firing(alert, decision, answered)
                if alert.incident_id is not None:
                    firing[key] = alert.incident_id, bool(alert.decision["told"])
        if self.alerts:
            rows = [
                {"of": a.id, "to": a.incident_id, "why": a.decision, "as": a.state, "by": a.held_by}
                for a in self.alerts
            ]
            await (await self.session.connection()).execute(_ROUTED, rows)
        await self.asking.tell()
        await self.teller.tell()

    async def _once_held(self) -> None:
        """Of those that were held back: which have ended since, and how what held them did."""
        held = [alert for alert in self.alerts if alert.held_by]
        if held:
            keys = sorted({str(alert.held_by) for alert in held})
            self.how_ended = await how_ended(self.session, self.catalog, keys)
            self.how_ended |= self.asking.how_answered()
            self.over = await over(self.session, [alert.id for alert in held])

    def _kept(self, alert: StoredAlert, decision: Decision, holds: list[Hold]) -> bool:
        """Whether it is kept from its incident: it ended while it was held, or is held now."""
        if alert.id in self.over:
            alert.decision |= {"because": f"{decision.because}; it ended while it was held back"}
            return True
        asked = decision, alert.name, alert.labels, alert.source
        hold = next((hold for hold in holds if covers(hold.match, *asked)), None)
        if hold is None:
            return False
        alert.state, alert.held_by = "silenced", hold.key
        alert.decision |= {"because": f"{decision.because}; held back by {hold.words}"}
        return True

    async def _earlier(self) -> dict[tuple[str, str], _Firing]:
        """Of each alert that resolves, its last firing before this batch, unless that has ended."""
        ended = {a.fingerprint for a in self.alerts if a.status == "resolved"}
        was = _TABLE.c
        query = (
            columns(was.source, was.fingerprint, was.status, was.incident_id, was.decision)
            .where(was.fingerprint.in_(ended), was.incident_id.is_not(None))
            .order_by(was.id)
        )
        found: dict[tuple[str, str], _Firing] = {}
        for row in await self.session.execute(query):
            if row.status == "firing":
                told = bool(row.decision.get("told", True))
                found[row.source, row.fingerprint] = row.incident_id, told
            else:
                found.pop((row.source, row.fingerprint), None)
        return found

    async def _firing(self, alert: StoredAlert, decision: Decision, answered: int | None) -> None:
        """``answered``: the incident of the question for which it waited."""
        if answered is None:
            found = belongs(self.catalog, decision, self.active, now())
        else:
            found = Found(await self._incident(answered))
        if found is None and decision.asks:
            await self.asking.takes(alert, decision, _opening(alert, decision, self.catalog))
            return
        incident = found.incident if found else await self._declare(alert, decision)
        share = await self.teller.share(incident, fresh=found is None)
        if found and found.because:
            share.joins(found.because)
            alert.decision |= {"because": f"{decision.because}; {found.because}"}
        if found and found.adds:
            incident.services = [*incident.services, decision.service]
        if alert.held_by and answered is None:
            share.was_held(alert.held_by, self.how_ended[alert.held_by])
        share.takes(alert, decision.severity)

    async def _declare(self, alert: StoredAlert, decision: Decision) -> Incident:
        incident = await self.incidents.declare(
            self.session,
            severity=decision.severity,
            actor=f"source:{alert.source}",
            origin=f"alert:{alert.id}",
            **_opening(alert, decision, self.catalog),
        )
        self.active.append(incident)
        await self.asking.opened(incident)
        return incident

    async def _incident(self, number: int) -> Incident:
        known = next((i for i in self.active if i.id == number), None)
        return known or await self.incidents.get(self.session, number)

    async def _resolved(self, alert: StoredAlert, firing: _Firing | None) -> None:
        if firing is None:
            return
        number, told = firing
        share: Share | None = self.teller.shares.get(number)
        if share is None:
            share = await self.teller.share(await self._incident(number))
        share.ends(alert, told=told)


def _opening(alert: StoredAlert, decision: Decision, catalog: Catalog) -> dict[str, Any]:
    """What an incident begins with, besides its severity, who declares it and why."""
    rule = decision.rule
    trigger = {"alert": alert.name, "source": alert.source, "labels": alert.labels}
    return {
        "title": _title(alert, decision, catalog),
        "services": [decision.service] if decision.service else [],
        "open_key": decision.group,
        "trigger": trigger | ({"runbook": rule.runbook} if rule.runbook else {}),
        "people": list(rule.people),
        "private": decision.private,
    }


def _title(alert: StoredAlert, decision: Decision, catalog: Catalog) -> str:
    service = catalog.service(decision.service)
    text = summary(alert)
    if service and service.title.lower() not in text.lower():
        text = f"{service.title}: {text}"
    for candidate in (text, alert.name):
        with suppress(BadInput):  # nothing that can be read is left of it
            return check_title(" ".join(candidate.split())[:TITLE_LIMIT])
    return "An alert without a name"

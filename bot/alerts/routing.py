"""Turns stored alerts into incidents, in the order in which they were accepted."""

from contextlib import suppress

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from bot.alerts.rules import Decision, decide
from bot.alerts.tables import StoredAlert
from bot.catalog import Catalog
from bot.errors import BadInput, JacklineError
from bot.incidents import Incident, Incidents
from bot.incidents.rules import TITLE_LIMIT, check_title, worst
from bot.log import get
from bot.store import Store

log = get("alerts")
_BATCH = 200


class AlertRouter:
    """One alert, its decision, its incident and its timeline row are one commit."""

    def __init__(self, store: Store, incidents: Incidents) -> None:
        self.store = store
        self.incidents = incidents

    async def route_next(self) -> bool:
        """Routes what is waiting; whether anything was.

        An alert that cannot be routed stays waiting, in the log and in the metrics, and does
        not hold up those behind it.
        """
        async with self.store.read() as session:
            query = select(StoredAlert.id).where(StoredAlert.state == "new")
            waiting = (
                (await session.execute(query.order_by(col(StoredAlert.id)).limit(_BATCH)))
                .scalars()
                .all()
            )
        routed = False
        for alert_id in waiting:
            try:
                async with self.store.write() as session:
                    await self._route(session, alert_id)
            except JacklineError as error:
                log.error("alert_not_routed", alert_id=alert_id, error=str(error))
            else:
                routed = True
        return routed

    async def _route(self, session: AsyncSession, alert_id: int | None) -> None:
        claim = (
            update(StoredAlert)
            .where(col(StoredAlert.id) == alert_id, col(StoredAlert.state) == "new")
            .values(state="routed")
        )
        if not (await session.execute(claim)).rowcount:  # type: ignore[attr-defined]  # an UPDATE's CursorResult
            return
        alert = await session.get_one(StoredAlert, alert_id)
        catalog = self.incidents.catalog()
        decision = decide(catalog, alert.name, alert.labels, alert.source)
        alert.decision = decision.as_dict()
        if alert.status == "resolved":
            await self._resolved(session, alert)
        elif decision.declare:
            await self._firing(session, alert, decision, catalog)

    async def _firing(
        self, session: AsyncSession, alert: StoredAlert, decision: Decision, catalog: Catalog
    ) -> None:
        incident = await self.incidents.open_for(session, decision.group)
        fresh = incident is None
        if incident is None:
            incident = await self.incidents.declare(
                session,
                title=_title(alert, decision, catalog),
                severity=decision.severity,
                actor=f"source:{alert.source}",
                origin=f"alert:{alert.id}",
                services=[decision.service] if decision.service else [],
                open_key=decision.group,
                trigger={"alert": alert.name, "source": alert.source, "labels": alert.labels},
            )
        alert.incident_id = incident.number
        await self._record(session, incident, alert, "alert_received", "firing")
        if not fresh:
            graver = worst([incident.severity, decision.severity])
            await self.incidents.set_severity(session, incident, graver, "jackline")

    async def _resolved(self, session: AsyncSession, alert: StoredAlert) -> None:
        """Recorded once: a sender that says "all is well" each time says nothing new after that."""
        query = (
            select(StoredAlert.incident_id, StoredAlert.status)
            .where(StoredAlert.source == alert.source, StoredAlert.fingerprint == alert.fingerprint)
            .where(col(StoredAlert.incident_id).is_not(None))
            .order_by(col(StoredAlert.id).desc())
            .limit(1)
        )
        before = (await session.execute(query)).one_or_none()
        if before is None or before.incident_id is None or before.status == "resolved":
            return
        alert.incident_id = before.incident_id
        incident = await self.incidents.get(session, before.incident_id)
        await self._record(session, incident, alert, "alert_resolved", "resolved")

    async def _record(
        self, session: AsyncSession, incident: Incident, alert: StoredAlert, kind: str, word: str
    ) -> None:
        text = f"{alert.name} {word}: {_summary(alert)}"
        data = {
            "source": alert.source,
            "fingerprint": alert.fingerprint,
            "name": alert.name,
            "labels": alert.labels,
            "starts_at": alert.starts_at.isoformat(),
            "ends_at": alert.ends_at.isoformat() if alert.ends_at else None,
        }
        number = incident.number
        await self.incidents.ledger.append(
            session, number, kind, f"source:{alert.source}", text, data=data, link=alert.link
        )
        payload = {"text": text, "link": alert.link, "firing": word == "firing"}
        await self.incidents.outbox.say(
            session, number, f"alert-{alert.id}", "alert", payload, author=f"source:{alert.source}"
        )
        await self.incidents.refresh(session, incident)


def _summary(alert: StoredAlert) -> str:
    notes = alert.annotations
    return notes.get("summary") or notes.get("description") or alert.name


def _title(alert: StoredAlert, decision: Decision, catalog: Catalog) -> str:
    service = catalog.service(decision.service)
    text = _summary(alert)
    if service and service.title.lower() not in text.lower():
        text = f"{service.title}: {text}"
    for candidate in (text, alert.name):
        with suppress(BadInput):  # nothing that can be read is left of it
            return check_title(" ".join(candidate.split())[:TITLE_LIMIT])
    return "An alert without a name"

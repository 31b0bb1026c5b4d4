"""What an incident hears of its alerts: the timeline's rows and the channel's messages.

In a storm a channel has a budget: the first alerts are told one by one, the others by one message
that is edited in place. None is dropped: each is stored with its incident, and what was told
together is counted in the timeline.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import func
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from bot.alerts.deciding import Key
from bot.alerts.tables import StoredAlert
from bot.delivery import Message
from bot.incidents import SEVERITIES, Incident, Incidents
from bot.incidents.rules import worst
from bot.timeline import Timeline

BUDGET = 20  # alerts of an incident that are told one by one
_TOP = 5  # names or reasons that a message lists
_NAME = 100  # characters of a name among others
_JOINED = "Alerts of other services join this incident"


@dataclass
class Share:
    """What a batch brings to one incident; ``before`` are the firing alerts that took its room."""

    incident: Incident
    before: int
    alone: list[StoredAlert] = field(default_factory=list)
    together: list[StoredAlert] = field(default_factory=list)
    severities: list[tuple[str, StoredAlert]] = field(default_factory=list)
    lines: dict[str, tuple[str, str]] = field(default_factory=dict)  # key → kind of row, and text
    joined: dict[str, None] = field(default_factory=dict)  # why alerts of others are here

    @property
    def has_room(self) -> bool:
        """Whether one more that fires is told by itself."""
        return self.before < BUDGET

    def takes(self, alert: StoredAlert, severity: str, *, flaps: bool) -> None:
        """One that fires; ``flaps``: it is counted elsewhere, and takes nobody's room."""
        self.severities.append((severity, alert))
        self._add(alert, told=flaps or self.has_room, flaps=flaps)
        self.before += not flaps

    def ends(self, alert: StoredAlert, *, told: bool, flaps: bool) -> None:
        """One that resolves: told as its firing was."""
        self._add(alert, told=told, flaps=flaps)

    def joins(self, because: str) -> None:
        """One of another service, and why it is here."""
        self.joined[because] = None

    def was_held(self, held_by: str, ended: str) -> None:
        """What held alerts back that are here now, and how that ended."""
        text = f"{ended}; what it held back still fires"
        self.lines[f"held-{held_by}"] = "alerts_released", text

    def _add(self, alert: StoredAlert, *, told: bool, flaps: bool) -> None:
        alert.incident_id = self.incident.number
        alert.decision |= {"told": told}
        if not flaps:
            (self.alone if told else self.together).append(alert)


class Teller:
    """Gathers the shares of a batch, and tells each incident its own."""

    def __init__(self, incidents: Incidents, session: AsyncSession) -> None:
        self.incidents = incidents
        self.session = session
        self.shares: dict[int, Share] = {}

    async def share(self, incident: Incident, *, fresh: bool = False) -> Share:
        """The incident's share of this batch; ``fresh`` if the batch has declared it."""
        number = incident.number
        if number not in self.shares:
            query = select(func.count(col(StoredAlert.id))).where(
                StoredAlert.incident_id == number, StoredAlert.status == "firing",
                col(StoredAlert.flap_id).is_(None),
            )  # fmt: skip
            before = 0 if fresh else (await self.session.execute(query)).scalar_one()
            self.shares[number] = Share(incident, before)
        return self.shares[number]

    async def tell(self) -> None:
        """Everything, once the alerts are written."""
        for share in self.shares.values():
            if share.joined:
                await self._joined(share.incident, list(share.joined))
            for key, (kind, text) in share.lines.items():
                await self._line(share.incident, key, kind, text)
            for alert in share.alone:
                await self._one(share.incident, alert)
            if share.together:
                await self._together(share.incident, share.together)
            await self.incidents.refresh(self.session, share.incident)
            graver = await self._graver(share)
            await self.incidents.set_severity(self.session, share.incident, graver, "jackline")

    async def _graver(self, share: Share) -> str:
        """The severity with these alerts; people's word on those that they knew stands."""
        before = SEVERITIES.index(share.incident.severity)
        grave = [(s, a) for s, a in share.severities if SEVERITIES.index(s) < before]
        known = await self._known_to_people(share.incident, grave[0][1]) if grave else set()
        news = [severity for severity, a in grave if (a.source, a.fingerprint) not in known]
        return worst([share.incident.severity, *news])

    async def _known_to_people(self, incident: Incident, first: StoredAlert) -> set[Key]:
        """What had fired in it, before ``first``, when a person set its severity last."""
        said = select(func.max(Timeline.at)).where(
            Timeline.incident_id == incident.number, Timeline.kind == "severity_changed",
            col(Timeline.actor).startswith("person:"),
        )  # fmt: skip
        at = (await self.session.execute(said)).scalar_one()
        if at is None:
            return set()
        query = select(StoredAlert.source, StoredAlert.fingerprint).where(
            StoredAlert.incident_id == incident.number, StoredAlert.status == "firing",
            col(StoredAlert.received_at) <= at, col(StoredAlert.id) < first.id,
        )  # fmt: skip
        return {(row[0], row[1]) for row in await self.session.execute(query.distinct())}

    async def _line(self, incident: Incident, key: str, kind: str, text: str) -> None:
        """Once for each key."""
        number = incident.number
        if await self.incidents.outbox.said(self.session, number, key):
            return
        await self.incidents.ledger.append(self.session, number, kind, "jackline", text)
        await self.incidents.outbox.say(self.session, number, key, "line", {"text": text})

    async def _joined(self, incident: Incident, reasons: list[str]) -> None:
        """Each reason once: a row for the new ones, and one message that is edited in place."""
        number = incident.number
        query = select(Message).where(Message.key == f"{number}:joined")
        message = (await self.session.execute(query)).scalar_one_or_none()
        before = list(message.payload["reasons"]) if message else []
        if not (fresh := [each for each in reasons if each not in before]):
            return
        every = [*before, *fresh]
        await self.incidents.ledger.append(
            self.session, number, "alerts_joined", "jackline", f"{_JOINED}: {_some(fresh)}",
            data={"reasons": fresh},
        )  # fmt: skip
        said = {"text": f"{_JOINED}: {_some(every)}", "reasons": every}
        await self.incidents.outbox.say(self.session, number, "joined", "line", said)

    async def _one(self, incident: Incident, alert: StoredAlert) -> None:
        number, author = incident.number, f"source:{alert.source}"
        text = await record(self.incidents, self.session, number, alert)
        payload = {"text": text, "link": alert.link, "firing": alert.status == "firing"}
        await self.incidents.outbox.say(
            self.session, number, f"alert-{alert.id}", "alert", payload, author=author
        )

    async def _together(self, incident: Incident, alerts: list[StoredAlert]) -> None:
        """One row for these, and the message that counts all that the incident has."""
        firing = Counter(a.name for a in alerts if a.status == "firing")
        resolved = Counter(a.name for a in alerts if a.status == "resolved")
        data: dict[str, Any] = {
            "firing": dict(firing.most_common(100)), "resolved": dict(resolved.most_common(100)),
            "first": alerts[0].id, "last": alerts[-1].id,
        }  # fmt: skip
        text = (
            f"{firing.total()} more alerts, {resolved.total()} resolved: {names(firing + resolved)}"
        )
        number = incident.number
        await self.incidents.ledger.append(
            self.session, number, "alerts_counted", "jackline", text, data=data
        )
        every, over = await self._counts(number)
        said = (
            f"{every.total()} alerts so far, {over.total()} of them resolved: {names(every)}. "
            f"The first {BUDGET} are told one by one, the others counted here."
        )
        await self.incidents.outbox.say(
            self.session, number, "alerts", "alert", {"text": said, "firing": True}
        )

    async def _counts(self, number: int) -> tuple[Counter[str], Counter[str]]:
        """By name, how many fired and how many resolved."""
        query = (
            select(StoredAlert.name, StoredAlert.status, func.count(col(StoredAlert.id)))
            .where(StoredAlert.incident_id == number)
            .group_by(col(StoredAlert.name), col(StoredAlert.status))
        )
        fired: Counter[str] = Counter()
        over: Counter[str] = Counter()
        for name, status, count in await self.session.execute(query):
            (fired if status == "firing" else over)[name] = count
        return fired, over


async def record(
    incidents: Incidents, session: AsyncSession, number: int, alert: StoredAlert,
    at: datetime | None = None,
) -> str:  # fmt: skip
    """The timeline's row of one alert, and its words; ``at`` where it came earlier."""
    text = f"{alert.name} {alert.status}: {summary(alert)}"
    data = {
        "source": alert.source,
        "fingerprint": alert.fingerprint,
        "name": alert.name,
        "labels": alert.labels,
        "starts_at": alert.starts_at.isoformat(),
        "ends_at": alert.ends_at.isoformat() if alert.ends_at else None,
    }
    kind = "alert_received" if alert.status == "firing" else "alert_resolved"
    await incidents.ledger.append(
        session, number, kind, f"source:{alert.source}", text, data=data, link=alert.link, at=at
    )
    return text


def summary(alert: StoredAlert) -> str:
    """What a person reads first."""
    notes = alert.annotations
    return notes.get("summary") or notes.get("description") or alert.name


def _some(reasons: list[str]) -> str:
    more = len(reasons) - _TOP
    return "; ".join(reasons[:_TOP]) + (f"; and {more} more" if more > 0 else "")


def names(counts: Counter[str]) -> str:
    """``DiskFull (3), DiskSlow (1)``: the most frequent first."""
    listed = [f"{name[:_NAME]} ({count})" for name, count in counts.most_common(_TOP)]
    more = len(counts) - _TOP
    return ", ".join(listed) + (f" and {more} other names" if more > 0 else "")

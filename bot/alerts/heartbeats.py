"""Heartbeats: alerts and calls that are expected, whose *absence* fires (dead man's switches).

A sign of life is no alert and is not stored as one: a Watchdog that repeats itself would be the same
alert for ever. Only when it came last is kept.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, or_
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import col, select

from bot.alerts.intake import Intake
from bot.alerts.own import report
from bot.alerts.rules import HEARTBEAT
from bot.alerts.tables import HeartbeatSeen, StoredAlert
from bot.catalog import Catalog, Heartbeat
from bot.contract import Alert
from bot.errors import NotFound
from bot.located import near
from bot.log import get
from bot.store import Store, now

log = get("alerts")
_PATIENCE = 3.0  # seconds for the database to keep a sign
_AGAIN = 600.0  # seconds at most that an overdue one is waited for after a start, and its grace


@dataclass(frozen=True)
class Pulse:
    """How one heartbeat stands: ``alive``, ``waiting`` for the first sign, or ``missed``."""

    entry: Heartbeat
    seen_at: datetime | None
    due_at: datetime
    standing: str

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "id": self.entry.id,
            "title": self.entry.name,
            "standing": self.standing,
            "seen_at": self.seen_at.isoformat() if self.seen_at else None,
            "due_at": self.due_at.isoformat(),
        }


class Heartbeats:
    """``beat`` keeps a sign of life; ``look`` fires and resolves."""

    def __init__(self, store: Store, intake: Intake, catalog: Callable[[], Catalog]) -> None:
        self.store = store
        self.intake = intake
        self.catalog = catalog
        self._started: datetime | None = None  # since when signs are listened for, here
        self._unsaved: dict[str, datetime] = {}  # came while the database was away

    async def strain(self, alerts: list[Alert]) -> list[Alert]:
        """Keeps those alerts that are signs of life; the others."""
        catalog = self.catalog()
        if not catalog.heartbeats:
            return alerts
        rest, kept = [], set()
        for alert in alerts:
            found = signs(catalog, alert.name, alert.labels, alert.source)
            if not found:
                rest.append(alert)
            elif alert.status == "firing":
                kept.update(found)
        for sign in sorted(kept):
            await self._keep(sign)
        return rest

    async def beat(self, heartbeat: str) -> None:
        """A sign of life by name. Raises `NotFound`."""
        known = [h.id for h in self.catalog().heartbeats]
        if heartbeat not in known:
            raise NotFound(f"There is no heartbeat {heartbeat!r}{near(heartbeat, known)}")
        await self._keep(heartbeat)

    async def look(self) -> None:
        """Fires for those that are overdue, and resolves what came again."""
        entries = self.catalog().heartbeats
        self._started = self._started or now()
        for heartbeat, at in list(self._unsaved.items()):
            await self._write(heartbeat, at, late=True)
            self._unsaved.pop(heartbeat, None)
        await self._await_new({entry.id for entry in entries})
        at = now()
        pulses = await self.pulses()
        wrong = [alert for pulse in pulses for alert in _alerts(pulse, at)]
        seen = {pulse.entry.id: pulse for pulse in pulses}
        await report(self.store, self.intake, HEARTBEAT, wrong, lambda row: _ended(row, seen, at))

    async def pulses(self) -> list[Pulse]:
        """Each heartbeat of the catalog, in its order."""
        async with self.store.read() as session:
            rows = {r.id: r for r in (await session.execute(select(HeartbeatSeen))).scalars()}
        return [
            _pulse(entry, rows.get(entry.id), self._started, now())
            for entry in self.catalog().heartbeats
        ]

    async def _keep(self, heartbeat: str) -> None:
        """While the database is away in memory: it is no reason for a false alarm afterwards."""
        at = now()
        try:
            async with asyncio.timeout(_PATIENCE):  # alerts may stand behind it in the same request
                await self._write(heartbeat, at)
        except (SQLAlchemyError, OSError) as error:  # a TimeoutError is one
            log.warning("heartbeat_not_stored", heartbeat=heartbeat, error=type(error).__name__)
            self._unsaved[heartbeat] = at

    async def _write(self, heartbeat: str, at: datetime, *, late: bool = False) -> None:
        """``late``: one that came later may be stored already, and stays."""
        insert = sqlite_insert if self.store.is_sqlite else postgresql_insert
        row = insert(HeartbeatSeen).values(id=heartbeat, known_since=at, seen_at=at)
        stored, came = col(HeartbeatSeen.seen_at), row.excluded.seen_at
        seen = row.on_conflict_do_update(
            index_elements=["id"], set_={"seen_at": came},
            where=or_(stored.is_(None), stored < came) if late else None,
        )  # fmt: skip
        async with self.store.write(silent=True) as session:
            await session.execute(seen)

    async def _await_new(self, expected: set[str]) -> None:
        """From now on those that never came are waited for too; what is not expected is forgotten."""
        async with self.store.read() as session:
            known = set((await session.execute(select(HeartbeatSeen.id))).scalars())
        if known == expected:
            return
        insert = sqlite_insert if self.store.is_sqlite else postgresql_insert
        fresh = [{"id": each, "known_since": now()} for each in sorted(expected - known)]
        async with self.store.write(silent=True) as session:
            if fresh:
                await session.execute(insert(HeartbeatSeen).on_conflict_do_nothing(), fresh)
            gone = col(HeartbeatSeen.id).in_(known - expected)
            await session.execute(delete(HeartbeatSeen).where(gone))


def signs(catalog: Catalog, name: str, labels: dict[str, str], source: str) -> list[str]:
    """The heartbeats of which an alert is a sign."""
    if not catalog.heartbeats:
        return []
    everything = {**labels, "alertname": name, "source": source}
    return [each.id for each in catalog.heartbeats if each.matches(everything)]


def _pulse(
    entry: Heartbeat, row: HeartbeatSeen | None, started: datetime | None, at: datetime
) -> Pulse:
    """What should have come while nobody listened is waited for once more."""
    seen = row.seen_at if row else None
    due = (seen or (row.known_since if row else at)) + timedelta(seconds=entry.every + entry.grace)
    if started is not None and due < started + timedelta(seconds=entry.grace):
        due = started + timedelta(seconds=min(entry.every, _AGAIN) + entry.grace)
    standing = "missed" if due <= at else "alive" if seen else "waiting"
    return Pulse(entry, seen, due, standing)


def _alerts(pulse: Pulse, at: datetime) -> list[Alert]:
    """One when it is overdue, and a critical one besides when that has lasted."""
    entry = pulse.entry
    if pulse.standing != "missed":
        return []
    came = f"{pulse.seen_at:%Y-%m-%d %H:%M:%S} UTC" if pulse.seen_at else "never"
    said = f"No sign of life of {entry.name}: it came last {came}"
    found = [_alert(entry, entry.id, entry.severity, said, pulse.due_at)]
    if entry.escalate is not None:
        later = pulse.due_at + timedelta(seconds=entry.escalate)
        if later <= at:
            found.append(_alert(entry, f"{entry.id} still", "critical", said, later))
    return found


def _alert(entry: Heartbeat, fingerprint: str, severity: str, said: str, starts: datetime) -> Alert:
    labels = {"alertname": "HeartbeatMissed", "heartbeat": entry.id, "severity": severity}
    return Alert(
        source=HEARTBEAT, fingerprint=fingerprint, status="firing", name="HeartbeatMissed",
        labels=labels | ({"service": entry.service} if entry.service else {}),
        annotations={"summary": said}, starts_at=starts,
    )  # fmt: skip


def _ended(row: StoredAlert, pulses: dict[str, Pulse], at: datetime) -> Alert:
    pulse = pulses.get(row.labels["heartbeat"])
    said = (
        f"{pulse.entry.name} gives signs of life again" if pulse else "It is not expected any more"
    )
    return Alert(
        source=HEARTBEAT, fingerprint=row.fingerprint, status="resolved", name=row.name,
        labels=row.labels, annotations={"summary": said}, starts_at=row.starts_at, ends_at=at,
    )  # fmt: skip

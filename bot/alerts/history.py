"""What is known of a batch's alerts from before it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func, or_
from sqlalchemy import select as columns
from sqlalchemy.ext.asyncio import AsyncSession

from bot.alerts.deciding import Key
from bot.alerts.flapping import WINDOW, Change
from bot.alerts.tables import StoredAlert

_TABLE = StoredAlert.__table__  # type: ignore[attr-defined]  # SQLModel sets it on table classes


class Firing(NamedTuple):
    """An alert that has not ended: its last firing's incident, whether that was told, and its start."""

    incident: int
    told: bool
    starts_at: datetime


@dataclass(frozen=True)
class Past:
    """``firing`` are those that have not ended; ``changes`` what flapping goes by, oldest first."""

    firing: dict[Key, Firing]
    changes: dict[Key, list[Change]]


async def past(session: AsyncSession, alerts: Sequence[StoredAlert]) -> Past:
    """Of what belongs to an incident: each alert's last row, and those of the window."""
    known = Past({}, {})
    if not alerts:
        return known
    was = _TABLE.c
    mine = (
        was.source.in_({alert.source for alert in alerts}),
        was.fingerprint.in_({alert.fingerprint for alert in alerts}),
        was.incident_id.is_not(None),
    )
    last = columns(func.max(was.id)).where(*mine).group_by(was.source, was.fingerprint)
    since = min(alert.received_at for alert in alerts) - WINDOW
    query = (
        columns(
            was.source, was.fingerprint, was.status, was.incident_id, was.received_at, was.starts_at,
            was.decision["told"].as_boolean().label("told"),
        )
        .where(*mine, or_(was.received_at > since, was.id.in_(last)))
        .order_by(was.id)
    )  # fmt: skip
    for row in await session.execute(query):
        key, firing = (row.source, row.fingerprint), row.status == "firing"
        known.changes.setdefault(key, []).append(Change(row.received_at, firing))
        if firing:
            known.firing[key] = Firing(row.incident_id, row.told is not False, row.starts_at)
        else:
            known.firing.pop(key, None)
    return known

"""Notices in the outbox: for each incident and person one lane, of which the unsent end grows.

A row says up to which timeline row somebody is to be told (``upto``), not the words: what happens
while it waits joins it, so that a notifier that is slow or limited brings the latest state in one
notice. ``after`` is the row before the first one it tells.
"""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import func, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from bot.delivery.tables import Delivery

OUTSIDE = "outside"  # the surface's name
_SAID = ("open_channel", "say")  # what people would see
# Written out, not bound: only so do both databases see that the index of notices serves.
_OURS = text(f"outbox.surface = '{OUTSIDE}'")


def lane(incident_id: int, notifier: str, to: str) -> str:
    """Notices of one incident to one person by one notifier keep their order."""
    return f"{incident_id}:{notifier}:{to}"


async def late(session: AsyncSession, surface: str) -> dict[int, datetime]:
    """Since when each incident waits to be seen there, where it does."""
    query = (
        select(Delivery.incident_id, func.min(Delivery.created_at))
        .where(Delivery.surface == surface, col(Delivery.state).in_(("pending", "sending")))
        .where(col(Delivery.op).in_(_SAID))
        .group_by(col(Delivery.incident_id))
    )
    return {row[0]: row[1] for row in (await session.execute(query)).all()}


async def told(session: AsyncSession, incidents: Collection[int]) -> dict[str, int]:
    """By lane: up to which timeline row a notice exists, sent or not."""
    query = (
        select(Delivery.lane, Delivery.payload)
        .where(_OURS, Delivery.op == "notify")
        .where(col(Delivery.incident_id).in_(incidents))
        .order_by(col(Delivery.id))
    )
    return {name: int(payload["upto"]) for name, payload in (await session.execute(query)).all()}


async def tell(
    session: AsyncSession, incident_id: int, notifier: str, to: str, *, after: int, upto: int
) -> None:
    """Queues a notice about the timeline rows after ``after`` up to ``upto``.

    One that still waits takes them along. The incident must be locked by the session.
    """
    name = lane(incident_id, notifier, to)
    known = (await told(session, [incident_id])).get(name, 0)
    if known >= upto:
        return
    waiting = (
        select(Delivery)
        .where(_OURS, Delivery.lane == name, Delivery.op == "notify")
        .where(Delivery.state == "pending")
        .order_by(col(Delivery.id).desc())
        .limit(1)
    )
    row = (await session.execute(waiting)).scalar_one_or_none()
    if row is not None:
        grown = await session.execute(
            update(Delivery)
            .where(col(Delivery.id) == row.id, col(Delivery.state) == "pending")
            .values(payload={**row.payload, "upto": upto})
        )
        if grown.rowcount:  # type: ignore[attr-defined]  # an UPDATE's CursorResult
            return
    payload = {"notifier": notifier, "to": to, "after": max(after, known), "upto": upto}
    session.add(Delivery(surface=OUTSIDE, lane=name, op="notify", incident_id=incident_id,
                         payload=payload))  # fmt: skip


async def tell_update(
    session: AsyncSession, incident_id: int, notifier: str, to: str, update: int
) -> None:
    """Queues one update to an audience, which nothing joins."""
    name = f"{lane(incident_id, notifier, to)}:update"
    payload = {"notifier": notifier, "to": to, "after": 0, "upto": 0, "update": update}
    session.add(Delivery(surface=OUTSIDE, lane=name, op="notify", incident_id=incident_id,
                         payload=payload))  # fmt: skip


async def sent_since(
    session: AsyncSession, notifier: str, since: datetime, *, page_to: str = ""
) -> list[datetime]:
    """When notices went out by a notifier, oldest first; with ``page_to`` pages to that address."""
    query = (
        select(Delivery.sent_at, Delivery.payload)
        .where(_OURS, Delivery.op == ("page" if page_to else "notify"), Delivery.state == "sent")
        .where(col(Delivery.sent_at) > since)
        .order_by(col(Delivery.sent_at))
    )
    rows = (await session.execute(query)).all()
    return [
        at
        for at, payload in rows
        if at is not None and payload["notifier"] == notifier and page_to in ("", payload["to"])
    ]

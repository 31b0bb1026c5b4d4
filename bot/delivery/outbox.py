"""Stores what is to be said, in the transaction of the change that caused it."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import select

from bot.delivery.tables import Delivery, Message
from bot.store import now


class Outbox:
    """Queues deliveries for every connected surface but the console, which reads messages.

    Order is kept per lane. Messages of one channel share a lane; topic, pin and bookmark have
    lanes of their own, so that a channel is ready in few round trips.
    """

    def __init__(self, surfaces: tuple[str, ...]) -> None:
        self.surfaces = surfaces

    async def open_channel(
        self, session: AsyncSession, incident_id: int, name: str, purpose: str
    ) -> None:
        """Asks for the incident's channel; everything else for it waits until it exists."""
        payload = {"name": name, "purpose": purpose}
        self._queue(session, "open_channel", f"{incident_id}:open", incident_id, payload)

    async def say(
        self,
        session: AsyncSession,
        incident_id: int,
        key: str,
        kind: str,
        payload: dict[str, Any] | None = None,
        *,
        author: str = "jackline",
        origin: str = "",
    ) -> Message:
        """Posts a message, or edits the one with that ``key``.

        An edit that is still unsent absorbs later ones. ``origin`` is the surface where a
        person wrote it: it is not sent back there.
        """
        full = f"{incident_id}:{key}"
        query = select(Message).where(Message.key == full)
        message = (await session.execute(query)).scalar_one_or_none()
        if message is None:
            message = Message(
                incident_id=incident_id, key=full, kind=kind, payload=payload or {},
                author=author, origin=origin,
            )  # fmt: skip
            session.add(message)
            waits = False
        else:
            message.kind, message.payload = kind, payload or {}
            message.version, message.updated_at = message.version + 1, now()
            waits = await self._unsent(session, message.id)
        await session.flush()
        if not waits:
            self._queue(
                session, "say", f"{incident_id}:talk", incident_id, {}, message.id, skip=origin
            )
        return message

    async def said(self, session: AsyncSession, incident_id: int, key: str) -> bool:
        """Whether a message with that key exists."""
        query = select(Message.id).where(Message.key == f"{incident_id}:{key}")
        return (await session.execute(query)).first() is not None

    async def set_topic(self, session: AsyncSession, incident_id: int, topic: str) -> None:
        """Sets the channel's topic."""
        self._queue(session, "topic", f"{incident_id}:topic", incident_id, {"topic": topic})

    async def pin(self, session: AsyncSession, incident_id: int, message: Message) -> None:
        """Pins a message once it is there."""
        self._queue(session, "pin", f"{incident_id}:pin", incident_id, {}, message.id)

    async def upload(self, session: AsyncSession, incident_id: int, file: str, title: str) -> None:
        """Shows a picture of the evidence folder; ``file`` is unique, so a repeat is seen."""
        payload = {"file": file, "title": title}
        self._queue(session, "upload", f"{incident_id}:upload", incident_id, payload)

    async def invite(self, session: AsyncSession, incident_id: int, people: list[str]) -> None:
        """Brings people (ids of the catalog) into the channel."""
        payload = {"people": people}
        self._queue(session, "invite", f"{incident_id}:invite", incident_id, payload)

    async def digest(self, session: AsyncSession, incident_id: int) -> None:
        """One line for the incident in the digest channel, edited in place later."""
        key = f"{incident_id}:digest"
        query = select(Message).where(Message.key == key)
        message = (await session.execute(query)).scalar_one_or_none()
        if message is None:
            message = Message(incident_id=incident_id, key=key, kind="digest", author="jackline")
            session.add(message)
            await session.flush()
            waits = False
        else:
            waits = await self._unsent(session, message.id)
        if not waits:
            self._queue(session, "digest", f"{incident_id}:digest", incident_id, {}, message.id)

    async def _unsent(self, session: AsyncSession, message_id: int | None) -> bool:
        """Whether it still waits; locked, so that no worker renders it before this commit."""
        query = (
            select(Delivery.id)
            .where(Delivery.message_id == message_id, Delivery.state == "pending")
            .where(Delivery.op != "pin")
            .limit(1)
            .with_for_update()
        )
        return (await session.execute(query)).first() is not None

    def _queue(
        self,
        session: AsyncSession,
        op: str,
        lane: str,
        incident_id: int,
        payload: dict[str, Any],
        message_id: int | None = None,
        *,
        skip: str = "",
    ) -> None:
        for surface in self.surfaces:
            if surface == skip:
                continue
            row = Delivery(
                surface=surface, lane=lane, op=op, incident_id=incident_id,
                payload=payload, message_id=message_id,
            )  # fmt: skip
            session.add(row)

"""Stores what is to be said, in the transaction of the change that caused it."""

from typing import Any

from sqlalchemy import Connection, Table, bindparam, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from bot.delivery.tables import Binding, Delivery, Message
from bot.store import now

# Plain statements on the tables themselves: every step of a run says something twice.
_messages: Table = Message.__table__  # type: ignore[attr-defined]  # SQLModel does not declare it
_deliveries: Table = Delivery.__table__  # type: ignore[attr-defined]  # same
_EDIT = (
    update(_messages)
    .where(_messages.c.key == bindparam("of"))
    .values(version=_messages.c.version + 1)
    .returning(_messages.c.id)
)
_ABOVE = select(_messages.c.id).where(_messages.c.key == bindparam("of"))
_POST = insert(_messages).returning(_messages.c.id)
_DELIVER = insert(_deliveries)
_UNSENT = (
    select(_deliveries.c.id)
    .where(_deliveries.c.message_id == bindparam("message"), _deliveries.c.state == "pending")
    .where(_deliveries.c.op != "pin")
    .limit(1)
    .with_for_update()
)


class Outbox:
    """Queues deliveries for every connected surface but the console, which reads messages.

    Order is kept per lane. Messages of one channel share a lane; topic, pin and bookmark have
    lanes of their own, so that a channel is ready in few round trips.
    """

    def __init__(self, surfaces: tuple[str, ...]) -> None:
        self.surfaces = surfaces

    async def open_channel(
        self,
        session: AsyncSession,
        incident_id: int,
        *,
        name: str,
        purpose: str,
        topic: str,
        people: list[str],
        groups: list[str],
        private: bool = False,
    ) -> None:
        """Asks for a new incident's channel with its topic, people, pinned card and digest line.

        Everything else for the channel waits until it exists. ``people`` are ids of the catalog,
        ``groups`` the surface's own.
        """
        card = Message(incident_id=incident_id, key=f"{incident_id}:card", kind="card",
                       author="jackline")  # fmt: skip
        digest = Message(incident_id=incident_id, key=f"{incident_id}:digest", kind="digest",
                         author="jackline")  # fmt: skip
        session.add_all([card, digest])
        await session.flush()
        wanted: list[tuple[str, str, dict[str, Any], int | None]] = [
            ("open_channel", "open", {"name": name, "purpose": purpose, "private": private}, None),
            ("say", "talk", {}, card.id),
            ("topic", "topic", {"topic": topic}, None),
            ("pin", "pin", {}, card.id),
            ("invite", "invite", invitation(people, groups), None),
            ("digest", "digest", {}, digest.id),
        ]
        rows = [
            Delivery(surface=surface, lane=f"{incident_id}:{lane}", op=op, incident_id=incident_id,
                     payload=payload, message_id=message_id).model_dump(exclude={"id"})
            for surface in self.surfaces
            for op, lane, payload, message_id in wanted
            if op != "invite" or people or groups
        ]  # fmt: skip
        if rows:  # in one statement: in a storm many incidents are declared at once
            await (await session.connection()).execute(_DELIVER, rows)

    async def forget(self, session: AsyncSession, message_id: int, channel: str) -> None:
        """A message is not to be found in Slack any more: it is posted anew when there is an edit."""
        found = await session.get(Binding, ("slack", f"message:{message_id}"))
        if found is not None and found.value.get("channel") == channel:
            await session.delete(found)

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
    ) -> None:
        """Says it in the session's transaction, behind what the session has to write."""

        def put(plain: Session) -> None:
            plain.flush()
            self.put(
                plain.connection(), incident_id, key, kind, payload, author=author, origin=origin
            )

        await session.run_sync(put)

    def put(
        self,
        connection: Connection,
        incident_id: int,
        key: str,
        kind: str,
        payload: dict[str, Any] | None = None,
        *,
        author: str = "jackline",
        origin: str = "",
        shared: bool = False,
        thread: str = "",
        channel: str = "",
    ) -> None:
        """Posts a message, or edits the one with that ``key``; ``thread`` is the key of the one
        that it answers.

        An edit that is still unsent absorbs later ones. ``origin`` is the surface where a
        person wrote it: it is not sent back there. ``shared``: it is said where the digest is,
        or in the surface's ``channel``.
        """
        full = f"{incident_id}:{key}"
        edit = {"of": full, "kind": kind, "payload": payload or {}, "updated_at": now()}
        message_id = connection.execute(_EDIT, edit).scalar()
        if message_id is None:
            above = {"of": f"{incident_id}:{thread}"}
            message = Message(
                incident_id=incident_id, key=full, kind=kind, payload=payload or {},
                author=author, origin=origin,
                thread_id=connection.execute(_ABOVE, above).scalar() if thread else None,
            )  # fmt: skip
            values = message.model_dump(exclude={"id"})
            message_id = connection.execute(_POST, values).scalar_one()
        elif not self.surfaces or connection.execute(_UNSENT, {"message": message_id}).scalar():
            return
        rows = [
            Delivery(surface=surface, lane=full if shared else f"{incident_id}:talk",
                     op="digest" if shared else "say", incident_id=incident_id, message_id=message_id,
                     payload={"channel": channel} if channel else {}).model_dump(exclude={"id"})
            for surface in self.surfaces
            if surface != origin
        ]  # fmt: skip
        if rows:
            connection.execute(_DELIVER, rows)

    async def amend(
        self, session: AsyncSession, incident_id: int, key: str, more: dict[str, Any]
    ) -> None:
        """Edits the message with that ``key``: its payload is what it was, and ``more``."""
        query = select(_messages.c.kind, _messages.c.payload, _messages.c.author).where(
            _messages.c.key == f"{incident_id}:{key}"
        )
        kind, payload, author = (await session.execute(query)).one()
        await self.say(session, incident_id, key, kind, {**payload, **more}, author=author)

    async def announce(
        self, session: AsyncSession, key: str, kind: str, payload: dict[str, Any], *,
        channel: str = "",
    ) -> None:  # fmt: skip
        """The same in the digest's channel, or another of the surface's, in no incident's."""

        def put(plain: Session) -> None:
            plain.flush()
            self.put(plain.connection(), 0, key, kind, payload, shared=True, channel=channel)

        await session.run_sync(put)

    async def said(self, session: AsyncSession, incident_id: int, key: str) -> bool:
        """Whether a message with that key exists."""
        query = select(_messages.c.id).where(_messages.c.key == f"{incident_id}:{key}")
        return (await session.execute(query)).first() is not None

    async def set_topic(self, session: AsyncSession, incident_id: int, topic: str) -> None:
        """Sets the channel's topic."""
        self._queue(session, "topic", f"{incident_id}:topic", incident_id, {"topic": topic})

    def ask(
        self, session: AsyncSession, op: str, incident_id: int, payload: dict[str, Any]
    ) -> None:
        """Asks for something about the channel itself, such as another name: on a lane of its own."""
        self._queue(session, op, f"{incident_id}:{op}", incident_id, payload)

    async def invite(
        self, session: AsyncSession, incident_id: int, people: list[str],
        groups: list[str] | None = None,
    ) -> None:  # fmt: skip
        """Asks further people of the catalog to the channel; who is there already stays."""
        if people or groups:
            payload = invitation(people, groups)
            self._queue(session, "invite", f"{incident_id}:invite", incident_id, payload)

    async def react(self, session: AsyncSession, incident_id: int, mark: dict[str, str]) -> None:
        """Marks a message of Slack's: ``mark`` has its ``channel`` and ``ts``, and the emoji's ``name``."""
        self._queue(session, "react", f"{incident_id}:react", incident_id, mark)

    async def upload(self, session: AsyncSession, incident_id: int, file: str, title: str) -> None:
        """Shows a picture of the evidence folder; ``file`` is unique, so a repeat is seen."""
        payload = {"file": file, "title": title}
        self._queue(session, "upload", f"{incident_id}:upload", incident_id, payload)

    async def digest(self, session: AsyncSession, incident_id: int) -> None:
        """Has the incident's line in the digest channel edited in place."""
        query = select(_messages.c.id).where(_messages.c.key == f"{incident_id}:digest")
        message_id = (await session.execute(query)).scalar_one()
        if not await self._unsent(session, message_id):
            self._queue(session, "digest", f"{incident_id}:digest", incident_id, {}, message_id)

    async def _unsent(self, session: AsyncSession, message_id: int | None) -> bool:
        """Whether it still waits; locked, so that no worker renders it before this commit."""
        if not self.surfaces:
            return True
        return (await session.execute(_UNSENT, {"message": message_id})).first() is not None

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


def invitation(people: list[str], groups: list[str] | None = None) -> dict[str, Any]:
    """Whom to ask: ids of the catalog, and ``groups`` of the surface's own."""
    return {"people": people} | ({"groups": groups} if groups else {})

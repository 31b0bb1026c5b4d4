"""Moves what is said about an incident into a new channel: a private one, or where its own is lost.

No bot may make a public channel private. So the old one keeps what was said in it, and nothing
more is said, edited or pinned there: its binding and those of its messages go in one commit with
the change that makes the incident private. One that was archived or deleted is left likewise.
"""

from typing import Any

from sqlalchemy import String, cast, delete, literal, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from bot.delivery.outbox import Outbox, invitation
from bot.delivery.tables import Binding, Delivery, Message
from bot.errors import Conflict


async def leave(
    session: AsyncSession, outbox: Outbox, incident_id: int, *, opening: dict[str, Any], topic: str,
    people: list[str],
) -> None:  # fmt: skip
    """``opening`` is what `open_channel` is asked for. A channel that is private already stays.

    Raises `Conflict` while one is being opened: nobody knows then whether it is public already.
    """
    await _recall(session, incident_id)
    for surface in outbox.surfaces:
        old = await session.get(Binding, (surface, f"channel:{incident_id}"))
        asked = await _still_asked_for(session, surface, incident_id, opening)
        if asked or (old is not None and old.value.get("private")):
            _invite(session, surface, incident_id, people)
            continue
        if old is not None:
            value, card = dict(old.value), await _card(session, surface, incident_id)
            await session.delete(old)
            await forget_messages(session, surface, incident_id, value["channel"])
            session.add(Delivery(surface=surface, lane=f"{incident_id}:leave", op="leave",
                                 incident_id=incident_id, payload={**value, "card": card}))  # fmt: skip
        await open_again(session, surface, incident_id, opening, topic, people)


async def replace(
    session: AsyncSession, surface: str, incident_id: int, lost: str, *, opening: dict[str, Any],
    topic: str, people: list[str], groups: list[str],
) -> bool:  # fmt: skip
    """Asks for a channel in the place of the one that is ``lost``; what waits stays in its order.

    False where another one is asked for, or open, already.
    """
    channel = await session.get(Binding, (surface, f"channel:{incident_id}"))
    if channel is None or channel.value.get("channel") != lost:
        return False
    await session.delete(channel)
    await forget_messages(session, surface, incident_id, lost)
    await open_again(session, surface, incident_id, opening, topic, people, groups)
    line = select(Message.id).where(Message.key == f"{incident_id}:digest")
    digest = (await session.execute(line)).scalar_one()
    # behind the channel, to which it leads
    session.add(Delivery(surface=surface, lane=f"{incident_id}:open", op="digest",
                         incident_id=incident_id, message_id=digest))  # fmt: skip
    return True


async def _recall(session: AsyncSession, incident_id: int) -> None:
    """Who was asked to the public channel, and what that was to be called, is not for the new one."""
    await session.execute(
        delete(Delivery).where(
            col(Delivery.incident_id) == incident_id, col(Delivery.state) == "pending",
            col(Delivery.op).in_(("invite", "rename")),
        )
    )  # fmt: skip


def _invite(
    session: AsyncSession, surface: str, incident_id: int, people: list[str],
    groups: list[str] | None = None,
) -> None:  # fmt: skip
    if people or groups:
        session.add(Delivery(surface=surface, lane=f"{incident_id}:invite", op="invite",
                             incident_id=incident_id, payload=invitation(people, groups)))  # fmt: skip


async def _still_asked_for(
    session: AsyncSession, surface: str, incident_id: int, opening: dict[str, Any]
) -> bool:
    """A channel that is not opened yet is opened as a private one."""
    mine = (
        Delivery.surface == surface, Delivery.incident_id == incident_id,
        Delivery.op == "open_channel",
    )  # fmt: skip
    changed = await session.execute(
        update(Delivery).where(*mine, Delivery.state == "pending").values(payload=opening)  # type: ignore[arg-type]  # SQLModel's columns
    )
    if changed.rowcount:  # type: ignore[attr-defined]  # an UPDATE's CursorResult
        return True
    sending = select(Delivery.id).where(*mine, Delivery.state == "sending")
    if (await session.execute(sending)).first() is not None:
        raise Conflict("Its channel is just being opened.", hint="Try again in a moment.")
    return False


async def _card(session: AsyncSession, surface: str, incident_id: int) -> str:
    """Where the card stands in the old channel, or nothing."""
    query = select(Message.id).where(Message.key == f"{incident_id}:card")
    number = (await session.execute(query)).scalar_one()
    found = await session.get(Binding, (surface, f"message:{number}"))
    return str(found.value["ts"]) if found else ""


async def forget_messages(
    session: AsyncSession, surface: str, incident_id: int, channel: str
) -> None:
    """Those that stand in its channel: an edit posts them anew, where the incident is then.

    Of this incident alone: in another workspace there may be a channel with the same id.
    """
    ours = select(literal("message:") + cast(col(Message.id), String))
    await session.execute(
        delete(Binding)
        .where(col(Binding.surface) == surface)
        .where(col(Binding.key).in_(ours.where(Message.incident_id == incident_id)))
        .where(col(Binding.value)["channel"].as_string() == channel)
        .execution_options(synchronize_session=False)
    )


async def open_again(
    session: AsyncSession, surface: str, incident_id: int, opening: dict[str, Any], topic: str,
    people: list[str], groups: list[str] | None = None,
) -> None:  # fmt: skip
    """Asks for a channel with all that a new one has, but for the digest's line, which stays."""
    query = select(Message.id).where(Message.key == f"{incident_id}:card")
    card = (await session.execute(query)).scalar_one()
    wanted: list[tuple[str, str, dict[str, Any], int | None]] = [
        ("open_channel", "open", opening, None),
        ("say", "talk", {}, card),
        ("topic", "topic", {"topic": topic}, None),
        ("pin", "pin", {}, card),
    ]
    for op, lane, payload, message_id in wanted:
        session.add(Delivery(surface=surface, lane=f"{incident_id}:{lane}", op=op,
                             incident_id=incident_id, payload=payload, message_id=message_id))  # fmt: skip
    _invite(session, surface, incident_id, people, groups)

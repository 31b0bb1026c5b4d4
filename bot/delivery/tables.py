"""What is said, and where it still has to be said."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from bot.store import JsonColumn, UtcDateTime, now


class Message(SQLModel, table=True):
    """One message in an incident's channel, the same on every surface.

    It holds what it is about (``kind`` and ``payload``), not how it looks: each surface renders
    it when it shows it, from the state at that moment. ``thread_id`` is the message that it
    answers: it is folded under that one.
    """

    __tablename__ = "message"

    id: int | None = Field(default=None, primary_key=True)
    incident_id: int = Field(index=True)
    key: str = Field(unique=True)
    kind: str
    payload: dict[str, Any] = Field(sa_type=JsonColumn, default_factory=dict)
    author: str
    origin: str = ""
    thread_id: int | None = None
    version: int = 1
    created_at: datetime = Field(sa_type=UtcDateTime, default_factory=now)
    updated_at: datetime = Field(sa_type=UtcDateTime, default_factory=now)


class Delivery(SQLModel, table=True):
    """One thing to do on one surface.

    ``pending → sending → sent``, or ``failed`` where the surface refuses. ``sending`` is the
    committed intent: found after a crash, it is reconciled by reading before anything is sent.
    """

    __tablename__ = "outbox"
    __table_args__ = (
        Index("ix_outbox_open", "surface", "lane", "id",
              postgresql_where=text("state IN ('pending', 'sending')"),
              sqlite_where=text("state IN ('pending', 'sending')")),
        Index("ix_outbox_outside", "incident_id", "sent_at",
              postgresql_where=text("surface = 'outside'"),
              sqlite_where=text("surface = 'outside'")),
    )  # fmt: skip

    id: int | None = Field(default=None, primary_key=True)
    surface: str
    lane: str
    op: str
    incident_id: int
    message_id: int | None = None
    payload: dict[str, Any] = Field(sa_type=JsonColumn, default_factory=dict)
    state: str = "pending"
    attempts: int = 0
    next_at: datetime = Field(sa_type=UtcDateTime, default_factory=now)
    owner: str = ""
    lease_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    error: str = ""
    created_at: datetime = Field(sa_type=UtcDateTime, default_factory=now)
    sent_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Binding(SQLModel, table=True):
    """What a surface calls a thing of ours: ``channel:12`` → its channel id, and so on."""

    __tablename__ = "binding"

    surface: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    value: dict[str, Any] = Field(sa_type=JsonColumn, default_factory=dict)

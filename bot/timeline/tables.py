"""The timeline's tables."""

from datetime import datetime
from typing import Any

from sqlmodel import Field, SQLModel

from bot.store import JsonColumn, UtcDateTime


class Timeline(SQLModel, table=True):
    """The rows of all incidents' records, as `bot.timeline.Entry` reads them. ``incident_id`` 0 is Jackline's own record."""

    __tablename__ = "timeline"

    incident_id: int = Field(primary_key=True)
    seq: int = Field(primary_key=True)
    at: datetime = Field(sa_type=UtcDateTime)
    kind: str
    actor: str
    text: str
    data: dict[str, Any] = Field(sa_type=JsonColumn, default_factory=dict)
    link: str = ""
    previous: str
    hash: str


class Head(SQLModel, table=True):
    """Where an incident's chain ends. The seal is keyed, so that a cut-off end shows."""

    __tablename__ = "timeline_head"

    incident_id: int = Field(primary_key=True)
    seq: int
    hash: str
    seal: str

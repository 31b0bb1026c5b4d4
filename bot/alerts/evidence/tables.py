"""What was looked for when an incident opened, and what became of it."""

from datetime import datetime
from typing import Any

from sqlmodel import Field, SQLModel

from bot.store import JsonColumn, UtcDateTime


class EvidenceLook(SQLModel, table=True):
    """Whose turn an incident's evidence is: replicas claim it by the lease, again after a crash."""

    __tablename__ = "evidence_look"

    incident_id: int = Field(primary_key=True)
    lease_until: datetime = Field(sa_type=UtcDateTime)
    tries: int = 1


class EvidenceItem(SQLModel, table=True):
    """One place that is looked at for an incident.

    ``waiting`` until there is an answer; then ``found``, with the parts of the answer in ``data``
    (maybe none), or ``missing``, with the reason in it.
    """

    __tablename__ = "evidence_item"

    incident_id: int = Field(primary_key=True)
    key: str = Field(primary_key=True)
    position: int
    name: str
    state: str = "waiting"
    data: dict[str, Any] = Field(sa_type=JsonColumn, default_factory=dict)
    at: datetime | None = Field(default=None, sa_type=UtcDateTime)

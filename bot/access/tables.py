"""What is known of the ways to targets."""

from datetime import datetime
from typing import Any

from sqlmodel import Field, SQLModel

from bot.store import JsonColumn, UtcDateTime


class PathState(SQLModel, table=True):
    """One access path to one target, as the last probe found it.

    ``depth`` is how much the probe proved: ``action`` (a reading action, end to end, with the
    credential), ``login`` (SSH) or ``port`` (only that something listens).
    """

    __tablename__ = "path_state"

    target: str = Field(primary_key=True)
    path: str = Field(primary_key=True)
    ok: bool | None = None
    depth: str = ""
    checked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    proven_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    bad_since: datetime | None = Field(default=None, sa_type=UtcDateTime)
    ms: float | None = None
    error: str = ""
    first_seen: datetime = Field(sa_type=UtcDateTime)
    due_at: datetime = Field(sa_type=UtcDateTime)


class PackedBag(SQLModel, table=True):
    """One go-bag that was packed; its newest drill that is known, whose ``score`` is 0 to 1."""

    __tablename__ = "packed_bag"

    id: str = Field(primary_key=True)
    packed_at: datetime = Field(sa_type=UtcDateTime)
    recipients: int
    digest: str
    signer: str
    drilled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    drilled_by: str = ""
    score: float | None = None


class DrillHeld(SQLModel, table=True):
    """One occurrence of a scheduled access drill: who inserts its row holds it.

    The first row of a name has no ``score``: it says since when the drill is known, so that nothing
    before that is held. ``result`` is `bot.runbooks.drill.Drill.as_dict`.
    """

    __tablename__ = "access_drill"

    name: str = Field(primary_key=True)
    due_at: datetime = Field(primary_key=True, sa_type=UtcDateTime)
    began: datetime = Field(sa_type=UtcDateTime)
    ended: datetime | None = Field(default=None, sa_type=UtcDateTime)
    score: float | None = None
    result: dict[str, Any] = Field(sa_type=JsonColumn, default_factory=dict)

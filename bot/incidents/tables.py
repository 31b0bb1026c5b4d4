"""The incident's table."""

from datetime import datetime
from typing import Any

from sqlmodel import Field, SQLModel

from bot.store import JsonColumn, UtcDateTime, now


class Incident(SQLModel, table=True):
    """One incident.

    ``origin`` is what caused it, unique, so that a cause delivered twice declares once;
    ``open_key`` is its group while it is open and empty (NULL) afterwards, unique, so that a
    group has at most one open incident. ``trigger`` is what runbooks are matched against.
    ``people`` are persons and ``@groups`` who were invited besides the owners of the services;
    who may see a ``private`` one says `bot.incidents.seeing.may_see`.

    One that is ``merged_into`` another keeps its ``open_key``: it holds the group for that one.
    ``merge`` is what it takes to undo that. ``takes`` are alerts that people gave it by hand, as
    `bot.alerts.by_hand` reads them. ``alerts_ended_at``: since when none of its alerts fires, if
    it has any. ``severity_at``: since when it has its severity, if that was changed.
    """

    __tablename__ = "incident"

    id: int | None = Field(default=None, primary_key=True)
    title: str
    severity: str
    status: str = "declared"
    services: list[str] = Field(sa_type=JsonColumn, default_factory=list)
    drill: bool = False
    private: bool = False
    people: list[str] = Field(sa_type=JsonColumn, default_factory=list)
    origin: str = Field(unique=True)
    open_key: str | None = Field(default=None, unique=True)
    trigger: dict[str, Any] = Field(sa_type=JsonColumn, default_factory=dict)
    commander: str = ""
    declared_by: str
    declared_at: datetime = Field(sa_type=UtcDateTime, default_factory=now)
    resolved_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    merged_into: int | None = Field(default=None, index=True)
    merge: dict[str, Any] = Field(sa_type=JsonColumn, default_factory=dict)
    takes: list[dict[str, Any]] = Field(sa_type=JsonColumn, default_factory=list)
    proposed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    evidence_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    alerts_ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    severity_at: datetime | None = Field(default=None, sa_type=UtcDateTime)

    @property
    def number(self) -> int:
        """The id of a stored incident."""
        if self.id is None:
            raise ValueError("not stored yet")
        return self.id

    @property
    def graded_at(self) -> datetime:
        """Since when it has its severity."""
        return self.severity_at or self.declared_at

    @property
    def standing(self) -> str:
        """The status in words: of a merged one, where it went."""
        return f"merged into #{self.merged_into}" if self.merged_into else self.status

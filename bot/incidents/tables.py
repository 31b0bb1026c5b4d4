"""The tables of incidents and of what is to be done about them."""

from datetime import datetime
from typing import Any

from sqlmodel import Field, SQLModel, UniqueConstraint

from bot.store import JsonColumn, Numbered, UtcDateTime, now


class Incident(Numbered, SQLModel, table=True):
    """One incident.

    ``origin`` is what caused it, unique, so that a cause delivered twice declares once;
    ``open_key`` is its group while it is open and empty (NULL) afterwards, unique, so that a
    group has at most one open incident. ``trigger`` is what runbooks are matched against.
    ``people`` are persons and ``@groups`` who were invited besides the owners of the services;
    who may see a ``private`` one says `bot.incidents.seeing.may_see`. ``roles`` are those besides
    the commander's, role → person; ``offer`` is command as it is being handed over. ``links`` have ``url`` and ``title``.

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
    roles: dict[str, str] = Field(sa_type=JsonColumn, default_factory=dict)
    offer: dict[str, str] = Field(sa_type=JsonColumn, default_factory=dict)
    declared_by: str
    declared_at: datetime = Field(sa_type=UtcDateTime, default_factory=now)
    resolved_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    links: list[dict[str, str]] = Field(sa_type=JsonColumn, default_factory=list)
    closed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    archived_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    merged_into: int | None = Field(default=None, index=True)
    merge: dict[str, Any] = Field(sa_type=JsonColumn, default_factory=dict)
    takes: list[dict[str, Any]] = Field(sa_type=JsonColumn, default_factory=list)
    proposed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    evidence_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    alerts_ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    severity_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    workspace: str = ""

    @property
    def holders(self) -> dict[str, str]:
        """Role → person, the commander's first."""
        return ({"commander": self.commander} if self.commander else {}) | self.roles

    @property
    def graded_at(self) -> datetime:
        """Since when it has its severity."""
        return self.severity_at or self.declared_at

    @property
    def standing(self) -> str:
        """The status in words: of a merged one, where it went."""
        return f"merged into #{self.merged_into}" if self.merged_into else self.status


class Task(SQLModel, table=True):
    """Something to do about an incident; ``number`` counts in the incident.

    ``state`` is ``open``, ``done`` or ``dropped``. A follow-up (``after``) goes on when the incident
    is closed. ``origin`` is the command or click that made it, unique.
    """

    __tablename__ = "task"
    __table_args__ = (UniqueConstraint("incident_id", "number"),)

    id: int | None = Field(default=None, primary_key=True)
    incident_id: int = Field(index=True)
    number: int
    text: str
    after: bool = False
    owner: str = ""
    due_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    state: str = Field(default="open", index=True)
    origin: str = Field(unique=True)
    created_by: str
    created_at: datetime = Field(sa_type=UtcDateTime, default_factory=now)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    ended_by: str = ""

    @property
    def name(self) -> str:
        """``task 3``, ``follow-up 4``."""
        return f"{'follow-up' if self.after else 'task'} {self.number}"

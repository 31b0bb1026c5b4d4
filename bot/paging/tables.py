"""What is stored of being on call and of pages."""

from datetime import datetime
from typing import Any

from sqlmodel import Field, SQLModel

from bot.store import JsonColumn, Numbered, UtcDateTime, now


class OncallOverride(Numbered, SQLModel, table=True):
    """Somebody stands in on a schedule, as a person said in chat or at the terminal.

    ``by`` is a person's id, empty for the command line; ``origin`` is what asked for it, unique.
    """

    __tablename__ = "oncall_override"

    id: int | None = Field(default=None, primary_key=True)
    schedule: str
    person: str
    since: datetime = Field(sa_type=UtcDateTime)
    until: datetime = Field(sa_type=UtcDateTime, index=True)
    by: str
    origin: str = Field(unique=True)
    made_at: datetime = Field(sa_type=UtcDateTime, default_factory=now)
    undone_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    undone_by: str = ""


class Page(Numbered, SQLModel, table=True):
    """Somebody is to look at an incident: paged level by level until one has it.

    ``open → acknowledged``, ``unanswered`` where nobody did in time, ``ended`` with the incident.
    ``levels`` are kept as they were at its opening; ``step`` counts those that were paged, over all
    repetitions, and the next is due at ``due_at``. ``origin`` is what opened it, unique.
    """

    __tablename__ = "page"

    id: int | None = Field(default=None, primary_key=True)
    incident_id: int = Field(index=True)
    policy: str = ""
    name: str
    why: str = ""
    levels: list[dict[str, Any]] = Field(sa_type=JsonColumn)
    repeat: int
    origin: str = Field(unique=True)
    opened_by: str
    opened_at: datetime = Field(sa_type=UtcDateTime, default_factory=now)
    state: str = Field(default="open", index=True)
    step: int = 0
    due_at: datetime = Field(sa_type=UtcDateTime, default_factory=now)
    acknowledged_by: str = ""
    acknowledged_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class PageLink(SQLModel, table=True):
    """A link that acknowledges a page once, for one person. Of its token only the hash is kept."""

    __tablename__ = "page_link"

    token_hash: str = Field(primary_key=True)
    page_id: int = Field(index=True)
    person: str
    made_at: datetime = Field(sa_type=UtcDateTime, default_factory=now)
    used_at: datetime | None = Field(default=None, sa_type=UtcDateTime)

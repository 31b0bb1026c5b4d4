"""What was accepted, the alerts it holds, and the samples of built-in checks."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Index, and_, exists, func, text
from sqlalchemy.orm import aliased
from sqlmodel import Field, SQLModel, UniqueConstraint, col

from bot.alerts.flapping import Change
from bot.store import JsonColumn, Numbered, UtcDateTime, now


class Arrival(SQLModel, table=True):
    """What one request brought, as it was accepted: on disk before it is acknowledged.

    A single row whatever it holds, in a table that stays small: `bot.alerts.arrivals` makes stored
    alerts of it. ``alerts`` is JSON. ``refused`` says why no alerts can be made of it.
    """

    __tablename__ = "arrival"

    id: int | None = Field(default=None, primary_key=True)
    source: str
    received_at: datetime = Field(sa_type=UtcDateTime, default_factory=now)
    size: int
    alerts: str
    refused: str = ""


class StoredAlert(SQLModel, table=True):
    """One accepted notification, once: a repeat has the same identity and is not stored again.

    ``state`` is ``new`` until the router has decided, or ``aside`` where it cannot until the next
    start; then ``routed``, or ``silenced`` while something holds it back: ``held_by``, as `bot.alerts.silences.Hold.key` writes it. Of those that
    people are asked about ``held_by`` is `Question.key`: ``asked`` while it is open, ``refused``
    where the answer was no, ``held`` if it came soon after that. A change of an alert that flaps
    names what counts it: ``flap_id``. ``merged_from`` is the incident that it goes back to when
    that one's merge is undone.
    """

    __tablename__ = "alert"
    __table_args__ = (UniqueConstraint("source", "fingerprint", "starts_at", "status"),)

    id: int | None = Field(default=None, primary_key=True)
    source: str
    fingerprint: str
    status: str
    starts_at: datetime = Field(sa_type=UtcDateTime)
    ends_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    name: str
    labels: dict[str, str] = Field(sa_type=JsonColumn, default_factory=dict)
    annotations: dict[str, str] = Field(sa_type=JsonColumn, default_factory=dict)
    link: str = ""
    received_at: datetime = Field(sa_type=UtcDateTime, default_factory=now)
    state: str = Field(default="new", index=True)
    incident_id: int | None = Field(default=None, index=True)
    decision: dict[str, Any] = Field(sa_type=JsonColumn, default_factory=dict)
    held_by: str | None = None
    merged_from: int | None = None
    flap_id: int | None = None


class Silence(Numbered, SQLModel, table=True):
    """Alerts that a person holds back for a while; ``by`` and ``ended_by`` are ids of persons.

    ``by`` is empty for the command line, ``ended_by`` for it and for what expired. ``origin`` is
    unique, so that a command delivered twice sets one.
    """

    __tablename__ = "silence"

    id: int | None = Field(default=None, primary_key=True)
    match: dict[str, str] = Field(sa_type=JsonColumn)
    since: datetime = Field(sa_type=UtcDateTime, default_factory=now)
    until: datetime = Field(sa_type=UtcDateTime)
    by: str = ""
    reason: str
    origin: str = Field(unique=True)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    ended_by: str = ""


class Flap(Numbered, SQLModel, table=True):
    """An alert that changes again and again, from when that was seen until it is quiet.

    ``fired`` and ``resolved`` are its changes since ``since``, ``firing`` is how the last one left it.
    """

    __tablename__ = "flap"
    __table_args__ = (
        Index("ix_flap_on", "source", "fingerprint", unique=True,
              postgresql_where=text("ended_at IS NULL"), sqlite_where=text("ended_at IS NULL")),
    )  # fmt: skip

    id: int | None = Field(default=None, primary_key=True)
    source: str
    fingerprint: str
    incident_id: int = Field(index=True)
    title: str
    since: datetime = Field(sa_type=UtcDateTime)
    last_at: datetime = Field(sa_type=UtcDateTime)
    fired: int = 0
    resolved: int = 0
    firing: bool = True
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)

    def count(self, change: Change) -> None:
        """One more change."""
        self.fired += change.firing
        self.resolved += not change.firing
        self.firing, self.last_at = change.firing, max(self.last_at, change.at)


class Question(Numbered, SQLModel, table=True):
    """Whether the alerts of a group are an incident, as people are asked.

    ``open`` → ``declared``, ``refused`` or ``ended``: nobody answered, and nothing fires any more.
    ``open_key`` is the group while it is open, and while a refusal holds new alerts back; empty
    (NULL) afterwards, unique. ``opening`` is what `bot.incidents.Incidents.declare` takes;
    ``firing`` counts by name, not of all names in a storm; ``answered_by`` is an actor.
    """

    __tablename__ = "question"

    id: int | None = Field(default=None, primary_key=True)
    open_key: str | None = Field(default=None, unique=True)
    state: str = Field(default="open", index=True)
    opening: dict[str, Any] = Field(sa_type=JsonColumn)
    severity: str
    firing: dict[str, int] = Field(sa_type=JsonColumn, default_factory=dict)
    fired: int = 0
    ended: int = 0
    posted: bool = False
    asked_at: datetime = Field(sa_type=UtcDateTime, default_factory=now)
    due_at: datetime = Field(sa_type=UtcDateTime)
    answered_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    answered_by: str = ""
    held_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    incident_id: int | None = None

    @property
    def key(self) -> str:
        """What is stored with its alerts."""
        return f"question:{self.number}"

    @property
    def names(self) -> list[tuple[str, int]]:
        """What fires and how often, the most frequent first; nothing in it that cannot be printed."""
        found = sorted(self.firing.items(), key=lambda each: (-each[1], each[0]))
        return [("".join(c if c.isprintable() else " " for c in name), n) for name, n in found]


def earlier(starts_at: datetime, ends_at: datetime | None, began: datetime) -> bool:
    """Whether an end belongs to an earlier firing than the one that ``began``, and came late.

    Only where both its times say so: the start alone may be corrected while an alert fires.
    """
    return starts_at < began and ends_at is not None and ends_at < began


def earlier_end(end: Any, firing: Any) -> ColumnElement[bool]:  # noqa: ANN401 - a table's columns, or an alias
    """The same of rows."""
    began: ColumnElement[datetime] = firing.starts_at
    return and_(end.starts_at < began, func.coalesce(end.ends_at, began) < began)


def has_ended() -> ColumnElement[bool]:
    """Of a firing alert: it resolved later. By the order in which they were accepted, as routing goes."""
    end = aliased(StoredAlert)
    return exists().where(
        col(end.source) == col(StoredAlert.source),
        col(end.fingerprint) == col(StoredAlert.fingerprint),
        col(end.status) == "resolved",
        col(end.id) > col(StoredAlert.id),
        ~earlier_end(end, StoredAlert),
    )


class CheckSample(SQLModel, table=True):
    """What one probe of a built-in check saw over one access path."""

    __tablename__ = "check_sample"

    id: int | None = Field(default=None, primary_key=True)
    check_id: str = Field(index=True)
    path: str = Field(default="direct", sa_column_kwargs={"server_default": "direct"})
    at: datetime = Field(sa_type=UtcDateTime, index=True)
    requests: int
    failed: int
    worst_ms: float
    error: str = ""


class CheckState(SQLModel, table=True):
    """Where each alert of a check stands, by its fingerprint.

    The first one's is the check's own id, and its row says whose turn it is: replicas claim it
    by ``due_at``.
    """

    __tablename__ = "check_state"

    check_id: str = Field(primary_key=True)
    due_at: datetime = Field(sa_type=UtcDateTime)
    bad: int = 0
    good: int = 0
    firing_since: datetime | None = Field(default=None, sa_type=UtcDateTime)


class HeartbeatSeen(SQLModel, table=True):
    """When a heartbeat came last, and since when it is waited for."""

    __tablename__ = "heartbeat"

    id: str = Field(primary_key=True)
    known_since: datetime = Field(sa_type=UtcDateTime)
    seen_at: datetime | None = Field(default=None, sa_type=UtcDateTime)

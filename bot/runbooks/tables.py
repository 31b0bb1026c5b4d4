"""The run engine's journal."""

from datetime import datetime
from typing import Any

from sqlmodel import Field, SQLModel, UniqueConstraint

from bot.store import JsonColumn, Numbered, UtcDateTime, now

ENDED = ("succeeded", "failed", "refused", "aborted")
CHANGED = "changed"
"""Phase of a row that says why an undo holds back: ``held`` until a person asks again, then ``told``."""
LOOK = "look"
"""Phase of a row that says what a step waits for before it begins: for the card alone."""


class Run(Numbered, SQLModel, table=True):
    """One execution of a runbook, from proposal to end.

    ``planning → proposed → waiting → approved → running → succeeded``; a run ends otherwise as
    ``failed``, ``refused``, ``aborted``, or stands at ``unknown`` until a person decides. It is
    ``held`` while all that is left waits for a person, a time (``wake_at``) or a called run, and
    ``paused`` by a person; that time (``held_seconds``) does not count as run time. ``text`` pins
    the runbook: later edits of the file do not change this run. ``epoch`` is the fencing token:
    it grows with each owner, and a former owner's writes are refused. ``overrides`` are a
    person's: ``freeze`` and ``break_glass``, each with who and why. ``note`` is shown on the card.
    """

    __tablename__ = "run"

    id: int | None = Field(default=None, primary_key=True)
    incident_id: int = Field(index=True)
    runbook_id: str
    title: str
    text: str
    digest: str
    path: str
    inputs: dict[str, Any] = Field(sa_type=JsonColumn, default_factory=dict)
    origin: str = Field(unique=True)
    state: str = Field(default="planning", index=True)
    requester: str = ""
    approved_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    plan: dict[str, Any] = Field(sa_type=JsonColumn, default_factory=dict)
    plan_digest: str = ""
    error: str = ""
    abort: bool = False
    pause: bool = False
    note: str = ""
    parent_id: int | None = Field(default=None, index=True)
    overrides: dict[str, Any] = Field(sa_type=JsonColumn, default_factory=dict)
    wake_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    held_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    held_seconds: float = 0.0
    undo_requested: bool = False
    owner: str = ""
    epoch: int = 0
    lease_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    created_at: datetime = Field(sa_type=UtcDateTime, default_factory=now)
    started_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class StepAttempt(SQLModel, table=True):
    """One attempt at a unit of a step: ``intent`` before the action is sent, its outcome after.

    ``phase`` is ``do``, ``undo``, ``gate`` (after a stage), ``approve`` (a step's own approval),
    ``ask`` (what to do about a failure), `CHANGED` or `LOOK`. ``before`` is what was read just before: undo starts
    from it. State ``waiting``: for a person, for ``due_at``, or for the called run of ``output``.
    """

    __tablename__ = "step_attempt"
    __table_args__ = (UniqueConstraint("run_id", "step", "phase", "attempt"),)

    id: int | None = Field(default=None, primary_key=True)
    run_id: int = Field(index=True)
    step: str
    phase: str = "do"
    attempt: int
    state: str = "intent"
    epoch: int
    action: str
    target: str
    access_path: str = ""
    before: dict[str, Any] = Field(sa_type=JsonColumn, default_factory=dict)
    output: dict[str, Any] = Field(sa_type=JsonColumn, default_factory=dict)
    error: str = ""
    due_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    started_at: datetime = Field(sa_type=UtcDateTime, default_factory=now)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Approval(SQLModel, table=True):
    """One person's yes to one plan. A person counts once, and only for that digest."""

    __tablename__ = "approval"

    run_id: int = Field(primary_key=True)
    plan_digest: str = Field(primary_key=True)
    person: str = Field(primary_key=True)
    surface: str
    at: datetime = Field(sa_type=UtcDateTime, default_factory=now)


class TargetLock(SQLModel, table=True):
    """Two runs never act on one target at once."""

    __tablename__ = "target_lock"

    target: str = Field(primary_key=True)
    run_id: int = Field(index=True)

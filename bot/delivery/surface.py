"""What a surface must be able to do for the outbox."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from bot.delivery.tables import Message
from bot.store import now


@dataclass(frozen=True)
class Job:
    """One delivery with all it needs. ``channel`` and ``posted`` are earlier bindings' values.

    ``attempt`` counts the claims: who was overtaken by a later one may not write the outcome.
    ``severity`` and ``workspace`` are its incident's, empty where it belongs to none. Nothing of it
    was done before it was ``asked_at``.
    """

    id: int
    op: str
    incident_id: int
    payload: dict[str, Any]
    message: Message | None = None
    channel: dict[str, Any] = field(default_factory=dict)
    posted: dict[str, Any] = field(default_factory=dict)
    attempt: int = 0
    severity: str = ""
    workspace: str = ""
    asked_at: datetime = field(default_factory=now)


class Surface(Protocol):
    """One place where people are. Errors are those of ``bot.errors.TargetError``."""

    name: str

    async def deliver(self, job: Job) -> dict[str, Any]:
        """Does the job; returns the binding's value (may be empty)."""

    async def find(self, job: Job) -> dict[str, Any] | None:
        """After a crash or a lost answer: the value if the job was done, None if it was not."""

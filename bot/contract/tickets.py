"""What a tracker is told, and what it says: the ability of integrations that keep tickets."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from pydantic import Field

from bot.contract.frozen import Frozen

if TYPE_CHECKING:
    from bot.contract import Connection


class Ticket(Frozen):
    """Something that somebody is to do, and when it is done.

    ``marker`` is the same whenever the same ticket is filed again, stands in the ticket, and is what
    it is found by. ``about`` says which part of the target it belongs to, as the catalog has it.
    ``made_at``: when it was first wanted; no ticket with this marker is older. ``sent_at``: when it
    was last sent: a tracker whose search lags behind may not show what came of that.
    """

    marker: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{7,63}$")
    title: str = Field(min_length=1, max_length=200)
    text: str = Field(min_length=1, max_length=8000)
    due: date | None = None
    about: dict[str, str] = Field(default={})
    made_at: datetime
    sent_at: datetime


class Filed(Frozen):
    """A ticket as the tracker has it: its own name for it, where it is seen, how it stands."""

    reference: str = Field(min_length=1, max_length=300)
    url: str = Field(default="", max_length=500)
    state: str = Field(default="", max_length=100)
    done: bool = False


@runtime_checkable
class Tickets(Protocol):
    """Keeps tickets and says when they are done."""

    async def create(self, ticket: Ticket, connection: Connection) -> Filed:
        """Files it. `NotSent` if nothing left, `Unknown` if it may have."""

    async def sought(self, ticket: Ticket, connection: Connection) -> Filed | None:
        """After a crash or a lost answer: the ticket with this marker; None if there is none.

        `Retryable` where the tracker may have it and does not show it yet.
        """

    async def state(self, reference: str, about: Mapping[str, str], connection: Connection) -> Filed | None:  # fmt: skip
        """The ticket as it is now; None where it is not there any more."""

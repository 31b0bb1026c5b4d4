"""What a status page is told, and what it says: the ability of integrations that inform customers."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

from pydantic import Field

from bot.contract.frozen import Frozen

if TYPE_CHECKING:
    from bot.contract import Connection

PageStatus = Literal["investigating", "identified", "monitoring", "resolved"]
Health = Literal["operational", "degraded_performance", "partial_outage", "major_outage"]


class StatusUpdate(Frozen):
    """What customers are told about an incident, as people previewed it.

    ``id`` is the same whenever the same update is sent again; ``thread`` is the same for all
    updates of an incident. ``components`` are the page's own names or ids → how they are now;
    ``began_at`` is the beginning of the incident, ``at`` that of the update.
    """

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]{0,63}$")
    thread: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]{0,63}$")
    title: str = Field(min_length=1, max_length=200)
    text: str = Field(min_length=1, max_length=8000)
    status: PageStatus
    components: dict[str, Health] = Field(default={})
    began_at: datetime
    at: datetime


class Published(Frozen):
    """What a page has: its own name for the incident, where it is seen, and what it says there."""

    reference: str = Field(min_length=1, max_length=300)
    url: str = Field(default="", max_length=500)
    state: str = Field(default="", max_length=100)


@runtime_checkable
class StatusPage(Protocol):
    """Tells customers, on a page that stands where our own outage does not reach it.

    ``reference`` is what `Published` had when the incident was first published; empty before that.
    """

    async def publish(
        self, update: StatusUpdate, reference: str, connection: Connection
    ) -> Published:
        """Opens the incident there, or adds to it. `NotSent` if nothing left, `Unknown` if it may have."""

    async def find(
        self, update: StatusUpdate, reference: str, connection: Connection
    ) -> Published | None:
        """After a crash or a lost answer: what the page has if it has this update; None if not."""

    async def read(self, reference: str, connection: Connection) -> Published | None:
        """The incident as the page has it now; None where it is not there."""

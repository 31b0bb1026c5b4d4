"""A row of the record as everybody reads it."""

from datetime import datetime
from typing import Any

from msgspec import Struct


class Entry(Struct, frozen=True, gc=False):
    """One row of an incident's record; ``incident_id`` 0 is Jackline's own record.

    The columns of `bot.timeline.tables.Timeline` in their order, and no part of a session: a record is
    read by the ten thousand, each of its values many times, and never changed.
    """

    incident_id: int
    seq: int
    at: datetime
    kind: str
    actor: str
    text: str
    data: dict[str, Any]
    link: str
    previous: str
    hash: str

    def as_json(self) -> dict[str, Any]:
        """As the API and an export give it away."""
        return {
            "seq": self.seq,
            "at": self.at.isoformat(),
            "kind": self.kind,
            "actor": self.actor,
            "text": self.text,
            "data": self.data,
            "link": self.link,
            "hash": self.hash,
        }

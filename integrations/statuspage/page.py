"""Opens an incident at Statuspage, adds updates to it, and sets its components.

Statuspage knows no repeat by itself: our thread stands in the incident's metadata, and our update's
words in its updates, so that after a lost answer it can be looked whether it has them.
"""

from typing import Any

from bot.contract import Connection, Published, StatusUpdate
from bot.errors import Rejected, Retryable

from .api import is_id, send


class Statuspage:
    """One page of Atlassian Statuspage."""

    async def publish(
        self, update: StatusUpdate, reference: str, connection: Connection
    ) -> Published:
        """One request: the incident with its update, its status and the components' together."""
        wrong = [name for name in update.components if not is_id(name)]
        if wrong:
            raise Rejected(f"A component of Statuspage is named by its id: {wrong[0][:80]!r} is none.")  # fmt: skip
        incident: dict[str, Any] = {
            "name": update.title,
            "status": update.status,
            "body": update.text,
            "metadata": {"jackline": {"thread": update.thread, "update": update.id}},
            "deliver_notifications": True,
        }
        if update.components:
            incident["components"] = dict(update.components)
            incident["component_ids"] = list(update.components)
        if not reference:
            return _published(await send(connection, "POST", "/incidents", {"incident": incident}))
        path = f"/incidents/{_checked(reference)}"
        return _published(await send(connection, "PATCH", path, {"incident": incident}))

    async def find(
        self, update: StatusUpdate, reference: str, connection: Connection
    ) -> Published | None:
        """By the id of the update in the metadata, which each publishing sets anew."""
        for incident in await _candidates(reference, connection):
            ours = (incident.get("metadata") or {}).get("jackline") or {}
            if ours.get("thread") == update.thread and ours.get("update") == update.id:
                return _published(incident)
        return None

    async def read(self, reference: str, connection: Connection) -> Published | None:
        """The incident as customers see it."""
        found = await send(connection, "GET", f"/incidents/{_checked(reference)}")
        return None if found is None else _published(found)


async def _candidates(reference: str, connection: Connection) -> list[dict[str, Any]]:
    """The incident of the reference; without one the page's newest."""
    if reference:
        found = await send(connection, "GET", f"/incidents/{_checked(reference)}")
        return [found] if isinstance(found, dict) else []
    listed = await send(connection, "GET", "/incidents?limit=50")
    if not isinstance(listed, list):
        raise Retryable("Statuspage's answer is no list of incidents.")
    return [each for each in listed if isinstance(each, dict)]


def _published(incident: Any) -> Published:  # noqa: ANN401 - an answer: it may be anything
    if not isinstance(incident, dict) or not is_id(str(incident.get("id", ""))):
        raise Retryable("Statuspage's answer is no incident.")
    return Published(
        reference=str(incident["id"]),
        url=str(incident.get("shortlink") or "")[:500],
        state=str(incident.get("status") or "")[:100],
    )


def _checked(reference: str) -> str:
    if not is_id(reference):
        raise Rejected(f"{reference[:80]!r} is no incident of Statuspage.")
    return reference

"""The event log: where it lies differs by maker, and so does its order."""

from typing import Any

from bot.contract import Connection
from bot.errors import Rejected

from .api import at, fetch, linked

_PAGES = 40  # of one log: a log without end must not hold an incident up
_WORDS = 300  # characters kept of a message


async def newest(
    connection: Connection, system: dict[str, Any], count: int
) -> list[dict[str, str]] | None:
    """The newest entries of all logs of the system, newest first; None where none is served."""
    services = await _services(connection, system)
    if not services:
        return None
    entries: list[dict[str, Any]] = []
    for service in services:
        entries += await _members(connection, linked(await fetch(connection, service), "Entries"))
    entries.sort(key=lambda entry: str(entry.get("Created") or ""), reverse=True)
    return [
        {
            "at": str(entry.get("Created") or ""),
            "severity": str(entry.get("Severity") or ""),
            "words": str(entry.get("Message") or "")[:_WORDS],
        }
        for entry in entries[:count]
    ]


async def _services(connection: Connection, system: dict[str, Any]) -> list[str]:
    """The links of its logs; those of the BMC that manages it where it has none itself."""
    found = linked(system, "LogServices")
    manager = linked(system, "Links", "ManagedBy", 0)
    if not found and manager:
        found = linked(await fetch(connection, manager), "LogServices")
    return [linked(member) for member in await _members(connection, found)]


async def _members(connection: Connection, link: str) -> list[dict[str, Any]]:
    """All members of a collection, page by page: the newest may be on the last."""
    members: list[dict[str, Any]] = []
    for _ in range(_PAGES):
        if not link:
            return members
        page = await fetch(connection, link)
        listed = at(page, "Members")
        members += [m for m in listed if isinstance(m, dict)] if isinstance(listed, list) else []
        link = str(at(page, "Members@odata.nextLink") or "")
    raise Rejected(f"The event log has more than {_PAGES} pages.", hint="Look with log: 0.")

"""Opsgenie's REST API over the access path."""

from typing import Any

from bot.contract import Connection
from bot.contract.http import Api

_API = Api(
    "Opsgenie",
    hint="Look at api_key of the target, and what it may do.",
    words=lambda body: body["message"],
)


async def post(
    connection: Connection, path: str, body: dict[str, Any], **query: str
) -> dict[str, Any]:
    """A change. Opsgenie knows a repeat by the alias, so a lost answer does no harm."""
    found = await _API.json(
        connection, "POST", path, headers=_login(connection), json=body, params=query
    )
    return found or {}


async def fetch(connection: Connection, path: str, **query: str) -> dict[str, Any] | None:
    """What is there; None where it is not, or not yet."""
    found: dict[str, Any] | None = await _API.json(
        connection, "GET", path, lacking=True, headers=_login(connection), params=query
    )
    return found


def _login(connection: Connection) -> dict[str, str]:
    return {"Authorization": f"GenieKey {connection.settings.get('api_key', '')}"}

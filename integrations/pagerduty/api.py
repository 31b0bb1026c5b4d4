"""PagerDuty's Events API v2 and REST API over the access path."""

from typing import Any

from bot.contract import Connection
from bot.contract.http import Api
from bot.errors import Rejected

REST = "https://api.pagerduty.com"


def _words(body: Any) -> str:  # noqa: ANN401 - any JSON
    found = body.get("error", body)
    return " ".join([str(found["message"]), *map(str, found.get("errors", []))])


_API = Api("PagerDuty", hint="Look at routing_key and api_token of the target.", words=_words)


async def enqueue(connection: Connection, event: dict[str, Any]) -> dict[str, Any]:
    """One event. PagerDuty knows a repeat by its dedup key, so a lost answer does no harm."""
    key = connection.settings.get("routing_key", "")
    if not key:
        raise Rejected("The target has no routing_key: the integration key of a service.")
    body = {"routing_key": key, **event}
    found: dict[str, Any] = await _API.json(connection, "POST", "/v2/enqueue", json=body)
    return found


async def fetch(connection: Connection, path: str, query: dict[str, str]) -> dict[str, Any]:
    """A GET of the REST API; the target must have an api_token."""
    base = connection.settings.get("api_url", REST).rstrip("/")
    headers = {
        "Authorization": f"Token token={connection.settings.get('api_token', '')}",
        "Accept": "application/vnd.pagerduty+json;version=2",
        "Content-Type": "application/json",
    }
    found: dict[str, Any] = await _API.json(
        connection, "GET", f"{base}{path}", params=query, headers=headers
    )
    return found

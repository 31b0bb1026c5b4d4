"""What each member says for itself, and what the cluster's own list says."""

import asyncio
import json
import time
from typing import Any

import httpx

from bot.contract import Connection
from bot.errors import AuthFailed, NotSent, Rejected, Retryable

_PATIENCE = 2.0  # seconds for one member's answer to a question
_FRESH = 30.0  # seconds since a member last heard of the consensus store
_PRIMARY = ("primary", "master", "standby_leader")  # "master" before Patroni 4


def members_of(connection: Connection) -> dict[str, str]:
    """The members and their REST APIs, of the catalog. Raises `Rejected` saying what is wrong."""
    try:
        found = json.loads(connection.settings.get("members", ""))
        return {str(name): str(url).rstrip("/") for name, url in found.items()}
    except (ValueError, AttributeError) as error:
        raise Rejected(
            f"{connection.target}: the setting `members` is not a JSON object of name and URL.",
            hint='Write {"pg1": "http://10.0.0.5:8008"} in the catalog.',
        ) from error


async def view(connection: Connection) -> dict[str, Any]:
    """Every member asked at once. Raises `NotSent` where nobody was reached, by any means."""
    urls = members_of(connection)
    own = await asyncio.gather(*(_get(connection, url + "/patroni") for url in urls.values()))
    said = dict(zip(urls, own, strict=True))
    reached = [name for name, answer in said.items() if answer is not None]
    if not reached:
        raise NotSent(f"No member of {connection.target} answered: {', '.join(urls)}.")
    listed, paused = await _listed(connection, [urls[name] for name in reached])
    members = {name: _member(said[name], listed.get(name, {})) for name in urls}
    leaders = [n for n, row in listed.items() if row.get("role") in ("leader", "standby_leader")]
    return {
        "members": members,
        "primaries": [name for name in reached if members[name]["primary"]],
        "reached": reached,
        "unreached": [name for name in urls if name not in reached],
        "leader": leaders[0] if leaders else "",
        "quorum": bool(listed) and any(members[name]["hears_store"] for name in reached),
        "paused": paused,
    }


async def _get(connection: Connection, url: str) -> dict[str, Any] | None:
    """A member's answer; None where there was none. 503 is an answer: it says what it is."""
    try:
        response = await connection.http.get(url, timeout=_PATIENCE)
        found = response.json()
    except (httpx.HTTPError, ValueError):
        return None
    if response.status_code in (401, 403):
        raise AuthFailed(f"{url} refused the credential.")
    return found if isinstance(found, dict) else None


async def _listed(
    connection: Connection, urls: list[str]
) -> tuple[dict[str, dict[str, Any]], bool]:
    """The cluster's list by the first member that has it, and whether Patroni is paused."""
    for url in urls:
        found = await _get(connection, url + "/cluster")
        if found and isinstance(found.get("members"), list):
            return {row["name"]: row for row in found["members"]}, bool(found.get("pause"))
    return {}, False


def _member(own: dict[str, Any] | None, listed: dict[str, Any]) -> dict[str, Any]:
    """``lag_mb`` behind the last position that the primary reported; None where nobody knows."""
    said = own or {}
    lag = listed.get("lag")
    seen = said.get("dcs_last_seen")
    role, state = str(said.get("role", "")), str(said.get("state", ""))
    return {
        "reached": own is not None,
        "role": role,
        "state": state,
        "primary": role in _PRIMARY and state == "running",
        "replica": role == "replica" and state in ("running", "streaming"),
        "timeline": said.get("timeline"),
        "lag_mb": round(lag / 1_048_576, 3) if isinstance(lag, int | float) else None,
        "hears_store": isinstance(seen, int | float) and time.time() - seen < _FRESH,
    }


async def member(connection: Connection, name: str) -> dict[str, Any]:
    """One member's own word. Raises `Retryable` when it does not answer."""
    found = await _get(connection, url_of(connection, name) + "/patroni")
    if found is None:
        raise Retryable(f"{name} does not answer.")
    return _member(found, {})


def url_of(connection: Connection, name: str) -> str:
    """A member's REST API. Raises `Rejected` naming the members that there are."""
    urls = members_of(connection)
    if name not in urls:
        raise Rejected(f"{connection.target} has no member {name}: it has {', '.join(urls)}.")
    return urls[name]

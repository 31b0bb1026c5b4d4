"""PagerDuty's Events API v2 and REST API over the access path, and what their failures mean."""

from typing import Any

import httpx

from bot.contract import Connection
from bot.errors import AuthFailed, NotSent, Rejected, Retryable, TargetError, Unknown

REST = "https://api.pagerduty.com"
_NEVER_LEFT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)


async def enqueue(connection: Connection, event: dict[str, Any]) -> dict[str, Any]:
    """One event. PagerDuty knows a repeat by its dedup key, so a lost answer does no harm."""
    key = connection.settings.get("routing_key", "")
    if not key:
        raise Rejected("The target has no routing_key: the integration key of a service.")
    body = {"routing_key": key, **event}
    return await _send(connection, "POST", "/v2/enqueue", json=body)


async def fetch(connection: Connection, path: str, query: dict[str, str]) -> dict[str, Any]:
    """A GET of the REST API; the target must have an api_token."""
    base = connection.settings.get("api_url", REST).rstrip("/")
    headers = {
        "Authorization": f"Token token={connection.settings.get('api_token', '')}",
        "Accept": "application/vnd.pagerduty+json;version=2",
        "Content-Type": "application/json",
    }
    return await _send(connection, "GET", f"{base}{path}", params=query, headers=headers)


async def _send(
    connection: Connection,
    method: str,
    url: str,
    **more: Any,  # noqa: ANN401 - httpx's own arguments
) -> dict[str, Any]:
    try:
        answer = await connection.http.request(method, url, **more)
    except _NEVER_LEFT as error:
        raise NotSent(f"PagerDuty was not reached: {error}.") from error
    except httpx.RequestError as error:
        said = f"PagerDuty did not answer: {type(error).__name__}."
        raise (Retryable if method == "GET" else Unknown)(said) from error
    if not answer.is_success:
        raise _refusal(answer, read=method == "GET")
    try:
        body: dict[str, Any] = answer.json()
    except ValueError as error:
        said = "PagerDuty's answer is no JSON: a proxy may have answered instead."
        raise (Retryable if method == "GET" else Unknown)(said) from error
    return body


def _refusal(answer: httpx.Response, *, read: bool) -> TargetError:
    said = f"PagerDuty answered {answer.status_code}: {_words(answer)}"
    if answer.status_code in {401, 403}:
        return AuthFailed(said, hint="Look at routing_key and api_token of the target.")
    if answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
        pause = answer.headers.get("Retry-After", "")
        return Retryable(said, retry_after=float(pause) if pause.isdigit() else None)
    if answer.is_server_error:
        busy = read or answer.status_code == httpx.codes.SERVICE_UNAVAILABLE
        return Retryable(said) if busy else Unknown(said)
    return Rejected(said)


def _words(answer: httpx.Response) -> str:
    try:
        found = answer.json()
        found = found.get("error", found)
        return " ".join([str(found["message"]), *map(str, found.get("errors", []))])[:300]
    except (ValueError, KeyError, TypeError, AttributeError):
        return " ".join(answer.text[:200].split())

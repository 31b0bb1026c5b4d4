"""Opsgenie's REST API over the access path, and what its failures mean."""

from typing import Any

import httpx

from bot.contract import Connection
from bot.errors import AuthFailed, NotSent, Rejected, Retryable, TargetError, Unknown

_NEVER_LEFT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)


async def post(
    connection: Connection, path: str, body: dict[str, Any], **query: str
) -> dict[str, Any]:
    """A change. Opsgenie knows a repeat by the alias, so a lost answer does no harm."""
    found = await _send(connection, "POST", path, json=body, params=query)
    return found or {}


async def fetch(connection: Connection, path: str, **query: str) -> dict[str, Any] | None:
    """What is there; None where it is not, or not yet."""
    return await _send(connection, "GET", path, params=query)


async def _send(
    connection: Connection,
    method: str,
    path: str,
    **more: Any,  # noqa: ANN401 - httpx's own arguments
) -> dict[str, Any] | None:
    headers = {"Authorization": f"GenieKey {connection.settings.get('api_key', '')}"}
    read = method == "GET"
    try:
        answer = await connection.http.request(method, path, headers=headers, **more)
    except _NEVER_LEFT as error:
        raise NotSent(f"Opsgenie was not reached: {error}.") from error
    except httpx.RequestError as error:
        said = f"Opsgenie did not answer: {type(error).__name__}."
        raise (Retryable if read else Unknown)(said) from error
    if read and answer.status_code == httpx.codes.NOT_FOUND:
        return None
    if not answer.is_success:
        raise _refusal(answer, read=read)
    try:
        body: dict[str, Any] = answer.json()
    except ValueError as error:
        said = "Opsgenie's answer is no JSON: a proxy may have answered instead."
        raise (Retryable if read else Unknown)(said) from error
    return body


def _refusal(answer: httpx.Response, *, read: bool) -> TargetError:
    said = f"Opsgenie answered {answer.status_code}: {_words(answer)}"
    if answer.status_code in {401, 403}:
        return AuthFailed(said, hint="Look at api_key of the target, and what it may do.")
    if answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
        pause = answer.headers.get("Retry-After", "")
        return Retryable(said, retry_after=float(pause) if pause.isdigit() else None)
    if answer.is_server_error:
        busy = read or answer.status_code == httpx.codes.SERVICE_UNAVAILABLE
        return Retryable(said) if busy else Unknown(said)
    return Rejected(said)


def _words(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["message"])[:300]
    except (ValueError, KeyError, TypeError):
        return " ".join(answer.text[:200].split())

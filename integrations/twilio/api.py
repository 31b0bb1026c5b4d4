"""Twilio's HTTP API over the access path, and what its failures mean."""

import re
from typing import Any

import httpx

from bot.contract import Connection
from bot.errors import AuthFailed, NotSent, Rejected, Retryable, TargetError, Unknown

_NEVER_LEFT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
_SID = re.compile(r"AC[0-9a-fA-F]{32}")


async def create(connection: Connection, what: str, form: dict[str, str]) -> dict[str, Any]:
    """Makes a ``Messages`` or ``Calls`` entry."""
    return await _send(connection, "POST", f"{what}.json", data=form)


async def fetch(connection: Connection, what: str, sid: str) -> dict[str, Any]:
    """One entry as it is now."""
    return await _send(connection, "GET", f"{what}/{sid}.json")


async def listed(connection: Connection, what: str, **query: str) -> list[dict[str, Any]]:
    """The newest entries that match, at most a hundred."""
    answer = await _send(connection, "GET", f"{what}.json", params={**query, "PageSize": "100"})
    found: list[dict[str, Any]] = answer[what.lower()]
    return found


async def _send(
    connection: Connection,
    method: str,
    path: str,
    **more: Any,  # noqa: ANN401 - httpx's own arguments
) -> dict[str, Any]:
    settings = connection.settings
    account = settings.get("account_sid", "")
    if not _SID.fullmatch(account):
        raise Rejected("account_sid of the target must be AC and 32 hex digits.")
    login = (settings.get("api_key") or account, settings.get("auth_token", ""))
    url = f"/2010-04-01/Accounts/{account}/{path}"
    read = method == "GET"
    try:
        answer = await connection.http.request(method, url, auth=login, **more)
    except _NEVER_LEFT as error:
        raise NotSent(f"Twilio was not reached: {error}.") from error
    except httpx.RequestError as error:
        said = f"Twilio did not answer: {type(error).__name__}."
        raise (Retryable(said) if read else Unknown(said)) from error
    if not answer.is_success:
        raise _refusal(answer, read=read)
    try:
        body: dict[str, Any] = answer.json()
    except ValueError as error:
        said = "Twilio's answer is no JSON: a proxy may have answered instead."
        raise (Retryable(said) if read else Unknown(said)) from error
    return body


def _refusal(answer: httpx.Response, *, read: bool) -> TargetError:
    said = f"Twilio answered {answer.status_code}: {_words(answer)}"
    if answer.status_code in {401, 403}:
        return AuthFailed(said, hint="Look at account_sid, api_key and auth_token of the target.")
    if answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
        pause = answer.headers.get("Retry-After", "")
        return Retryable(said, retry_after=float(pause) if pause.isdigit() else None)
    if answer.is_server_error:
        busy = read or answer.status_code == httpx.codes.SERVICE_UNAVAILABLE
        return Retryable(said) if busy else Unknown(said)
    return Rejected(said)


def _words(answer: httpx.Response) -> str:
    try:
        problem = answer.json()
        return f"{problem['message']} (code {problem['code']})"
    except (ValueError, KeyError, TypeError):
        return " ".join(answer.text[:200].split())

"""The API server over the access path, and what its failures mean."""

from collections.abc import Sequence
from typing import Any

import httpx

from bot.contract import Connection
from bot.errors import AuthFailed, NotSent, Rejected, Retryable, TargetError, Unknown

_NEVER_LEFT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
_ASK_AGAIN = frozenset({429, 503})
_CHANGED = frozenset({409, 422})
_BROKEN = 500
_SHOWN = 300  # characters of the server's words


async def get(connection: Connection, path: str, **query: str) -> dict[str, Any]:
    """One object, or a list of them."""
    answer = await _send(connection, "GET", path, read=True, params=query)
    try:
        found = answer.json()
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise Rejected(f"{path} gave no JSON object.", hint="Is this a Kubernetes API server?")
    return found


async def patch(connection: Connection, path: str, operations: Sequence[dict[str, Any]]) -> None:
    """A JSON patch: all of it, or, where one of its tests fails, nothing."""
    headers = {"Content-Type": "application/json-patch+json"}
    await _send(connection, "PATCH", path, headers=headers, json=list(operations))


async def _send(
    connection: Connection,
    method: str,
    path: str,
    *,
    read: bool = False,
    **more: Any,  # noqa: ANN401 - httpx's own arguments
) -> httpx.Response:
    try:
        answer = await connection.http.request(method, path, **more)
    except _NEVER_LEFT as error:
        raise NotSent(f"The API server was not reached: {error}") from error
    except httpx.RequestError as error:
        said = f"The API server did not answer: {type(error).__name__}."
        raise (Retryable(said) if read else Unknown(said)) from error
    if answer.is_success:
        return answer
    raise _refusal(answer, read=read)


def _refusal(answer: httpx.Response, *, read: bool) -> TargetError:
    """A failure inside the server tells of a change neither that it happened nor that it did not."""
    code = answer.status_code
    said = f"The API server answered {code}: {_words(answer)}"
    if code in {401, 403}:
        return AuthFailed(said, hint="Look at the token of the target, and at what it may do.")
    if code in _ASK_AGAIN:
        wait = answer.headers.get("retry-after", "")
        return Retryable(said, retry_after=float(wait) if wait.isdecimal() else None)
    if code >= _BROKEN:
        return Retryable(said) if read else Unknown(said)
    hint = "If it was changed meanwhile, plan again." if code in _CHANGED and not read else ""
    return Rejected(said, hint=hint)


def _words(answer: httpx.Response) -> str:
    """The message of a Status object, with its causes."""
    try:
        status = answer.json()
        causes = (status.get("details") or {}).get("causes") or []
        said = [status["message"], *(c.get("message", "") for c in causes)]
    except (ValueError, KeyError, TypeError, AttributeError):
        said = [answer.text.strip()]
    return "; ".join(str(s) for s in said if s)[:_SHOWN]

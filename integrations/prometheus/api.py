"""Prometheus' HTTP API over the access path, and what its failures mean."""

from collections.abc import Mapping
from typing import Any

import httpx

from bot.contract import Connection
from bot.errors import AuthFailed, NotSent, Rejected, Retryable, TargetError

_NEVER_LEFT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
_BUSY = frozenset({429, 502, 503, 504})


async def ask(connection: Connection, path: str, form: Mapping[str, str]) -> Any:  # noqa: ANN401 - the API's own data
    """The ``data`` of an answer. Asking again does no harm, so what is lost may be retried."""
    try:
        answer = await connection.http.post(path, data=dict(form))
    except _NEVER_LEFT as error:
        raise NotSent(f"Prometheus was not reached: {error}") from error
    except httpx.RequestError as error:
        raise Retryable(f"Prometheus did not answer: {type(error).__name__}.") from error
    if answer.status_code in {401, 403}:
        raise AuthFailed(f"Prometheus refused the credential: HTTP {answer.status_code}.")
    body = _json(answer)
    if body.get("status") == "success":
        return body.get("data")
    raise _refusal(answer, str(body.get("error", answer.text[:200])))


def _refusal(answer: httpx.Response, said: str) -> TargetError:
    if answer.status_code in _BUSY:
        return Retryable(f"Prometheus cannot answer now: {said}")
    return Rejected(
        f"Prometheus refused the query: {said}", hint="Try the query in its own web page first."
    )


def _json(answer: httpx.Response) -> dict[str, Any]:
    try:
        body = answer.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}

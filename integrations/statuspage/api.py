"""Statuspage's REST API over the access path, and what its failures mean."""

import re
from typing import Any

import httpx

from bot.contract import Connection
from bot.errors import AuthFailed, NotSent, Rejected, Retryable, TargetError, Unknown

_NEVER_LEFT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
_BUSY = {420, 429}  # a token has one request a second
_ID = re.compile(r"[A-Za-z0-9]{1,40}")


async def send(
    connection: Connection, method: str, path: str, body: dict[str, Any] | None = None
) -> Any:  # noqa: ANN401 - the vendor's own data
    """The answer's JSON; None where a GET finds nothing."""
    page, token = (connection.settings.get(name, "") for name in ("page_id", "api_key"))
    if not _ID.fullmatch(page):
        raise Rejected("page_id of the target must be the page's id, such as kctbh9vrtdwd.")
    read = method == "GET"
    try:
        answer = await connection.http.request(
            method, f"/v1/pages/{page}{path}", headers={"Authorization": f"OAuth {token}"},
            json=body,
        )  # fmt: skip
    except _NEVER_LEFT as error:
        raise NotSent(f"Statuspage was not reached: {error}.") from error
    except httpx.RequestError as error:
        said = f"Statuspage did not answer: {type(error).__name__}."
        raise (Retryable if read else Unknown)(said) from error
    if read and answer.status_code == httpx.codes.NOT_FOUND:
        return None
    if not answer.is_success:
        raise _refusal(answer, read=read)
    try:
        return answer.json()
    except ValueError as error:
        said = "Statuspage's answer is no JSON: a proxy may have answered instead."
        raise (Retryable if read else Unknown)(said) from error


def is_id(reference: str) -> bool:
    """Whether Statuspage may have called something so."""
    return _ID.fullmatch(reference) is not None


def _refusal(answer: httpx.Response, *, read: bool) -> TargetError:
    said = f"Statuspage answered {answer.status_code}: {_words(answer)}"
    if answer.status_code in {401, 403}:
        return AuthFailed(said, hint="Look at api_key of the target, and its role on the page.")
    if answer.status_code in _BUSY:
        pause = answer.headers.get("Retry-After", "")
        return Retryable(said, retry_after=float(pause) if pause.isdigit() else 2.0)
    if answer.is_server_error:
        return Retryable(said) if read else Unknown(said)
    return Rejected(said)


def _words(answer: httpx.Response) -> str:
    try:
        found = answer.json()["error"]
        return "; ".join(map(str, found)) if isinstance(found, list) else str(found)[:300]
    except (ValueError, KeyError, TypeError):
        return " ".join(answer.text[:200].split())

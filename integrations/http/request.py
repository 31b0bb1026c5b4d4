"""One HTTP request over the access path, and what its failure means."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

import httpx
from pydantic import JsonValue

from bot.contract import Connection
from bot.errors import AuthFailed, NotSent, Rejected, Retryable, TargetError, Unknown

MAX_BYTES = 1_048_576
_NEVER_LEFT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
_GATEWAY = frozenset({502, 504})


@dataclass(frozen=True)
class Answer:
    """What came back, and after how long."""

    status: int
    headers: Mapping[str, str]
    text: str
    ms: float


async def send(
    connection: Connection, method: str, path: str, body: JsonValue = None, *, read: bool = False
) -> Answer:
    """Sends once, never follows a redirect. ``read`` says that sending again would do no harm."""
    began = time.perf_counter()
    try:
        request = connection.http.build_request(method, path, json=body)
        response = await connection.http.send(request, stream=True, follow_redirects=False)
        try:
            text = await _text(response)
        finally:
            await response.aclose()
    except httpx.RequestError as error:
        raise _lost(error, method, path, read=read) from error
    ms = (time.perf_counter() - began) * 1000
    return Answer(response.status_code, response.headers, text, round(ms, 3))


async def _text(response: httpx.Response) -> str:
    data = b""
    async for part in response.aiter_bytes():
        data += part
        if len(data) >= MAX_BYTES:
            break
    return data[:MAX_BYTES].decode(response.charset_encoding or "utf-8", "replace")


def _lost(error: httpx.RequestError, method: str, path: str, *, read: bool) -> TargetError:
    said = f"{method} {path}: {type(error).__name__} {error}".rstrip()
    if isinstance(error, _NEVER_LEFT):
        return NotSent(said)
    return Retryable(said) if read else Unknown(said)


def refusal(answer: Answer, method: str, path: str, *, read: bool = False) -> TargetError:
    """The error for a status nobody expected. A gateway that gave up says nothing of the effect."""
    said = f"{method} {path} answered {answer.status}: {answer.text[:200].strip()}".rstrip(": ")
    if answer.status in {401, 403}:
        return AuthFailed(said)
    if answer.status in {429, 503} or (read and answer.status in _GATEWAY):
        wait = answer.headers.get("retry-after", "")
        return Retryable(said, retry_after=float(wait) if wait.isdecimal() else None)
    return Unknown(said) if answer.status in _GATEWAY else Rejected(said)

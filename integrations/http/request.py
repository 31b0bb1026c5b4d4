"""One HTTP request over the access path, and what its failure means."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

import httpx
from pydantic import JsonValue

from bot.contract import Connection
from bot.contract.http import Api
from bot.errors import TargetError

MAX_BYTES = 1_048_576


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
    with _api(method, path).reaching(once=not read):
        request = connection.http.build_request(method, path, json=body)
        response = await connection.http.send(request, stream=True, follow_redirects=False)
        try:
            text = await _text(response)
        finally:
            await response.aclose()
    ms = (time.perf_counter() - began) * 1000
    return Answer(response.status_code, response.headers, text, round(ms, 3))


async def _text(response: httpx.Response) -> str:
    data = b""
    async for part in response.aiter_bytes():
        data += part
        if len(data) >= MAX_BYTES:
            break
    return data[:MAX_BYTES].decode(response.charset_encoding or "utf-8", "replace")


def refusal(answer: Answer, method: str, path: str, *, read: bool = False) -> TargetError:
    """The error for a status nobody expected. A gateway that gave up says nothing of the effect."""
    return _api(method, path).judged(
        answer.status, answer.headers, answer.text[:200], once=not read
    )


def _api(method: str, path: str) -> Api:
    return Api(f"{method} {path}", broken={502, 504})

"""Small questions over HTTP for readiness checks and proofs: standard library, synchronous."""

import http.client
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Reply:
    status: int
    body: str

    def json(self) -> Any:
        return json.loads(self.body)


def ask(
    method: str,
    url: str,
    *,
    data: Any = None,
    headers: dict[str, str] | None = None,
    timeout: float = 5.0,
) -> Reply:
    """One request. Any status is an answer; raises OSError only when nobody answers."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=timeout)
    target = parts.path or "/"
    if parts.query:
        target += "?" + parts.query
    body = None if data is None else json.dumps(data)
    sent = {"Content-Type": "application/json"} if body else {}
    try:
        connection.request(method, target, body, {**sent, **(headers or {})})
        answer = connection.getresponse()
        return Reply(answer.status, answer.read().decode(errors="replace"))
    except http.client.HTTPException as error:
        raise ConnectionError(f"{method} {url}: {error!r}") from error
    finally:
        connection.close()


def answers(url: str, status: int = 200) -> bool:
    """Whether a GET gives this status: a readiness check."""
    try:
        return ask("GET", url, timeout=1).status == status
    except OSError:
        return False

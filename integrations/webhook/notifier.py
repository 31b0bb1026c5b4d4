"""Posts a notice as JSON, with a signature over time and body and an id to know repeats by."""
# ruff: noqa: ARG002 - the contract gives every verb the same arguments, and not all are needed

import hashlib
import hmac
import json
import re
import time

import httpx

from bot.contract import Connection, Notice, Receipt
from bot.errors import AuthFailed, NotSent, Rejected, Retryable, Unknown

_PATH = re.compile(r"/(?!/)[A-Za-z0-9._~/%-]{0,190}")
_NEVER_LEFT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)


class Webhook:
    """A receiver that takes JSON."""

    async def notify(self, notice: Notice, to: str, connection: Connection) -> Receipt:
        """Any 2xx is the receiver's word that it has it."""
        if not _PATH.fullmatch(to) or ".." in to:
            raise Rejected(f"`to` must be a path such as /hooks/jackline: {to[:80]!r} is none.")
        body = json.dumps(notice.model_dump(mode="json"), ensure_ascii=False).encode()
        headers = {"Content-Type": "application/json", "Idempotency-Key": notice.id}
        if secret := connection.settings.get("secret"):
            headers["X-Jackline-Signature"] = signature(secret, int(time.time()), body)
        try:
            answer = await connection.http.post(to, content=body, headers=headers)
        except _NEVER_LEFT as error:
            raise NotSent(f"{connection.target} was not reached: {error}.") from error
        except httpx.RequestError as error:
            said = f"{connection.target} did not answer: {type(error).__name__}."
            raise Unknown(said) from error
        _judge(connection.target, answer)
        return Receipt(confirmed=True, reference=notice.id, detail=f"HTTP {answer.status_code}")

    async def find(self, notice: Notice, to: str, connection: Connection) -> Receipt | None:
        """The receiver knows a repeat by the Idempotency-Key."""
        return None

    async def confirm(self, receipt: Receipt, connection: Connection) -> bool | None:
        """Its answer was all it has to say."""
        return receipt.confirmed


def signature(secret: str, at: int, body: bytes) -> str:
    """``t=<unix seconds>,v1=<hex HMAC-SHA256 of "t.body">``."""
    signed = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={signed}"


def _judge(target: str, answer: httpx.Response) -> None:
    """Raises what an answer other than 2xx means."""
    if answer.is_success:
        return
    said = f"{target} answered {answer.status_code}: {' '.join(answer.text[:200].split())}"
    if answer.status_code in {401, 403}:
        raise AuthFailed(said, hint="Look at `headers` and `secret` of the target.")
    if answer.status_code in {408, 425, 429, 503}:
        pause = answer.headers.get("Retry-After", "")
        raise Retryable(said, retry_after=float(pause) if pause.isdigit() else None)
    if answer.is_server_error:
        raise Unknown(said)
    raise Rejected(said)

"""Posts a notice as JSON, with a signature over time and body and an id to know repeats by."""
# ruff: noqa: ARG002 - the contract gives every verb the same arguments, and not all are needed

import hashlib
import hmac
import json
import re
import time

from bot.contract import Connection, Notice, Receipt
from bot.contract.http import Api
from bot.errors import Rejected

_PATH = re.compile(r"/(?!/)[A-Za-z0-9._~/%-]{0,190}")
_HINT = "Look at `headers` and `secret` of the target."
_BUSY = frozenset({408, 425, 429, 503})


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
        api = Api(connection.target, hint=_HINT, busy=_BUSY)
        answer = await api.call(connection, "POST", to, content=body, headers=headers)
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

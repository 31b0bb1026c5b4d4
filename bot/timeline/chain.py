"""The hash chain's arithmetic. Pure: no database, no clock."""

import hashlib
import hmac
from datetime import UTC, datetime
from typing import Any

import rfc8785

GENESIS = "0" * 64


def row_hash(
    incident_id: int,
    seq: int,
    at: datetime,
    kind: str,
    actor: str,
    text: str,
    data: dict[str, Any],
    link: str,
    previous: str,
) -> str:
    """SHA-256 over the row's canonical JSON (RFC 8785) and the row before it."""
    body: dict[str, Any] = {
        "incident": incident_id,
        "seq": seq,
        "at": at.astimezone(UTC).isoformat(timespec="microseconds"),
        "kind": kind,
        "actor": actor,
        "text": text,
        "data": data,
        "link": link,
        "previous": previous,
    }
    return hashlib.sha256(rfc8785.dumps(body)).hexdigest()


def seal(key: bytes, incident_id: int, seq: int, last_hash: str) -> str:
    """What only the holder of the key can write: that the chain ends here."""
    return hmac.new(key, f"{incident_id}|{seq}|{last_hash}".encode(), "sha256").hexdigest()

"""Checkly's webhook: the body as its template (README) makes it of Checkly's documented variables.

Values are those of the table in Checkly's documentation; ``x-checkly-signature`` is the hexadecimal
HMAC-SHA256 of the body.
"""

import hashlib
import hmac

from bot.contract import RawRequest

SETTINGS = {
    "auth": "hmac_sha256:x-checkly-signature",
    "fingerprint": "check_id",
    "firing": "alert_type == 'ALERT_FAILURE' || alert_type == 'ALERT_DEGRADED'",
    "name": "check_name",
    "starts_at": "started_at",
    "severity": "(alert_type == 'ALERT_FAILURE' && 'high') || 'warning'",
    "service": "group",
    "summary": "title",
    "description": "error",
    "link": "link",
    "labels": "{check_type: check_type, region: region}",
}
FIRING = (
    b'{\n  "alert_type": "ALERT_FAILURE",\n  "title": "Check \\"Payment API\\" has failed",\n'
    b'  "check_id": "9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d",\n'
    b'  "check_name": "Payment API Health Check",\n  "check_type": "API",\n'
    b'  "group": "payments",\n  "region": "us-east-1",\n'
    b'  "error": "Connection timeout after 5000ms",\n'
    b'  "started_at": "2026-11-23T21:19:58.632Z",\n'
    b'  "link": "https://app.checklyhq.com/checks/9b1deb4d/results/api/123"\n}'
)
RESOLVED = (
    FIRING.replace(b"ALERT_FAILURE", b"ALERT_RECOVERY")
    .replace(b"has failed", b"has recovered")
    .replace(b"21:19:58", b"21:24:58")
)


def sent(body: bytes, secret: str) -> RawRequest:
    made = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return RawRequest({"x-checkly-signature": made}, body)

"""Airbrake's webhook: what an error becomes, and that one that is back is heard."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.contract import Alert, RawRequest
from bot.errors import BadInput
from integrations.airbrake.source import AirbrakeSource
from tests.integrations.sources import airbrake as sample

SOURCE = AirbrakeSource()


def parse(body: bytes) -> list[Alert]:
    return SOURCE.parse(RawRequest({}, body))


def one(body: bytes) -> Alert:
    (alert,) = parse(body)
    return alert


def changed(**fields: Any) -> bytes:
    """The documented body with fields of its error replaced."""
    payload = json.loads(sample.DOCUMENTED)
    payload["error"].update(fields)
    return json.dumps(payload).encode()


def test_an_error_that_was_recorded() -> None:
    """Newer than the documentation: its id is a text."""
    alert = one(sample.FIRING)
    assert (alert.fingerprint, alert.name) == ("1705190192091077626", "ZeroDivisionError")
    assert alert.starts_at == datetime(2016, 6, 10, 17, 7, 10, 760000, tzinfo=UTC)
    assert alert.summary == "Error message from logger"
    assert alert.annotations["description"] == "file.py:2, seen 1 times"
    assert alert.link == "https://zulip.airbrake.io/projects/125209/groups/1705190192091077626"


def test_an_error_as_documented() -> None:
    alert = one(sample.DOCUMENTED)
    assert alert.fingerprint == "37463546"
    assert alert.labels == {
        "service": "Baconator", "project_id": "1111", "environment": "avocado",
    }  # fmt: skip
    assert (
        "at http://airbrake.io:445/bacon/cook, seen 118 times" in alert.annotations["description"]
    )


@pytest.mark.parametrize(
    ("sent", "severity"),
    [
        ("warning", "warning"), ("critical", "critical"), ("emergency", "emergency"),
        ("alert", "critical"), ("notice", "info"), ("debug", "info"), ("invalid", None),
    ],
)  # fmt: skip
def test_severities(sent: str, severity: str | None) -> None:
    assert one(changed(severity=sent)).labels.get("severity") == severity


def test_an_error_that_is_back_is_no_repeat() -> None:
    back = one(changed(last_occurred_at="2012-04-01T00:00:00Z"))
    assert back.fingerprint == one(sample.DOCUMENTED).fingerprint
    assert back.starts_at > one(sample.DOCUMENTED).starts_at


@pytest.mark.parametrize("body", [b"{}", b'{"deploy": {"id": 1}}', b'{"error": null}'])
def test_what_is_of_no_error_is_no_alert(body: bytes) -> None:
    assert parse(body) == []


@pytest.mark.parametrize(
    ("field", "to"), [("id", None), ("last_occurred_at", None), ("last_occurred_at", "soon")]
)
def test_what_identity_needs_is_named_when_it_is_wrong(field: str, to: Any) -> None:
    with pytest.raises(BadInput) as caught:
        parse(changed(**{field: to}))
    assert caught.value.field == f"error.{field}"

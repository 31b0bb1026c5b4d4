"""BugSnag's webhook: which triggers fire, which resolve, and that an error that is back is heard."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.contract import Alert, RawRequest
from bot.errors import BadInput
from integrations.bugsnag.source import BugsnagSource
from tests.integrations.sources import bugsnag as sample

SOURCE = BugsnagSource()
AT = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)


def parse(body: bytes) -> list[Alert]:
    return SOURCE.parse(RawRequest({}, body, received_at=AT))


def one(body: bytes) -> Alert:
    (alert,) = parse(body)
    return alert


def changed(section: str, body: bytes = sample.FIRING, **fields: Any) -> bytes:
    """The body with fields of a section replaced; `...` takes one away."""
    payload = json.loads(body)
    payload[section] = {
        key: value for key, value in (payload[section] | fields).items() if value is not ...
    }
    return json.dumps(payload).encode()


def test_an_error_as_documented() -> None:
    alert = one(sample.FIRING)
    assert (alert.fingerprint, alert.name) == ("error:56b9ca7f17025f8756f69054", "NoMethodError")
    assert alert.starts_at == datetime(2015, 11, 27, 15, 26, 11, tzinfo=UTC)
    assert alert.labels == {
        "severity": "error", "service": "my-test-project", "project": "My Test Project",
        "trigger": "exception", "environment": "development", "version": "0.1.0",
        "context": "auth/session#create",
    }  # fmt: skip
    assert alert.summary == "NoMethodError in auth/session#create"
    assert alert.annotations["description"] == "Unable to connect to database."
    assert "/errors/56b9ca7f17025f8756f69054?event_id=" in alert.link


@pytest.mark.parametrize(
    "kind", ["firstException", "exception", "powerTen", "errorEventFrequency", "reopened"]
)
def test_what_fires(kind: str) -> None:
    assert one(changed("trigger", type=kind)).status == "firing"


@pytest.mark.parametrize(
    ("change", "statuses"),
    [
        ("fixed", ["resolved"]),
        ("reopened", ["firing"]),
        ("unignored", ["firing"]),
        ("snoozeCancelled", ["firing"]),
        ("snoozed", []),
        ("ignored", []),
        ("", []),
    ],
)
def test_what_a_person_changed(change: str, statuses: list[str]) -> None:
    """Snoozed and ignored say that nobody wants to hear of it, not that it is over."""
    body = changed("trigger", sample.RESOLVED, stateChange=change)
    assert [alert.status for alert in parse(body)] == statuses


@pytest.mark.parametrize(
    "kind", ["release", "comment", "projectSamplingStarted", "projectApproachingRateLimit", "new"]
)
def test_other_triggers_are_no_alert(kind: str) -> None:
    assert parse(json.dumps({"trigger": {"type": kind}}).encode()) == []


def test_an_error_that_is_back_is_no_repeat() -> None:
    """`firstReceived` stays for ever, so each event starts at its own time."""
    back = changed("error", receivedAt="2015-11-29T08:00:00.000Z")
    assert one(back).fingerprint == one(sample.FIRING).fingerprint
    assert one(back).starts_at > one(sample.FIRING).starts_at


def test_a_spike_is_the_projects_not_the_errors() -> None:
    """In the documented payload both have one id."""
    alert = one(sample.SPIKE)
    assert alert.fingerprint == "spike:56b9ca7f17025f8756f69054"
    assert alert.summary == "Spike of errors in My Test Project: 5000 events"
    assert alert.starts_at == datetime(2015, 11, 27, 15, 26, 11, tzinfo=UTC)
    assert alert.link == "https://app.bugsnag.com/my-company/my-test-project"


def test_a_spike_without_an_event_starts_when_it_came() -> None:
    """No other time is in it then."""
    payload = json.loads(sample.SPIKE)
    del payload["error"]
    assert one(json.dumps(payload).encode()).starts_at == AT


def test_the_newer_place_of_stage_and_version() -> None:
    body = changed(
        "error", releaseStage=..., appVersion=..., app={"releaseStage": "prod", "version": "7"}
    )
    labels = one(body).labels
    assert (labels["environment"], labels["version"]) == ("prod", "7")


@pytest.mark.parametrize(
    ("section", "field", "to"),
    [("error", "errorId", ...), ("error", "receivedAt", "soon"), ("trigger", "type", None)],
)
def test_what_identity_needs_is_named_when_it_is_wrong(section: str, field: str, to: Any) -> None:
    with pytest.raises(BadInput) as caught:
        parse(changed(section, **{field: to}))
    assert caught.value.field == f"{section}.{field}"

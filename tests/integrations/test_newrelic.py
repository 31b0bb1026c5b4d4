"""New Relic's webhook: the states of an issue, its priorities, and what is no news."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.contract import Alert, RawRequest
from bot.errors import BadInput
from integrations.newrelic.source import NewRelicSource
from tests.integrations.bodies import with_fields
from tests.integrations.sources.newrelic import FIRING, RESOLVED

SOURCE = NewRelicSource()
# An acknowledgement, recorded and published by others: a boolean is a text here.
ACKNOWLEDGED = rb"""{
    "id": "13bbcdca-f0b6-470d-b0be-b34583c58869",
    "issueUrl": "https://radar-api.service.newrelic.com/accounts/4420147/issues/13bbcdca-f0b6-470d-b0be-b34583c58869?notifier=WEBHOOK",
    "title": "PIETER-UBUNTU query result is > 1.0 for 5 minutes on 'Storage on Host Exceeded Threshold'",
    "priority": "HIGH",
    "impactedEntities": ["PIETER-UBUNTU"],
    "totalIncidents": 1,
    "state": "ACTIVATED",
    "trigger": "USER_ACTION",
    "isCorrelated": "false",
    "createdAt": 1713769949493,
    "updatedAt": 1713770077412,
    "sources": ["newrelic"],
    "alertPolicyNames": ["Golden Signals"],
    "alertConditionNames": ["Storage on Host Exceeded Threshold"],
    "workflowName": "issue workflow"
}"""


def parse(body: bytes) -> list[Alert]:
    return SOURCE.parse(RawRequest({}, body))


def changed(body: bytes = FIRING, /, **fields: Any) -> bytes:
    return with_fields(body, **fields)


def test_the_recorded_issue() -> None:
    (alert,) = parse(FIRING)

    assert (alert.source, alert.status) == ("newrelic", "firing")
    assert alert.fingerprint == "c5faa7e6-7b54-402d-af79-f99601e0278c"
    assert alert.name == "Zulip Server Low Storage"
    assert alert.summary.startswith("zulip_app query result is > 1.0")
    assert alert.starts_at == datetime(2024, 4, 22, 3, 5, 31, 352000, tzinfo=UTC)
    assert alert.labels == {
        "severity": "critical",
        "service": "zulip_app",
        "condition": "Zulip Server Low Storage",
        "policy": "Golden Signals",
        "workflow": "testWorkflow",
        "priority": "CRITICAL",
    }

    (closed,) = parse(RESOLVED)
    assert closed.starts_at == alert.starts_at
    assert closed.ends_at == datetime(2024, 4, 22, 7, 24, 17, 383000, tzinfo=UTC)


def test_an_acknowledgement_is_no_news() -> None:
    """It has the identity that the issue had before, so it is not stored again."""
    (acknowledged,) = parse(ACKNOWLEDGED)
    (before,) = parse(changed(ACKNOWLEDGED, trigger="STATE_CHANGE", updatedAt=1713769949493))
    assert acknowledged == before
    assert acknowledged.labels["severity"] == "warning"


def test_a_changed_priority_is_news() -> None:
    """Or the incident would never hear that a warning has become critical."""
    (before,) = parse(changed(priority="HIGH"))
    (raised,) = parse(changed(trigger="PRIORITY_CHANGED", updatedAt=1713769999000))
    assert raised.fingerprint == before.fingerprint
    assert raised.starts_at > before.starts_at
    assert (before.labels["severity"], raised.labels["severity"]) == ("warning", "critical")


@pytest.mark.parametrize(
    ("state", "statuses"),
    [
        ("CREATED", ["firing"]),
        ("ACTIVATED", ["firing"]),
        ("DEACTIVATED", []),
        ("CLOSED", ["resolved"]),
    ],
)
def test_each_state_of_an_issue(state: str, statuses: list[str]) -> None:
    assert [alert.status for alert in parse(changed(state=state))] == statuses


def test_of_several_entities_none_is_the_service() -> None:
    (alert,) = parse(changed(impactedEntities=["a", "b"]))
    assert "service" not in alert.labels
    assert alert.annotations["entities"] == "a, b"


def test_what_is_optional_may_be_missing_or_null() -> None:
    """Templates are edited, and New Relic leaves null where it has nothing."""
    needed = {"id", "state", "createdAt"}
    for empty in (..., None):
        fields: dict[str, Any] = {k: empty for k in json.loads(FIRING) if k not in needed}
        (alert,) = parse(changed(**fields))
        assert (alert.name, alert.labels, alert.link) == ("unnamed alert", {}, "")
        assert parse(changed(RESOLVED, **(fields | {"state": "CLOSED"})))[0].ends_at


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"{}", "id"),
        (changed(id=""), "id"),
        (changed(state=...), "state"),
        (changed(state="RESOLVED"), "state"),
        (changed(createdAt=...), "createdAt"),
        (changed(createdAt="1713755131352"), "createdAt"),
        (changed(createdAt=2**70), "createdAt"),
        (changed(updatedAt=-(2**70)), "updatedAt"),
        (changed(alertConditionNames=[1]), "alertConditionNames[0]"),
    ],
)
def test_a_bad_field_is_named_by_its_path(body: bytes, field: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse(body)
    assert caught.value.field == field

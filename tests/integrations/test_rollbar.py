"""Rollbar's webhooks: an item's course from firing to resolved, and what is news of it."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.contract import Alert, RawRequest
from bot.errors import AuthFailed, BadInput
from integrations.rollbar.source import RollbarSource
from tests.integrations.sources import rollbar as sample

SOURCE = RollbarSource()


def parse(body: bytes) -> list[Alert]:
    return SOURCE.parse(RawRequest({}, body))


def one(body: bytes) -> Alert:
    (alert,) = parse(body)
    return alert


def changed(body: bytes, **fields: Any) -> bytes:
    """The body with fields of its item replaced; ``event_name`` is the event's."""
    payload = json.loads(body)
    payload["event_name"] = fields.pop("event_name", payload["event_name"])
    payload["data"]["item"].update(fields)
    return json.dumps(payload).encode()


def test_the_projects_token_in_the_body_proves_nothing() -> None:
    """Rollbar puts it into every occurrence, and browsers hold it too."""
    with pytest.raises(AuthFailed, match="Rollbar"):
        SOURCE.authenticate(RawRequest({}, sample.FIRING), ["00000000000000000000000000000000"])


def test_an_item_that_is_back() -> None:
    alert = one(sample.FIRING)
    assert (alert.fingerprint, alert.name, alert.status) == ("495300143", "All set.", "firing")
    assert alert.starts_at == datetime(2018, 1, 9, 3, 55, 13, tzinfo=UTC)
    assert alert.labels == {
        "severity": "error", "event": "reactivated_item", "environment": "production",
        "project_id": "162774", "item": "3", "language": "python 3.6.3", "host": "DESKTOP-6LMFI2P",
    }  # fmt: skip
    uuid = "6775efce-be1f-42c9-8a9c-0e7e5e238193"
    assert alert.link == f"https://rollbar.com/item/uuid/?uuid={uuid}"


def test_a_high_rate_is_news_of_an_active_item() -> None:
    """It comes without an occurrence; the item may have grown graver since it began."""
    alert = one(sample.VELOCITY)
    assert alert.fingerprint == one(sample.FIRING).fingerprint
    assert alert.starts_at > one(sample.FIRING).starts_at
    assert alert.labels["severity"] == "critical"
    assert alert.annotations["description"] == "10 times in 5 minutes, seen 12 times"
    assert alert.link == "https://rollbar.com/item/495300143/"


def test_each_time_it_is_resolved_and_reopened_is_told_apart() -> None:
    """Else the intake would take the second time for a repeat of the first."""
    resolved, reopened = one(sample.RESOLVED), one(sample.REOPENED)
    again = one(changed(sample.REOPENED, event_name="resolved_item"))
    assert (resolved.status, reopened.status, again.status) == ("resolved", "firing", "resolved")
    assert again.starts_at != resolved.starts_at


def test_single_occurrences_are_repeats() -> None:
    """A rule for every occurrence makes one alert of an item, not thousands."""
    first = changed(sample.FIRING, event_name="occurrence")
    later = changed(first, last_occurrence_timestamp=1515479999)
    assert one(first) == one(later)


@pytest.mark.parametrize("event", ["deploy", "new_version", "anything"])
def test_other_events_are_no_alert(event: str) -> None:
    assert parse(json.dumps({"event_name": event, "data": {"deploy": {}}}).encode()) == []


def test_rollbars_test_is_no_alert() -> None:
    assert parse(sample.TEST) == []


@pytest.mark.parametrize(
    ("field", "to"),
    [("id", None), ("last_activated_timestamp", "soon"), ("last_occurrence_timestamp", None)],
)
def test_what_identity_needs_is_named_when_it_is_wrong(field: str, to: Any) -> None:
    with pytest.raises(BadInput) as caught:
        parse(changed(sample.FIRING, **{field: to}))
    assert caught.value.field == f"data.item.{field}"

"""Pingdom's webhook: both kinds of check, its test message, and a secret in the URL."""

import json
from datetime import UTC, datetime
from functools import partial

import pytest

from bot.contract import Alert, RawRequest
from bot.errors import AuthFailed, BadInput
from integrations.pingdom.source import PingdomSource
from tests.integrations.bodies import with_fields
from tests.integrations.sources.pingdom import FIRING, RESOLVED

SOURCE = PingdomSource()
# The recovery of another type of check, recorded and published by others: no importance, no URL.
IMAP = rb"""{
  "check_id": 2051859,
  "check_name": "IMAP check",
  "check_type": "IMAP",
  "check_params": {
    "basic_auth": false, "encryption": true, "hostname": "imap.someurl.com", "ipv6": false, "port": 993
  },
  "tags": [],
  "previous_state": "DOWN",
  "current_state": "UP",
  "state_changed_timestamp": 1458070380,
  "state_changed_utc_time": "2016-03-15T19:33:00",
  "long_description": "OK",
  "description": "OK",
  "first_probe": {"ip": "69.64.56.47", "ipv6": "", "location": "St. Louis, MO"},
  "second_probe": {}
}"""
changed = partial(with_fields, FIRING)


def parse(body: bytes) -> list[Alert]:
    return SOURCE.parse(RawRequest({}, body))


def test_the_recorded_pair() -> None:
    (down,) = parse(FIRING)

    assert (down.source, down.status, down.name) == ("pingdom", "firing", "Alerta API on OpenShift")
    assert down.fingerprint == "uptime-803318"
    assert down.starts_at == datetime(2017, 6, 30, 22, 25, 43, tzinfo=UTC)
    assert down.summary == "HTTP Error 503"
    assert down.link == "https://my.pingdom.com/app/reports/uptime#check=803318"
    assert down.annotations["probes"] == "Strasbourg 5, France; Stockholm 2, Sweden"
    assert down.labels == {
        "severity": "high",
        "check_id": "803318",
        "check_type": "http",
        "hostname": "api.alerta.io",
        "url": "http://api.alerta.io/",
    }

    (up,) = parse(RESOLVED)
    assert up.ends_at == datetime(2017, 6, 30, 22, 30, 43, tzinfo=UTC)


def test_another_type_of_check_has_other_fields() -> None:
    (up,) = parse(IMAP)
    assert (up.status, up.name) == ("resolved", "IMAP check")
    assert "severity" not in up.labels
    assert "url" not in up.labels


@pytest.mark.parametrize(
    ("state", "status"), [("FAILING", "firing"), ("SUCCESS", "resolved"), ("failing", "firing")]
)
def test_a_transaction_check_is_another_than_an_uptime_check(state: str, status: str) -> None:
    """The two kinds are numbered apart, so the same number is not the same alert."""
    (alert,) = parse(changed(current_state=state, check_type="TRANSACTION"))
    assert (alert.status, alert.fingerprint) == (status, "transaction-803318")
    assert alert.link == "https://my.pingdom.com/"


@pytest.mark.parametrize("state", ["", "PAUSED", "UNKNOWN", "UNCONFIRMED_DOWN"])
def test_a_state_that_is_neither_is_no_alert(state: str) -> None:
    assert parse(changed(current_state=state)) == []


def test_pingdoms_test_message_arrives() -> None:
    """Its probes are empty objects; whoever presses the button wants to see it."""
    (alert,) = parse(changed(first_probe={}, second_probe={}, description="test"))
    assert (alert.status, alert.summary) == ("firing", "test")
    assert "probes" not in alert.annotations


def test_tags_are_labels_and_never_stand_for_what_pingdom_says() -> None:
    (alert,) = parse(changed(tags=["production", "severity", "service:checkout"]))
    assert alert.labels["production"] == "true"
    assert alert.labels["service"] == "checkout"
    assert alert.labels["severity"] == "high"


def test_what_is_optional_may_be_missing() -> None:
    needed = {"check_id", "current_state", "state_changed_timestamp"}
    (alert,) = parse(changed(**{k: ... for k in json.loads(FIRING) if k not in needed}))
    assert (alert.name, alert.labels) == ("unnamed alert", {"check_id": "803318"})


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"", "$"),
        (changed(check_id=...), "check_id"),
        (changed(check_id="803318"), "check_id"),
        (changed(current_state=None), "current_state"),
        (changed(state_changed_timestamp=...), "state_changed_timestamp"),
        (changed(state_changed_timestamp=2**70), "state_changed_timestamp"),
        (changed(tags=[1]), "tags[0]"),
        (changed(first_probe={"location": 1}), "first_probe.location"),
    ],
)
def test_a_bad_field_is_named_by_its_path(body: bytes, field: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse(body)
    assert caught.value.field == field


def test_the_secret_in_the_url() -> None:
    """As basic's password, which the sender makes of user and password, or as the token."""
    basic = {"authorization": "Basic amFja2xpbmU6czNjcmV0"}  # jackline:s3cret
    SOURCE.authenticate(RawRequest(basic, FIRING), ["older", "s3cret"])
    SOURCE.authenticate(RawRequest({}, FIRING, {"token": "s3cret"}), ["older", "s3cret"])
    for query in ({}, {"token": ""}, {"token": "other"}, {"key": "s3cret"}):
        with pytest.raises(AuthFailed):
            SOURCE.authenticate(RawRequest({}, FIRING, query), ["older", "s3cret"])

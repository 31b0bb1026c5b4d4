"""Grafana's webhook: the documentation's example, signatures with and without their time."""

import hashlib
import hmac
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from bot.contract import Alert, RawRequest
from bot.errors import AuthFailed, BadInput
from integrations.grafana.source import GrafanaSource
from tests.integrations.bodies import with_value
from tests.integrations.sources.grafana import AT, FIRING, RESOLVED, sent

SOURCE = GrafanaSource()
# The example of Grafana's documentation, without its `message`.
DOCUMENTED = rb"""{
  "receiver": "My Super Webhook", "status": "firing", "orgId": 1,
  "alerts": [
    {
      "status": "firing",
      "labels": {"alertname": "High memory usage", "team": "blue", "zone": "us-1"},
      "annotations": {
        "description": "The system has high memory usage",
        "runbook_url": "https://myrunbook.com/runbook/1234",
        "summary": "This alert was triggered for zone us-1"
      },
      "startsAt": "2021-10-12T09:51:03.157076+02:00",
      "endsAt": "0001-01-01T00:00:00Z",
      "generatorURL": "https://play.grafana.org/alerting/1afz29v7z/edit",
      "fingerprint": "c6eadffa33fcdf37",
      "silenceURL": "https://play.grafana.org/alerting/silence/new?alertmanager=grafana",
      "dashboardURL": "", "panelURL": "",
      "values": {"B": 44.23943737541908, "C": 1}
    }
  ],
  "groupLabels": {}, "commonLabels": {"team": "blue"}, "commonAnnotations": {},
  "externalURL": "https://play.grafana.org/", "version": "1", "groupKey": "{}:{}",
  "truncatedAlerts": 0, "title": "[FIRING:1]  (blue)", "state": "alerting"
}"""
changed = partial(with_value, FIRING)


def parse(body: bytes) -> list[Alert]:
    return SOURCE.parse(RawRequest({}, body))


def made(secret: str, body: bytes) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def test_the_recorded_payload() -> None:
    """Identity, times and links of a request that a Grafana really sent."""
    (alert,) = parse(FIRING)

    assert (alert.source, alert.status, alert.name) == ("grafana", "firing", "Memory (copy)")
    assert alert.fingerprint == "e6349a25f5ef0e9e"
    assert alert.starts_at == datetime(2024, 3, 1, 2, 9, tzinfo=UTC)
    assert alert.ends_at is None
    assert alert.summary == "High memory usage"
    assert alert.link.endswith("/view?orgId=1")
    assert alert.annotations["panel"].endswith("orgId=1&viewPanel=2")
    assert alert.annotations["values"].startswith("[ var='A'")

    (resolved,) = parse(RESOLVED)
    assert resolved.starts_at == alert.starts_at
    assert resolved.ends_at == datetime(2024, 3, 1, 2, 19, tzinfo=UTC)


def test_the_documentations_example() -> None:
    """An older shape: no `valueString`, empty panels."""
    (alert,) = parse(DOCUMENTED)
    assert alert.starts_at == datetime(2021, 10, 12, 7, 51, 3, 157076, tzinfo=UTC)
    assert alert.summary == "This alert was triggered for zone us-1"
    assert set(alert.annotations) == {"description", "runbook_url", "summary", "silence"}


def test_a_rule_without_data_is_told_from_another() -> None:
    """All of them are `DatasourceNoData`, so the name has the rule's."""
    labels = {"alertname": "DatasourceNoData", "rulename": "Memory", "ref_id": "A"}
    (alert,) = parse(changed("alerts", 0, "labels", to=labels))
    assert alert.name == "DatasourceNoData: Memory"
    assert alert.labels["alertname"] == "DatasourceNoData"


def test_without_a_rules_page_the_link_is_the_panel_or_grafana() -> None:
    (alert,) = parse(changed("alerts", 0, "generatorURL", to=""))
    assert alert.link.endswith("viewPanel=2")
    payload = json.loads(changed("alerts", 0, "generatorURL", to="?orgId=1"))
    assert parse(json.dumps(payload).encode())[0].link == ""


def test_annotations_may_be_null() -> None:
    (alert,) = parse(changed("alerts", 0, "annotations", to=None))
    assert alert.summary == "Memory (copy)"


def test_alertmanagers_payload_is_sent_elsewhere() -> None:
    """The two look alike: the answer says where the other one belongs."""
    with pytest.raises(BadInput, match="kind alertmanager") as caught:
        parse(changed("version", to="4"))
    assert caught.value.field == "version"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"", "$"),
        (changed("version", to=...), "version"),
        (changed("alerts", to=...), "alerts"),
        (changed("alerts", 0, "status", to="pending"), "alerts[0].status"),
        (changed("alerts", 0, "labels", to=...), "alerts[0].labels"),
        (changed("alerts", 0, "labels", "debug", to=1), "alerts[0].labels.debug"),
        (changed("alerts", 0, "startsAt", to="0001-01-01T00:00:00Z"), "alerts[0].startsAt"),
        (changed("alerts", 0, "startsAt", to="2026-11-23T21:19:58"), "alerts[0].startsAt"),
        (changed("alerts", 0, "endsAt", to="9999-12-31T23:59:59-05:00"), "alerts[0].endsAt"),
        (changed("alerts", 0, "fingerprint", to=""), "alerts[0].fingerprint"),
    ],
)
def test_a_bad_field_is_named_by_its_path(body: bytes, field: str) -> None:
    """Whoever configured the sender reads which field is wrong."""
    with pytest.raises(BadInput) as caught:
        parse(body)
    assert caught.value.field == field


@pytest.mark.parametrize("header", ["x-grafana-alerting-signature", "x-grafana-alert-signature"])
def test_a_signature_without_its_time(header: str) -> None:
    """Of the raw body alone, where no timestamp header is configured."""
    good = RawRequest({header: made("s3cret", FIRING)}, FIRING)
    SOURCE.authenticate(good, ["older", "s3cret"])
    for bad in (
        replace(good, body=FIRING + b" "),
        replace(good, headers={header: "sha256=" + good.headers[header]}),
        replace(good, headers={header: made("other", FIRING)}),
    ):
        with pytest.raises(AuthFailed):
            SOURCE.authenticate(bad, ["older", "s3cret"])


@pytest.mark.parametrize(("seconds", "taken"), [(0, True), (300, True), (301, False)])
def test_a_signed_time_must_be_recent(seconds: int, taken: bool) -> None:
    """In both directions: a captured request is soon worth nothing."""
    for arrived in (AT + timedelta(seconds=seconds), AT - timedelta(seconds=seconds)):
        request = replace(sent(FIRING, "s3cret"), received_at=arrived)
        if taken:
            SOURCE.authenticate(request, ["s3cret"])
        else:
            with pytest.raises(AuthFailed, match="clocks"):
                SOURCE.authenticate(request, ["s3cret"])


@pytest.mark.parametrize(
    "at", ["", "now", "-1", "1e9", "1709259600.0", "9" * 400, "\u0661\u0662", " 1709259600"]
)
def test_another_time_than_the_signed_one_is_refused(at: str) -> None:
    """Neither its absence nor another one makes an old signature good."""
    good = sent(FIRING, "s3cret")
    headers = {**good.headers, "x-grafana-alerting-timestamp": at}
    with pytest.raises(AuthFailed):
        SOURCE.authenticate(replace(good, headers=headers), ["s3cret"])


def test_a_time_moved_into_the_body_is_no_alert() -> None:
    """The signature of time and body also fits a body of both: it is no JSON."""
    good = sent(FIRING, "s3cret")
    body = good.headers["x-grafana-alerting-timestamp"].encode() + b":" + FIRING
    headers = {"x-grafana-alerting-signature": good.headers["x-grafana-alerting-signature"]}
    moved = RawRequest(headers, body)
    SOURCE.authenticate(moved, ["s3cret"])
    with pytest.raises(BadInput):
        SOURCE.parse(moved)


def test_bearer_and_basic_for_a_grafana_that_cannot_sign() -> None:
    """But no bearer token makes up for a wrong signature."""
    SOURCE.authenticate(RawRequest({"authorization": "Bearer s3cret"}, FIRING), ["s3cret"])
    basic = "Basic YW55OnMzY3JldA=="  # any:s3cret
    SOURCE.authenticate(RawRequest({"authorization": basic}, FIRING), ["s3cret"])
    both = {"authorization": "Bearer s3cret", "x-grafana-alerting-signature": "00"}
    with pytest.raises(AuthFailed):
        SOURCE.authenticate(RawRequest(both, FIRING), ["s3cret"])

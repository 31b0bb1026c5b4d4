"""Sentry's webhooks: what each resource becomes, and that nothing that fires again is lost."""

from datetime import UTC, datetime
from typing import Any

import pytest

from bot.contract import Alert, RawRequest
from bot.errors import AuthFailed, BadInput
from integrations.sentry.source import SentrySource
from tests.integrations.bodies import with_value
from tests.integrations.sources import sentry as sample

SOURCE = SentrySource()


def parse(body: bytes) -> list[Alert]:
    return SOURCE.parse(RawRequest({}, body))


def one(body: bytes) -> Alert:
    (alert,) = parse(body)
    return alert


def test_the_signature_is_of_the_bytes_as_they_came() -> None:
    """Not of what they mean: one space more is another body."""
    request = sample.sent(sample.FIRING, "client-secret")
    SOURCE.authenticate(request, ["client-secret"])
    with pytest.raises(AuthFailed, match="Sentry"):
        SOURCE.authenticate(RawRequest(request.headers, sample.FIRING + b" "), ["client-secret"])


def test_a_metric_alert() -> None:
    alert = one(sample.FIRING)
    assert (alert.fingerprint, alert.name) == ("metric_alert:4", "Too many errors")
    assert alert.labels["severity"] == "critical"
    assert alert.labels["service"] == "bar"
    assert alert.summary == "Critical: Too many errors"
    assert alert.link == "https://sentry.io/organizations/baz/alerts/1/"
    assert "severity" not in one(sample.RESOLVED).labels


def test_a_warning_that_grows_critical_is_no_repeat() -> None:
    """Sentry sends one start for both; the intake would drop the second."""
    critical = one(sample.FIRING)
    warning = one(with_value(sample.FIRING, "action", to="warning"))
    assert warning.fingerprint == critical.fingerprint
    assert warning.starts_at == datetime(2020, 9, 13, 12, 26, 40, tzinfo=UTC)
    assert warning.starts_at != critical.starts_at
    assert abs(critical.starts_at - warning.starts_at).total_seconds() < 0.001


def test_a_metric_alert_of_two_projects_is_of_no_service() -> None:
    body = with_value(sample.FIRING, "data", "metric_alert", "projects", to=["bar", "foo"])
    assert "service" not in one(body).labels


def test_an_issue_alert() -> None:
    """Its tags become labels; its project is in the event's address."""
    alert = one(sample.EVENT_ALERT)
    assert (alert.status, alert.fingerprint) == ("firing", "issue:1117540176")
    assert alert.name == "ReferenceError: heck is not defined"
    assert alert.labels["service"] == "front-end"
    assert alert.labels["severity"] == "error"
    assert alert.labels["rule"] == "Very Important Alert Rule!"
    assert alert.labels["browser.name"] == "Chrome"
    assert alert.starts_at == datetime(2019, 8, 19, 21, 6, 17, 677000, tzinfo=UTC)
    assert alert.link.startswith("https://sentry.io/organizations/test-org/issues/1117540176/")


def test_a_tag_cannot_stand_in_for_severity_or_service() -> None:
    """Whoever can report an error chooses its tags."""
    tags: list[Any] = [[f"tag{i}", "x"] for i in range(200)]
    tags += [["severity", "critical"], ["service", "payments"], ["odd"], "x", [1, 2]]
    alert = one(with_value(sample.EVENT_ALERT, "data", "event", "tags", to=tags))
    assert (alert.labels["severity"], alert.labels["service"]) == ("error", "front-end")


def test_an_issue_as_documented() -> None:
    alert = one(sample.ISSUE)
    assert (alert.status, alert.fingerprint) == ("firing", "issue:1234567890")
    assert alert.labels["severity"] == "critical"  # Sentry's fatal
    assert alert.labels["service"] == "python"
    assert alert.link == "https://example-org.sentry.io/issues/1234567890/"


def test_an_issue_that_was_recorded_as_it_resolved() -> None:
    """An older Sentry, which sent no link."""
    alert = one(sample.ISSUE_RESOLVED)
    assert (alert.status, alert.fingerprint) == ("resolved", "issue:1638821441")
    assert (alert.link, alert.ends_at) == ("", None)


def test_an_issue_resolves_what_its_alert_fired() -> None:
    fired = one(sample.EVENT_ALERT)
    body = with_value(sample.ISSUE_RESOLVED, "data", "issue", "id", to="1117540176")
    assert one(body).fingerprint == fired.fingerprint


def test_an_issue_that_comes_back_is_no_repeat() -> None:
    """`firstSeen` stays for ever, so the second firing starts with the event that brought it."""
    again = with_value(sample.ISSUE, "action", to="unresolved")
    assert one(again).status == "firing"
    assert one(again).starts_at > one(sample.ISSUE).starts_at


@pytest.mark.parametrize("action", ["assigned", "archived", "ignored", "triggered"])
def test_what_says_neither_firing_nor_resolved_is_no_alert(action: str) -> None:
    """An archived issue is not over, somebody only does not want to hear of it."""
    assert parse(with_value(sample.ISSUE, "action", to=action)) == []


def test_other_resources_are_no_alert() -> None:
    assert parse(b'{"action": "created", "data": {"installation": {"status": "pending"}}}') == []
    assert parse(b'{"action": "created", "data": {"error": {"event_id": "1"}}}') == []
    assert parse(b'{"action": "created", "data": {"comment_id": "1"}}') == []


@pytest.mark.parametrize(
    ("body", "path", "to"),
    [
        (sample.FIRING, ("data", "metric_alert", "id"), None),
        (sample.FIRING, ("data", "metric_alert", "date_started"), "soon"),
        (sample.EVENT_ALERT, ("data", "event", "issue_id"), []),
        (sample.EVENT_ALERT, ("data", "event", "datetime"), None),
        (sample.ISSUE, ("data", "issue", "firstSeen"), "2025-13-01"),
        (sample.ISSUE, ("data",), "x"),
        (sample.ISSUE, ("action",), ""),
    ],
)
def test_what_identity_needs_is_named_when_it_is_wrong(
    body: bytes, path: tuple[str, ...], to: Any
) -> None:
    with pytest.raises(BadInput) as caught:
        parse(with_value(body, *path, to=to))
    assert caught.value.field == ".".join(path)

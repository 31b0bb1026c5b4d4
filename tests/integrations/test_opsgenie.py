"""Opsgenie: its times, priorities, tags and details, and the actions that say nothing."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.alerts.rules import decide
from bot.catalog import Catalog
from bot.chat.outside.paged import thread_of
from bot.contract import Alert, RawRequest
from bot.errors import AuthFailed, BadInput
from bot.paging.tables import Page
from integrations.opsgenie.pager import _alias
from integrations.opsgenie.source import OpsgenieSource
from tests.integrations.sources.opsgenie import FIRING, RESOLVED

SOURCE = OpsgenieSource()
PAGE = Page(id=3, opened_at=datetime(2026, 3, 1, tzinfo=UTC))


def parse(payload: Any, **settings: str) -> list[Alert]:
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return SOURCE.parse(RawRequest({}, body, settings=settings))


def changed(action: str = "Create", **alert: Any) -> Any:
    """The recorded request with some fields of its alert replaced; `...` takes one away."""
    tree = json.loads(FIRING)
    tree["action"] = action
    kept = {key: value for key, value in (tree["alert"] | alert).items() if value is not ...}
    return tree | {"alert": kept}


def test_the_recorded_alert() -> None:
    (alert,) = parse(FIRING)
    assert alert.fingerprint == "7ec331d7-f5f3-4f78-a49c-2ad886df69fe-1593475564295"
    assert alert.name == "asdf"
    assert alert.starts_at == datetime(2020, 6, 30, 0, 6, 4, 295000, tzinfo=UTC)
    assert alert.labels["severity"] == "medium"
    assert alert.labels["team"] == "operations"
    assert "entity" not in alert.labels
    assert alert.link == f"https://app.opsgenie.com/alert/detail/{alert.fingerprint}/details"
    (over,) = parse(RESOLVED)
    assert (over.starts_at, over.status) == (alert.starts_at, "resolved")
    assert over.ends_at == datetime(2020, 6, 30, 1, 6, 4, 636000, tzinfo=UTC)


def test_links_lead_to_the_account_of_the_catalog() -> None:
    (alert,) = parse(changed(alertId="a/b?c"), site="https://acme.app.opsgenie.com/")
    assert alert.link == "https://acme.app.opsgenie.com/alert/detail/a%2Fb%3Fc/details"
    with pytest.raises(BadInput) as caught:
        SOURCE.check({"site": "acme.app.opsgenie.com"})
    assert caught.value.field == "site"


@pytest.mark.parametrize(
    ("priority", "word", "severity"),
    [("P1", "critical", "sev1"), ("P2", "high", "sev2"), ("P3", "medium", "sev3"),
     ("P4", "low", "sev4"), ("P5", "info", "sev4"), (3, "medium", "sev3"), ("2", "high", "sev2"),
     ("P9", None, "sev2"), (None, None, "sev2"), ({}, None, "sev2")],
)  # fmt: skip
def test_the_priority_is_the_severity(priority: Any, word: str | None, severity: str) -> None:
    """Older requests carry a number. Each comes out as a word that the rules know."""
    (alert,) = parse(changed(priority=priority))
    assert alert.labels.get("severity") == word
    assert decide(Catalog(), alert.name, alert.labels, "opsgenie").severity == severity


def test_a_new_priority_is_heard() -> None:
    """With an identity that is not the creation's, or it would be a repeat."""
    (alert,) = parse(changed("UpdatePriority", priority="P1", oldPriority="P3"))
    assert (alert.status, alert.labels["severity"]) == ("firing", "critical")
    assert alert.starts_at == datetime(2020, 6, 30, 0, 6, 4, 636000, tzinfo=UTC)


def test_tags_and_details_are_labels_that_change_nothing_of_opsgenies() -> None:
    """What the sender of an alert writes stands in for nothing that Opsgenie says."""
    tags = ["service:gdpr", "env=prod", "vip", "st:sla:100", "severity:critical", "st:no", 7, " "]
    details = {"severity": "page", "job": "deleter", "env": "eu", "alias": "mine", "n": 3, "o": {}}
    (alert,) = parse(changed(tags=tags, details=details))
    labels = alert.labels
    assert (labels["severity"], labels["alias"]) == ("medium", alert.fingerprint)
    assert (labels["service"], labels["vip"], labels["st"]) == ("gdpr", "true", "sla:100")
    assert (labels["env"], labels["job"], labels["n"]) == ("eu", "deleter", "3")


def test_what_is_deleted_is_over() -> None:
    """Nothing would ever close it."""
    (alert,) = parse(changed("Delete", priority=..., tags=...))
    assert alert.status == "resolved"


@pytest.mark.parametrize(
    "action",
    [
        "Acknowledge",
        "UnAcknowledge",
        "AddNote",
        "AddTags",
        "Snooze",
        "AssignOwnership",
        "TestAction",
    ],
)
def test_other_actions_say_nothing(action: str) -> None:
    assert parse(changed(action)) == []


@pytest.mark.parametrize("action", ["Create", "Close"])
def test_what_we_paged_is_no_alert(action: str) -> None:
    """It would open an incident, which pages, which comes back: for ever. Other aliases are others'."""
    ours = _alias(thread_of(PAGE), "team:payments")
    assert parse(changed(action, alias=ours)) == []
    assert len(parse(changed(action, alias="jackline-is-down"))) == 1


def test_an_escalation_carries_nearly_nothing() -> None:
    """As Opsgenie documents it: no time, no message."""
    assert parse({"action": "Escalate", "alert": {"alertId": "7ba97e3a"}, "repeatCount": 0}) == []


@pytest.mark.parametrize(
    ("payload", "field"),
    [(b"{}", "action"), ({"action": "Create"}, "alert"),
     (changed(alertId=...), "alert.alertId"), (changed(alertId=""), "alert.alertId"),
     (changed(createdAt="noon"), "alert.createdAt"), (changed(createdAt=-5), "alert.createdAt"),
     (changed(createdAt=2**200), "alert.createdAt"),
     (changed("UpdatePriority", updatedAt=None), "alert.updatedAt"),
     (changed("UpdatePriority", updatedAt=True), "alert.updatedAt")],
)  # fmt: skip
def test_a_bad_field_is_named_by_its_path(payload: Any, field: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse(payload)
    assert caught.value.field.startswith(field)


def test_what_is_optional_may_be_anything() -> None:
    (alert,) = parse(changed(message=[1], tags="x", details=[2], description={}, team=None))
    assert alert.name == f"Opsgenie alert {alert.fingerprint}"


def test_the_secret_is_asked_for_in_no_other_place() -> None:
    """Neither the URL nor a header that anybody may set by chance."""
    with pytest.raises(AuthFailed):
        SOURCE.authenticate(
            RawRequest({"x-token": "s3cret"}, FIRING, {"token": "s3cret"}), ["s3cret"]
        )

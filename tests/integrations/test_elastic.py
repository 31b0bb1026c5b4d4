"""Elastic: the template that the README gives, filled as Kibana fills it."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.alerts.rules import decide
from bot.catalog import Catalog
from bot.contract import Alert, RawRequest
from bot.errors import BadInput
from integrations.elastic.source import ElasticSource
from tests.integrations.sources.elastic import FIRING, OVER, RESOLVED, TEMPLATE, VALUES, filled

SOURCE = ElasticSource()


def parse(body: bytes) -> list[Alert]:
    return SOURCE.parse(RawRequest({}, body))


def changed(part: str | None = None, **fields: Any) -> bytes:
    """The filled body with fields of a part of it replaced; `...` takes one away."""
    tree = json.loads(FIRING)
    at = tree[part] if part else tree
    at |= fields
    for key in [key for key, value in fields.items() if value is ...]:
        del at[key]
    return json.dumps(tree).encode()


def test_the_readmes_template_filled() -> None:
    (alert,) = parse(FIRING)
    assert (alert.status, alert.name) == ("firing", "esq")
    assert alert.fingerprint == '["b530fed0-74f5-11ed-9801-35303b735aef","host-2"]'
    assert alert.starts_at == datetime(2023, 4, 27, 22, 40, 34, 153000, tzinfo=UTC)
    assert alert.summary == "rule 'esq' matched query for group host-2"
    assert alert.annotations["description"].startswith('Number of matching documents for group "h')
    assert alert.link == "https://example.com/this-will-link-to-Discover"
    assert (alert.labels["severity"], alert.labels["service"]) == ("error", "checkout")
    assert (alert.labels["env"], alert.labels["vip"]) == ("prod", "true")
    assert alert.labels["action_group"] == "query matched"
    (over,) = parse(RESOLVED)
    assert over.ends_at == datetime(2023, 4, 27, 22, 55, 34, 202000, tzinfo=UTC)


def test_values_cannot_break_out_of_the_template() -> None:
    """A host's name in quotes stays a name: the README insists on double braces."""
    (alert,) = parse(filled(VALUES | {"alert.id": 'x","id":"y', "rule.name": "a\nb\\"}))
    assert alert.labels["alert"] == 'x","id":"y'
    assert alert.name == "a\nb\\"


def test_the_next_time_it_is_the_same_alert() -> None:
    """With a new uuid and time; another group of the rule is another alert."""
    (alert,) = parse(FIRING)
    again = VALUES | {"alert.uuid": "other", "date": "2023-04-28T22:40:34.153Z"}
    other = VALUES | {"alert.id": "host-3"}
    assert parse(filled(again))[0].fingerprint == alert.fingerprint
    assert parse(filled(other))[0].fingerprint != alert.fingerprint


@pytest.mark.parametrize(
    ("group", "status"),
    [("recovered", "resolved"), ("notGeoContained", "resolved"), ("threshold met", "firing"),
     ("metrics.threshold.warning", "firing"), ("slo.burnRate.alert", "firing"), ("", "firing")],
)  # fmt: skip
def test_the_action_group_says_whether_it_fires(group: str, status: str) -> None:
    assert parse(filled(VALUES | {"alert.actionGroup": group}))[0].status == status


@pytest.mark.parametrize(
    ("labels", "name", "severity"),
    [({"severity": "critical"}, "Warning", "sev1"), ({"severity": ""}, "Critical", "sev1"),
     ({}, "Low", "sev4"), ({}, "Query matched", "sev2"), (None, "Warning", "sev3"),
     ("critical", "Medium", "sev3")],
)  # fmt: skip
def test_the_template_or_the_group_says_the_severity(labels: Any, name: str, severity: str) -> None:
    tree = json.loads(filled(VALUES | {"alert.actionGroupName": name})) | {"labels": labels}
    (alert,) = parse(json.dumps(tree).encode())
    assert decide(Catalog(), alert.name, alert.labels, "elastic").severity == severity


def test_tags_stand_in_for_nothing() -> None:
    """Whoever may write a rule's tags does not decide its severity, service or identity."""
    tags = "severity:critical,service:other,alert:x,, env : prod "
    (alert,) = parse(filled(VALUES | {"rule.tags": tags}))
    assert (alert.labels["severity"], alert.labels["service"]) == ("error", "checkout")
    assert (alert.labels["alert"], alert.labels["env"]) == ("host-2", "prod")


def test_the_link_leads_to_the_alert_else_to_the_rule() -> None:
    details = {"context.alertDetailsUrl": "https://kibana.example.com/app/observability/alerts/1"}
    assert parse(filled(VALUES | details))[0].link.endswith("/alerts/1")
    assert "/rule/" in parse(filled(VALUES | {"context.link": ""}))[0].link
    bare = {"context.link": "/app/discover", "rule.url": ""}
    assert parse(filled(VALUES | bare))[0].link == ""


def test_what_the_rule_does_not_say_is_made_up_of_its_name() -> None:
    values = {key: value for key, value in VALUES.items() if not key.startswith("context.")}
    (alert,) = parse(filled(values | OVER | {"context.title": ""}))
    assert alert.summary == "esq: Recovered"


def test_the_connectors_own_test_gives_no_alert() -> None:
    """It sends the template as it stands."""
    assert parse(TEMPLATE.encode()) == []


def test_a_summary_of_alerts_is_refused_with_the_way_out() -> None:
    """It knows the rule and no single alert."""
    values = {key: value for key, value in VALUES.items() if not key.startswith("alert.")}
    with pytest.raises(BadInput, match="For each alert") as caught:
        parse(filled(values))
    assert caught.value.field == "alert.id"


@pytest.mark.parametrize(
    ("body", "field"),
    [(b"{}", "rule"), (changed("rule", id=""), "rule.id"), (changed("rule", id=...), "rule.id"),
     (changed("alert", id=3), "alert.id"), (changed("alert", actionGroup=...), "alert.actionGroup"),
     (changed(date="now"), "date"), (changed(date=...), "date"), (changed(alert=[]), "alert")],
)  # fmt: skip
def test_a_bad_field_is_named_by_its_path(body: bytes, field: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse(body)
    assert caught.value.field == field


def test_what_is_optional_may_be_anything_or_missing() -> None:
    (alert,) = parse(changed("rule", name=[1], tags=None, url={}))
    assert alert.name == "Kibana rule b530fed0-74f5-11ed-9801-35303b735aef"
    assert parse(changed(context=..., labels=...))[0].link.startswith("https://kibana")

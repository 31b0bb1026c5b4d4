"""Datadog's webhook: the README's template, its transitions, priorities and tags."""

import json
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from bot.alerts.rules import decide
from bot.catalog import Catalog
from bot.contract import Alert, RawRequest
from bot.contract.source import tagged
from bot.errors import BadInput
from bot.registry import FOLDER
from integrations.datadog.source import DatadogSource, _Event
from tests.integrations.bodies import with_fields
from tests.integrations.sources.datadog import FIRING, RESOLVED

SOURCE = DatadogSource()
README = Path(FOLDER) / "datadog" / "README.md"
changed = partial(with_fields, FIRING)


def parse(body: bytes) -> list[Alert]:
    return SOURCE.parse(RawRequest({}, body))


def test_the_readmes_template_is_what_is_read() -> None:
    """No key too few, none too many, each of the variable of its name."""
    template = json.loads(README.read_text().partition("```json")[2].partition("```")[0])
    assert template == {key: f"${key.upper()}" for key in template}
    assert list(template) == list(_Event.model_fields)
    assert set(template) == set(json.loads(FIRING)) == set(json.loads(RESOLVED))


def test_the_recorded_values() -> None:
    (alert,) = parse(FIRING)

    assert (alert.source, alert.status) == ("datadog", "firing")
    assert alert.name == "Dock is almost out of memory..."
    assert alert.fingerprint == "3089904566766935419"
    assert alert.starts_at == datetime(2015, 11, 25, 7, 12, 10, tzinfo=UTC)
    assert alert.summary.startswith("system.mem.usable over region:us-west-1")
    assert alert.labels["severity"] == "high"
    assert alert.labels["monitor"] == "true"
    assert alert.labels["security-group"] == "sg-59a3503c"
    assert alert.labels["host"] == "i-3b93aafb"
    assert alert.labels["monitor_id"] == "309811"

    (recovered,) = parse(RESOLVED)
    assert recovered.name == alert.name
    assert recovered.ends_at == datetime(2015, 11, 25, 7, 17, 57, tzinfo=UTC)


@pytest.mark.parametrize(
    ("word", "status"),
    [
        *[(word, "firing") for word in ("Triggered", "Re-Triggered", "No Data", "Re-No Data")],
        *[(word, "firing") for word in ("Warn", "Re-Warn", "Renotify")],
        ("Recovered", "resolved"),
    ],
)
def test_each_documented_transition(word: str, status: str) -> None:
    (alert,) = parse(changed(alert_transition=word))
    assert alert.status == status
    assert alert.labels["transition"] == word


@pytest.mark.parametrize("word", ["", " ", "Null", "null", "$ALERT_TRANSITION"])
def test_an_event_of_no_monitor_is_no_alert(word: str) -> None:
    """Such as of Datadog's incidents, though its date may be anything."""
    assert parse(changed(alert_transition=word, alert_cycle_key="", alert_id="", date="")) == []


@pytest.mark.parametrize(
    ("fields", "severity"),
    [
        ({"alert_priority": "P1"}, "critical"),
        ({"alert_priority": "p5"}, "info"),
        ({"alert_priority": ""}, "error"),
        ({"alert_priority": "$ALERT_PRIORITY", "alert_type": "warning"}, "warning"),
        ({"alert_priority": "", "tags": "severity:critical"}, "critical"),
        ({"alert_priority": "P4", "tags": "severity:critical"}, "low"),
        ({"alert_transition": "Warn", "alert_priority": "P1"}, "warning"),
        ({"alert_transition": "Re-Warn", "alert_priority": "P4"}, "low"),
        ({"alert_transition": "Warn", "alert_priority": "", "tags": "severity:page"}, "warning"),
    ],
)
def test_how_grave_it_is(fields: dict[str, str], severity: str) -> None:
    """The monitor's priority decides, and a mere warning wakes nobody."""
    (alert,) = parse(changed(**fields))
    assert alert.labels["severity"] == severity


def test_every_severity_is_one_that_the_rules_know() -> None:
    """P1 is not the same as P2, nor P3 as P4."""
    found = []
    for priority in ("P1", "P2", "P3", "P4", "P5"):
        (alert,) = parse(changed(alert_priority=priority))
        found.append(decide(Catalog(), alert.name, alert.labels, alert.source).severity)
    assert found == ["sev1", "sev2", "sev3", "sev4", "sev4"]


def test_a_synthetics_test() -> None:
    """Its name and the first step that failed."""
    body = changed(
        event_type="synthetics_alert",
        event_title="[P1] [Triggered on {aws:us-west-2}] [Synthetics] Buy a book",
        synthetics_test_name="Buy a book",
        synthetics_first_failing_step_name="Click on the basket",
    )
    (alert,) = parse(body)
    assert alert.name == "Buy a book"
    assert alert.annotations["failing_step"] == "Click on the basket"
    assert alert.labels["event_type"] == "synthetics_alert"


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("[P1] [Triggered] High tracking", "High tracking"),
        ("[Re-Triggered on {a:b}] [PROD] x", "[PROD] x"),
        ("[No data on {a:b}] x", "x"),
        ("[PROD] [Triggered] x", "[PROD] [Triggered] x"),
        ("", "unnamed alert"),
    ],
)
def test_the_name_is_the_monitors(title: str, name: str) -> None:
    """So that a rule in the catalog matches it firing and resolved."""
    assert parse(changed(event_title=title))[0].name == name


def test_variables_without_a_value_are_empty() -> None:
    """Datadog leaves some as they are."""
    (alert,) = parse(changed(alert_status="$ALERT_STATUS", hostname="$HOSTNAME", tags="$TAGS"))
    assert "$" not in str(alert)
    assert "summary" not in alert.annotations
    assert alert.labels["host"] == "i-3b93aafb"  # of the scope


def test_without_a_cycle_the_monitor_and_its_scope_are_the_identity() -> None:
    """Two groups of one monitor are two alerts."""
    one = parse(changed(alert_cycle_key=""))[0].fingerprint
    other = parse(changed(alert_cycle_key="", alert_scope="host:b"))[0].fingerprint
    assert one != other
    assert one == parse(changed(alert_cycle_key="", alert_transition="Recovered"))[0].fingerprint
    assert parse(changed(alert_cycle_key="", alert_scope=""))[0].fingerprint == "309811"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"alert_id=309811&date=1448435530000", "$"),
        (changed(alert_transition=...), "alert_transition"),
        (changed(alert_transition="Exploded"), "alert_transition"),
        (changed(alert_cycle_key=...), "alert_cycle_key"),
        (changed(alert_cycle_key="", alert_id="$ALERT_ID"), "alert_cycle_key"),
        (changed(date=...), "date"),
        (changed(date="$DATE"), "date"),
        (changed(date="soon"), "date"),
        (changed(tags=["a:b"]), "tags"),
    ],
)
def test_a_bad_field_is_named(body: bytes, field: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse(body)
    assert caught.value.field == field


def test_tags_are_labels() -> None:
    """A value may hold colons; of two with one key the first counts."""
    assert tagged([" url:http://a:1 ", "a:1", "a:2", "bare"]) == {
        "url": "http://a:1", "a": "1", "bare": "true",
    }  # fmt: skip


def test_no_number_of_tags_pushes_out_how_grave_it_is() -> None:
    """A hundred labels are kept: Jackline's own first."""
    body = changed(tags=",".join(f"t{n}:x" for n in range(300)))
    (alert,) = parse(body)
    assert len(alert.labels) == 100
    assert alert.labels["severity"] == "high"

"""From an alert to its severity, service and group: pure."""

import pytest
from pydantic import ValidationError

from bot.alerts.rules import decide, explained
from bot.catalog import Catalog, Rule
from tests.alerts.room import BLOG, SHOP


def catalog(*rules: dict[str, object]) -> Catalog:
    return Catalog(services=[SHOP, BLOG], rules=[Rule.model_validate(r) for r in rules])


@pytest.mark.parametrize(
    ("label", "service", "severity"),
    [
        ("critical", "shop", "sev1"),
        ("CRITICAL", "shop", "sev1"),
        ("page", "", "sev1"),
        ("error", "shop", "sev2"),
        ("warning", "shop", "sev3"),
        ("info", "shop", "sev4"),
        ("", "shop", "sev2"),
        ("whatever", "shop", "sev2"),
        ("sev1", "shop", "sev1"),  # our own words, as people write them
        ("SEV-4", "shop", "sev4"),
        ("P1", "shop", "sev1"),
        ("p3", "shop", "sev3"),
        ("fatal", "shop", "sev1"),
        (" Critical ", "shop", "sev1"),
        ("major", "shop", "sev2"),
        ("warn", "shop", "sev3"),
        ("debug", "shop", "sev4"),
        ("critical", "blog", "sev2"),  # nice to have: one lower, wakes nobody
        ("info", "blog", "sev4"),
    ],
)
def test_severity_from_the_alerts_own_label(label: str, service: str, severity: str) -> None:
    labels = {"severity": label, "service": service}
    assert decide(catalog(), "Down", labels, "alertmanager").severity == severity


def test_the_first_matching_rule_decides() -> None:
    """In the order written; all of a rule's labels must match; the decision says which it was."""
    known = catalog(
        {"match": {"team": "x", "zone": "1"}, "severity": "sev4"},
        {"match": {"team": "x"}, "severity": "sev3", "service": "shop"},
        {"match": {}, "severity": "sev1"},
    )
    first = decide(known, "Down", {"team": "x", "zone": "2"}, "alertmanager")
    assert (first.severity, first.service, first.group) == ("sev3", "shop", "service:shop")
    assert "rule 2" in first.because
    assert decide(known, "Down", {}, "alertmanager").severity == "sev1"


def test_a_rule_that_names_an_unknown_service_leaves_it_to_the_labels() -> None:
    """A typing error in the catalog must not cost the incident."""
    known = catalog({"service": "shopp"})
    assert decide(known, "Down", {"service": "shop"}, "alertmanager").service == "shop"
    assert decide(known, "Down", {}, "alertmanager").service == ""


def test_a_rules_severity_is_not_lowered() -> None:
    """What a person wrote down holds, also for a service that is nice to have."""
    known = catalog({"match": {"service": "blog"}, "severity": "sev1"})
    assert decide(known, "Down", {"service": "blog"}, "alertmanager").severity == "sev1"


def test_a_rule_may_match_the_name_and_the_source() -> None:
    known = catalog({"match": {"alertname": "Watchdog", "source": "alertmanager"}, "declare": "no"})
    assert not decide(known, "Watchdog", {}, "alertmanager").declare
    assert decide(known, "Watchdog", {}, "check").declare


def test_a_rule_may_ask_first() -> None:
    """It is declared in the end, unless people say no."""
    known = catalog({"declare": "ask", "ask_within": "5m"})
    found = decide(known, "Slow", {"service": "shop"}, "alertmanager")
    assert (found.declare, found.asks, found.rule.ask_within) == (True, True, 300)
    assert not decide(catalog({"declare": "no"}), "Slow", {}, "a").asks
    assert not decide(Catalog(), "Slow", {}, "a").asks


def test_without_a_rule_an_incident_is_declared() -> None:
    """Unknown is not ignored: no rule, no service, no label still makes a SEV2."""
    found = decide(Catalog(), "Odd", {}, "alertmanager")
    assert (found.declare, found.severity, found.service) == (True, "sev2", "")
    assert found.group == "alert:alertmanager:Odd"
    assert "declared by default" in found.because


@pytest.mark.parametrize("label", ["service", "app", "job"])
def test_the_service_is_found_by_usual_labels(label: str) -> None:
    """A name that the catalog does not know is no service."""
    assert decide(catalog(), "Down", {label: "shop"}, "a").service == "shop"
    assert decide(catalog(), "Down", {label: "shopp"}, "a").service == ""


@pytest.mark.parametrize(
    "rule",
    [
        {"severity": "sev5"},
        {"severity": "critical"},
        {"declare": "maybe"},
        {"match": {"team": 1}},
        {"matches": {}},
        {"service": "No Such"},
        {"ask_within": "5m"},
        {"declare": "no", "ask_within": "5m"},
        {"declare": "ask", "ask_within": 300},
        {"declare": "ask", "ask_within": "0s"},
        {"visibility": "secret"},
        {"runbook": "No Such"},
        {"people": ["No Such"]},
        {"people": ["@"]},
        {"people": "ana"},
    ],
)
def test_a_rule_with_a_mistake_is_refused_when_it_is_read(rule: dict[str, object]) -> None:
    """Not first when an alert comes."""
    with pytest.raises(ValidationError):
        Rule.model_validate(rule)


@pytest.mark.parametrize(
    ("wanted", "value", "matches"),
    [
        ("Disk*", "DiskFull", True),
        ("*", "anything", True),
        ("Disk*", "MyDisk", False),
        ("disk[1]", "disk[1]", True),
        ("disk[1]", "disk1", False),
        ("Disk?", "Disks", False),
    ],
)
def test_a_star_stands_for_anything(wanted: str, value: str, *, matches: bool) -> None:
    """As in silences, windows and heartbeats, which stand in the same file."""
    known = catalog({"match": {"alertname": wanted, "zone": "1"}, "declare": "no"})
    decision = decide(known, value, {"zone": "1"}, "alertmanager")
    assert decision.declare is not matches
    said = explained(known, value, {"zone": "1"}, "alertmanager")[0]
    assert said.endswith("matches" if matches else f"no: alertname is {value!r}")
    assert decide(known, value, {}, "alertmanager").declare


def test_long_groups_that_differ_at_their_end_are_two() -> None:
    known = catalog({"group": ["query"]})
    groups = {
        decide(known, "Slow", {"query": f"{'x' * 600}{end}"}, "alertmanager").group for end in "ab"
    }
    assert len(groups) == 2
    assert max(map(len, groups)) <= 500

"""Severities, audiences and regulations of the catalog: read whole, or refused with file and line."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.catalog import Catalog, load_catalog
from bot.catalog.severity import DEFAULTS, Night
from tests.catalog.test_load import refused, write

ALL = """
people:
  - {id: ana, name: Ana, groups: [exec], timezone: Asia/Tokyo}
targets:
  - {name: smtp/r, url: "tcp://mail:25"}
notifiers:
  - {id: mail, integration: smtp, target: smtp/r, to: [a@example.com]}
severities:
  - id: sev1
    people: [ana, "@exec"]
    slack_groups: [S0614TZR7]
    updates: {internal: 30m, customers: 1h}
    tell: {executives: 15m}
    acknowledge_within: 5m
    acknowledged_by: commander
    night: {from: "22:30", to: "06:00", timezone: Europe/Berlin}
audiences:
  - {id: executives, channels: [C0123ABC], notifiers: [mail]}
  - {id: customers}
regulations:
  - {id: gdpr, holidays: [2026-12-25], aware: {severity: [sev1]}}
  - {id: dora, timezone: Europe/Berlin, weekend_relief: true}
"""


def test_what_a_severity_asks_for(tmp_path: Path) -> None:
    """What the catalog does not have goes by what ships."""
    catalog = load_catalog(write(tmp_path, ALL))
    rule = catalog.severity("sev1")
    assert rule.updates == {"internal": 1800, "customers": 3600}
    assert (rule.first("executives"), rule.first("customers")) == (900, 3600)
    assert catalog.severity("sev2") is DEFAULTS["sev2"]
    assert DEFAULTS["sev2"].first("customers") is None
    assert [catalog.audience(a) is not None for a in ("executives", "internal")] == [True, False]
    assert catalog.regulation("sec") is None
    assert Catalog().severity("sev4").updates == {}


def test_night_is_on_the_wall_of_who_is_reminded() -> None:
    night = Night.model_validate({"from": "22:00", "to": "07:00", "timezone": "Europe/Berlin"})
    at = datetime(2026, 7, 1, 20, 30, tzinfo=UTC)  # 22:30 in Berlin, 5:30 in Tokyo
    assert night.covers(at)
    assert night.covers(at, "Asia/Tokyo")
    assert not night.covers(at, "America/New_York")
    assert not night.covers(datetime(2026, 7, 1, 5, 0, tzinfo=UTC))  # 7:00: it is over
    day = Night.model_validate({"from": "01:00", "to": "05:00"})
    assert [day.covers(at.replace(hour=h)) for h in (0, 1, 4, 5)] == [False, True, True, False]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("severities:\n  - {id: sev5}", "2: id: Input should be 'sev1', 'sev2', 'sev3' or 'sev4'"),
        ("severities:\n  - {id: sev1}\n  - {id: sev1}", "3: id: severity 'sev1' is defined twice"),
        ("severities:\n  - id: sev1\n    people: [bob]", "3: people: there is no 'bob'"),
        ("severities:\n  - {id: sev1, slack_groups: [oncall]}",
         "2: slack_groups: must match ^(T[A-Z0-9]{2,20}:)?S[A-Z0-9]{2,20}$"),
        ("severities:\n  - id: sev1\n    night: {from: 22:00}",
         '3: night.from: must be a time of day in quotes, such as "22:00"'),
        ("severities:\n  - {id: sev1, night: {form: '22:00'}}",
         "2: night.form: unknown field; did you mean 'from'?"),
        ("severities:\n  - {id: sev1, idle_after: 30}",
         "2: idle_after: must be a duration such as 30s, 5m or 2h"),
        ("audiences:\n  - {id: customers, notifiers: [mail]}", "2: notifiers: there is no 'mail'"),
        ("audiences:\n  - {id: customers, channels: ['#news']}",
         "2: channels: must match ^((E[A-Z0-9]{2,20}:)?T[A-Z0-9]{2,20}:)?[CG][A-Z0-9]{2,20}$"),
        ("severities:\n  - id: sev1\n    tell: {customers: 1h}",
         "3: tell.customers: `audiences` does not say where customers read updates"),
        ("regulations:\n  - {id: gdpr, weekend_relief: true}", "2: weekend_relief: only dora has it"),
        ("regulations:\n  - {id: gdpr, aware: {services: [x]}}",
         "2: aware.services: there is no 'x'"),
        ("people:\n  - {id: ana, name: A, timezone: Europe/Berln}",
         "2: timezone: there is no time zone 'Europe/Berln'; did you mean 'Europe/Berlin'?"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    assert refused(write(tmp_path, text)) == f"all.yaml:{said}"

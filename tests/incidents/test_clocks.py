"""When what is due by law: each rule of each law, over weekends, holidays and changes of the clocks."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.catalog import Regulation
from bot.incidents.clocks import LAWS, STOPPED, Duty, duties, in_order, left

BERLIN = "Europe/Berlin"


@dataclass(frozen=True)
class Said:
    at: datetime
    by: str = "person:ana"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def of(law: str, facts: dict[str, str], **more: Any) -> dict[str, Duty]:
    regulation = Regulation.model_validate({"id": law, **more})
    return {d.id: d for d in duties(regulation, {name: Said(at(t)) for name, t in facts.items()})}


def dues(law: str, facts: dict[str, str], **more: Any) -> dict[str, str]:
    """What is due when, of what runs."""
    return {
        name: f"{duty.at:%Y-%m-%dT%H:%M}"
        for name, duty in of(law, facts, **more).items()
        if duty.at
    }


def test_gdpr() -> None:
    """72 hours, weekend or not."""
    assert dues("gdpr", {"aware": "2026-04-03T17:00"}) == {"authority": "2026-04-06T17:00"}
    assert dues("gdpr", {}) == {}
    assert of("gdpr", {})["authority"].waits == "aware"


def test_nis2() -> None:
    """24 and 72 hours from awareness; a month from the notification, and not from the incident."""
    facts = {"aware": "2026-01-29T10:00"}
    assert dues("nis2", facts) == {"early": "2026-01-30T10:00", "notification": "2026-02-01T10:00"}
    found = of("nis2", facts)["final"]
    assert (found.at, found.waits) == (None, "notification")
    facts["notification"] = "2026-01-31T09:00"
    assert dues("nis2", facts)["final"] == "2026-02-28T09:00"


@pytest.mark.parametrize(
    ("aware", "classified", "due"),
    [
        ("2026-03-02T10:00", "2026-03-02T12:00", "2026-03-02T16:00"),  # 4 h from classification
        ("2026-03-02T10:00", "2026-03-03T08:00", "2026-03-03T10:00"),  # the outer limit governs
        ("2026-03-02T10:00", "2026-03-03T10:00", "2026-03-03T10:00"),  # just within it
        ("2026-03-02T10:00", "2026-03-04T10:00", "2026-03-04T14:00"),  # later: from classification
    ],
)
def test_dora_initial(aware: str, classified: str, due: str) -> None:
    duty = of("dora", {"aware": aware, "classified": classified})["initial"]
    assert duty.at == at(due)
    assert not duty.if_major


def test_dora_before_a_person_has_classified() -> None:
    """The outer limit is shown, and that it may not apply; nothing classifies by itself."""
    duty = of("dora", {"aware": "2026-03-02T10:00"})["initial"]
    assert (duty.at, duty.if_major) == (at("2026-03-03T10:00"), True)
    assert dues("dora", {}) == {}


def test_dora_counts_from_what_was_submitted() -> None:
    """The errors of secondary texts: 72 h are not from detection, and the month is not from the incident."""
    facts = {"aware": "2026-03-02T10:00", "classified": "2026-03-02T12:00"}
    assert "intermediate" not in dues("dora", facts)
    facts["initial"] = "2026-03-02T15:00"
    assert dues("dora", facts)["intermediate"] == "2026-03-05T15:00"
    assert "final" not in dues("dora", facts)

    facts["intermediate"] = "2026-03-10T09:00"  # an updated one: the month begins anew
    assert dues("dora", facts)["final"] == "2026-04-10T09:00"


def test_dora_on_days_that_are_no_working_days() -> None:
    """Noon of the next one: the final report always, the others where the catalog says so."""
    facts = {"aware": "2026-04-03T10:00", "classified": "2026-04-04T07:00"}  # a Saturday
    assert dues("dora", facts, timezone=BERLIN)["initial"] == "2026-04-04T10:00"
    given = {"timezone": BERLIN, "weekend_relief": True, "holidays": ["2026-04-06"]}
    assert dues("dora", facts, **given)["initial"] == "2026-04-07T10:00"  # noon in Berlin
    facts |= {"initial": "2026-04-04T09:00", "intermediate": "2026-04-04T10:00"}
    assert dues("dora", facts, timezone=BERLIN)["intermediate"] == "2026-04-07T09:00"
    assert dues("dora", facts)["final"] == "2026-05-04T10:00"
    facts["intermediate"] = "2026-04-02T10:00"  # a month later is a Saturday
    assert dues("dora", facts, timezone=BERLIN)["final"] == "2026-05-04T10:00"


@pytest.mark.parametrize(
    ("determined", "holidays", "due"),
    [
        ("2026-03-02T15:00", [], "2026-03-06T22:30"),  # a Monday: Friday, 17:30 in New York
        ("2026-03-05T15:00", [], "2026-03-11T21:30"),  # over a weekend, and into summer time
        ("2026-03-07T15:00", [], "2026-03-12T21:30"),  # a Saturday: Monday is the first day
        ("2026-03-03T02:00", [], "2026-03-06T22:30"),  # Monday evening there
        ("2026-07-01T15:00", ["2026-07-03"], "2026-07-08T21:30"),
    ],
)
def test_sec(determined: str, holidays: list[str], due: str) -> None:
    """Four working days of New York after the determination, not after the incident."""
    assert dues("sec", {"determined": determined}, holidays=holidays) == {"filing": due}
    assert dues("sec", {"aware": determined}) == {}


@pytest.mark.parametrize("law", LAWS)
def test_done_and_stopped(law: str) -> None:
    facts = dict.fromkeys([*LAWS[law].facts, *LAWS[law].duties], "2026-03-02T10:00")
    found = of(law, facts)
    assert set(found) == set(LAWS[law].duties)
    assert not any(duty.running for duty in found.values())
    assert of(law, {**facts, STOPPED: "2026-03-02T10:00"}) == {}


def test_what_is_left() -> None:
    now = at("2026-03-02T10:00")
    assert left(now + timedelta(hours=41, minutes=5), now) == "1 d 17 h left"
    assert left(now + timedelta(minutes=61), now) == "1 h 1 min left"
    assert left(now - timedelta(minutes=20), now) == "overdue by 20 min"
    assert left(now + timedelta(seconds=30), now) == "0 min left"


def test_those_that_run_come_first() -> None:
    found = list(of("dora", {"aware": "2026-03-02T10:00", "initial": "2026-03-02T11:00"}).values())
    assert [d.id for d in in_order([*found[::-1]])] == ["intermediate", "initial", "final"]

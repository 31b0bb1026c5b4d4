"""What people are reminded of and when: few times, those it concerns, not at night, not when done."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.catalog import Catalog, Person, Service, SeverityRule
from bot.incidents import Incident
from bot.incidents.due import Deadline, Facts, OpenTask, due, next_due, wishes
from bot.incidents.due_tables import Reminder, Update

AT = datetime(2026, 3, 30, 12, 0, tzinfo=UTC)
M, H, D = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
CATALOG = Catalog(
    services=[Service(id="shop", title="Shop", tier="p0", owner="web")],
    people=[
        Person(id="ana", name="Ana", groups=["web"]), Person(id="ben", name="Ben", groups=["web"]),
        Person(id="cat", name="Cat", groups=["exec"]),
        Person(id="tom", name="Tom", timezone="Asia/Tokyo"),
    ],
    severities=[SeverityRule.model_validate(
        {"id": "sev1", "people": ["@exec"], "updates": {"internal": "30m", "customers": "1h"},
         "tell": {"executives": "20m"}, "acknowledge_within": "5m", "commander_within": "10m",
         "idle_after": "45m", "postmortem_within": "3d"}
    )],
)  # fmt: skip


def facts(**more: Any) -> Facts:
    given = {"id": 1, "title": "t", "severity": "sev1", "origin": "o", "declared_by": "source:am",
             "declared_at": AT, "services": ["shop"]}  # fmt: skip
    own = {k: more.pop(k) for k in list(more) if k in Facts.__dataclass_fields__}
    return Facts(Incident(**(given | more)), **own)


def said(facts: Facts, after: timedelta, *, catalog: Catalog = CATALOG) -> dict[str, list[str]]:
    """What is due so long after the declaration: by what, to whom."""
    return {each.wish.what: each.to for each in due(facts, catalog, AT + after)}


def update(audience: str = "internal", after: timedelta = 0 * M, **more: Any) -> Update:
    given = {"id": 5, "incident_id": 1, "audience": audience, "text": "x", "author": "person:ana",
             "key": "k", "severity": "sev1", "sent_at": AT + after}  # fmt: skip
    return Update(**(given | more))


def test_nobody_is_asked_before_it_is_time() -> None:
    assert said(facts(), 4 * M) == {}
    assert said(facts(), 5 * M) == {"acknowledge": ["ana", "ben"]}


def test_one_at_a_time() -> None:
    """Where nobody is there, nobody is asked for a commander or what goes on."""
    assert set(said(facts(), 2 * H)) == {
        "acknowledge", "update:internal", "update:executives", "update:customers",
    }  # fmt: skip
    there = facts(acted=["ben"], acted_at=AT)
    assert "acknowledge" not in said(there, 2 * H)
    assert said(there, 10 * M) == {"commander": ["ben"]}
    led = facts(acted=["ben"], acted_at=AT, commander="ana", sent={"internal": update(after=2 * H)})
    assert said(led, 46 * M)["idle"] == ["ana"]
    assert "idle" not in said(facts(acted=["ben"], acted_at=AT + 30 * M, commander="ana"), 46 * M)


def test_what_counts_as_acknowledged() -> None:
    rule = CATALOG.severities[0].model_copy(update={"acknowledged_by": "commander"})
    strict = CATALOG.model_copy(update={"severities": [rule]})
    there = facts(acted=["ben"], acted_at=AT)
    assert said(there, 5 * M, catalog=strict) == {"acknowledge": ["ben"]}
    assert "acknowledge" not in said(facts(commander="ben"), 5 * M, catalog=strict)


def test_updates_before_and_after() -> None:
    """Five minutes before, at the time, and twice after: never more, however long it lasts."""
    led = facts(commander="ana", acted=["ana"], acted_at=AT + 90 * D)
    numbers = [
        each.number
        for minutes in range(0, 60 * 24 * 3, 5)
        for each in due(led, CATALOG, AT + minutes * M)
        if each.wish.what == "update:internal"
    ]
    assert sorted(set(numbers)) == [1, 2, 3, 4]
    (first,) = due(led, CATALOG, AT + 25 * M)[:1]
    assert (first.wish.words, first.number) == ("The next update is due at 12:30 UTC.", 1)
    assert first.wish.button == ("Write it", "update_write", "1|internal")


def test_a_time_that_is_near_is_not_announced_before_itself() -> None:
    led = facts(commander="ana", acted=["ana"], acted_at=AT, sent={
        "internal": update(after=10 * M, next_at=AT + 13 * M)})  # fmt: skip
    assert "update:internal" not in said(led, 12 * M)
    assert "update:internal" in said(led, 13 * M)


def test_only_what_was_not_said_yet() -> None:
    row = Reminder(incident_id=1, what="acknowledge", occasion="sev1", sent=1, sent_at=AT + 5 * M)
    assert said(facts(reminders={"acknowledge": row}), 14 * M) == {}
    assert "acknowledge" in said(facts(reminders={"acknowledge": row}), 15 * M)
    assert "acknowledge" in said(facts(reminders={"acknowledge": row}, severity="sev2"), 15 * M)


def test_after_an_outage_only_the_last_one_is_said() -> None:
    """And the last one goes to those whom the severity calls as well."""
    (each,) = [d for d in due(facts(), CATALOG, AT + D) if d.wish.what == "acknowledge"]
    assert (each.number, each.to) == (3, ["ana", "ben", "cat"])


def test_put_off_and_stopped() -> None:
    """One that was put off comes again once; one that was stopped does not, until all is new."""
    row = Reminder(incident_id=1, what="acknowledge", occasion="sev1", sent=3, sent_at=AT + 35 * M,
                   snoozed_until=AT + 50 * M)  # fmt: skip
    held = facts(reminders={"acknowledge": row})
    assert "acknowledge" not in said(held, 49 * M)
    (again,) = [d for d in due(held, CATALOG, AT + 50 * M) if d.wish.what == "acknowledge"]
    assert again.key == "3-20260330T125000"
    row.sent_at = AT + 50 * M
    assert "acknowledge" not in said(held, 60 * M)
    for name in ("update", "*"):
        off = Reminder(incident_id=1, what=name, snoozed_until=AT + 3 * H)
        assert "update:internal" not in said(facts(reminders={name: off}), H)
    stopped = Reminder(incident_id=1, what="acknowledge", occasion="sev1", sent=1, stopped_by="x")
    assert "acknowledge" not in said(facts(reminders={"acknowledge": stopped}), H)
    stopped.occasion = "sev3"
    assert "acknowledge" in said(facts(reminders={"acknowledge": stopped}), H)


def test_night() -> None:
    """It waits for the morning of who is reminded, where the severity says so; the law does not."""
    night = {"from": "20:00", "to": "08:00", "timezone": "UTC"}
    calm = CATALOG.model_copy(update={"severities": [SeverityRule.model_validate(
        {"id": "sev1", "idle_after": "1h", "night": night})]})  # fmt: skip
    led = facts(commander="ana", acted=["ana"], acted_at=AT)
    assert "idle" in said(led, 7 * H, catalog=calm)
    assert said(led, 9 * H, catalog=calm) == {}
    assert "idle" in said(led, 20 * H, catalog=calm)
    tom = facts(commander="tom", acted=["tom"], acted_at=AT)
    assert said(tom, 2 * H, catalog=calm) == {}  # 23:00 in Tokyo
    assert "idle" in said(tom, 13 * H, catalog=calm)
    deadline = Deadline("gdpr:authority", "GDPR", AT + 9 * H, AT)
    law = facts(commander="ana", acted=["ana"], acted_at=AT, deadlines=[deadline])
    assert said(law, 9 * H, catalog=calm) == {"clock:gdpr:authority": ["ana"]}


@pytest.mark.parametrize("status", ["resolved", "closed", "cancelled", "merged"])
def test_what_has_ended_is_left_alone(status: str) -> None:
    """But for its postmortem and its follow-ups."""
    task = OpenTask(1, 7, "Write it up", "ben", AT + D)
    follow = OpenTask(1, 8, "Fix the alert", "ben", AT + D, follow_up=True)
    ended = facts(status=status, resolved_at=AT + H, tasks=[task, follow],
                  merged_into=2 if status == "merged" else None)  # fmt: skip
    found = {w.what for w in wishes(ended, CATALOG)}
    expected = {"follow_up:8"} | ({"postmortem"} if status == "resolved" else set())
    assert found == (set() if status == "merged" else expected)
    assert said(ended, 30 * M) == {}


def test_a_graver_severity_asks_anew() -> None:
    """From when it was raised: nobody is late for what was not asked of them."""
    raised = facts(severity_at=AT + 3 * H)
    assert said(raised, 3 * H + 4 * M) == {}
    assert said(raised, 3 * H + 5 * M) == {"acknowledge": ["ana", "ben"]}
    (each,) = [d for d in due(raised, CATALOG, AT + 3 * H + 15 * M) if d.wish.kind == "update"]
    assert (each.wish.what, each.number) == ("update:executives", 1)
    rule, last = CATALOG.severity("sev1"), update(severity="sev3")
    assert next_due(rule, raised.incident, "internal", last) == AT + 3 * H


def test_tasks_and_the_postmortem() -> None:
    task = OpenTask(1, 7, "Drain eu-1", "ben", AT + H, button=("Done", "task_done", "7"))
    going = facts(commander="ana", acted=["ana"], acted_at=AT, tasks=[task])
    assert said(going, H)["task:7"] == ["ben"]
    over = facts(status="resolved", resolved_at=AT, commander="ana")
    assert said(over, 2 * D) == {"postmortem": ["ana"]}
    assert "2026-04-02 12:00 UTC" in due(over, CATALOG, AT + 2 * D)[0].wish.words


def test_a_promise_is_kept_unless_the_severity_asks_for_more() -> None:
    rule = CATALOG.severity("sev1")
    promised = update(next_at=AT + 2 * H)
    incident = facts().incident
    assert next_due(rule, incident, "internal", promised) == AT + 2 * H
    promised.severity = "sev3"
    assert next_due(rule, incident, "internal", promised) == AT + 30 * M
    assert next_due(rule, incident, "internal", update()) == AT + 30 * M
    assert next_due(rule, incident, "executives", None) == AT + 20 * M
    assert next_due(rule, incident, "executives", update("executives")) is None
    incident.status = "resolved"
    assert next_due(rule, incident, "internal", promised) is None

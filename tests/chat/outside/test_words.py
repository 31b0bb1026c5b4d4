"""What a notice says, whom the record names, and how many go in a minute."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.access.independence import dependent
from bot.catalog import Catalog
from bot.chat.outside.pace import Pace
from bot.chat.outside.words import addressee, notice
from bot.incidents import Incident
from bot.timeline import Entry

AT = datetime(2026, 3, 1, 3, 12, tzinfo=UTC)


def row(seq: int, text: str) -> Entry:
    return Entry(incident_id=7, seq=seq, at=AT + timedelta(minutes=seq), kind="status_changed",
                 actor="jackline", text=text, data={}, link="", previous="", hash="")  # fmt: skip


def incident(**fields: object) -> Incident:
    base = {"id": 7, "title": "Search is slow", "severity": "sev1", "origin": "x",
            "declared_by": "jackline", "declared_at": AT}  # fmt: skip
    return Incident(**base | fields)


def test_the_subject_says_all_on_a_small_screen() -> None:
    made = notice(incident(status="resolved", drill=True), [row(1, "a\nb")], 3, "http://b")
    assert made.subject == "[drill] #7 SEV1 resolved: Search is slow"
    assert made.text == "03:13 UTC a b\nhttp://b/incidents/7"
    assert (made.id, made.at) == ("jackline-3-1772334780", AT + timedelta(minutes=1))
    again = notice(incident(status="closed"), [row(1, "a")], 3, "")
    assert (again.id, again.thread) == (made.id, made.thread)


def test_many_lines_are_the_latest_ones() -> None:
    made = notice(incident(), [row(n, f"line {n} {'x' * 400}") for n in range(50)], 1, "")
    lines = made.text.splitlines()
    assert (lines[0], len(lines)) == ("… 30 earlier", 21)
    assert "line 49" in lines[-1]
    assert all(len(line) <= 300 for line in lines)


def test_of_a_private_incident_a_notice_tells_no_words() -> None:
    """Whoever carries it learns that there is one, and what kind of thing happened."""
    made = notice(incident(private=True), [row(1, "Search is slow")], 3, "http://b")
    assert made.subject == "#7 SEV1 declared: private"
    assert made.text == "03:13 UTC status changed\nhttp://b/incidents/7"


@pytest.mark.parametrize(
    ("to", "shown"),
    [
        ("oncall@example.com", "o…@example.com"),
        ("sms:+4930123456", "sms:…456"),
        ("+4930123456", "…456"),
        ("#incidents", "#incidents"),
        ("/hooks/jackline", "/hooks/jackline"),
    ],
)
def test_the_record_does_not_give_people_away(to: str, shown: str) -> None:
    assert addressee(to) == shown


def test_a_minute_has_so_many() -> None:
    """Counted by what this process began or by what the outbox knows, whichever is more."""
    pace = Pace()
    assert [pace.take("n", 2, AT + timedelta(seconds=s), []) for s in (0, 10, 20)] == [0, 0, 40]
    assert pace.take("other", 2, AT + timedelta(seconds=20), []) == 0
    assert pace.take("n", 2, AT + timedelta(seconds=60), []) == 0
    assert pace.take("n", 2, AT + timedelta(seconds=61), []) == 9
    fresh = Pace()
    sent = [AT - timedelta(seconds=30), AT - timedelta(seconds=5)]
    assert fresh.take("n", 2, AT, sent) == 30
    assert fresh.take("n", 1, AT, sent) == 55


def world(*vias: tuple[str, str, list[str]]) -> Catalog:
    return Catalog.model_validate({
        "paths": [{"name": "direct"}, {"name": "corp", "depends_on": ["dns:corp"]},
                  {"name": "vpn", "depends_on": ["dns:corp", "sso:corp"]},
                  {"name": "oob", "depends_on": ["isp:other"]}],
        "targets": [{"name": t, "url": "tcp://x", "via": v} for _, t, v in vias],
        "notifiers": [{"id": i, "integration": "x", "target": t, "to": ["a"]} for i, t, _ in vias],
    })  # fmt: skip


def test_what_silences_two_at_once() -> None:
    """Only what each of them cannot do without: a second path over something else is enough."""
    assert dependent(world(("a", "x/a", ["corp"]), ("b", "x/b", ["vpn"]))) == [
        "a and b are not independent: both need dns:corp"
    ]
    assert dependent(world(("a", "x/a", ["direct"]), ("b", "x/b", ["direct"]))) == [
        "a and b are not independent: both need the path direct"
    ]
    assert dependent(world(("a", "x/a", ["corp"]), ("b", "x/b", ["oob"]))) == []
    assert dependent(world(("a", "x/a", ["corp", "oob"]), ("b", "x/b", ["vpn"]))) == []
    assert "only one" in dependent(world(("a", "x/a", ["corp"])))[0]
    assert dependent(world(("a", "x/a", ["direct"]), ("b", "x/b", ["corp"]))) == [
        "a and b are not independent: both need dns:corp"  # `direct` does not say that it does not
    ]
    apart = world(("a", "x/a", ["corp"]), ("b", "x/b", ["oob"])).model_dump(exclude_unset=True)
    for more in (
        {"nodes": [{"id": "isp:other", "depends_on": ["power:hall"]},
                   {"id": "dns:corp", "depends_on": ["power:hall"]}]},
        {"targets": [each | {"depends_on": ["power:hall"]} for each in apart["targets"]]},
    ):  # fmt: skip
        assert dependent(Catalog.model_validate(apart | more)) == [
            "a and b are not independent: both need power:hall"
        ]
    assert dependent(Catalog()) == []

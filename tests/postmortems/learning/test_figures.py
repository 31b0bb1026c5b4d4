"""Figures say what they are of, leave out what they must, and hold no mean."""

from datetime import date, timedelta

from bot.incidents import Incident
from bot.incidents.tables import Task
from bot.postmortems import Postmortem
from bot.postmortems.learning import figures
from bot.postmortems.learning.picture import picture
from bot.postmortems.learning.sums import by_pattern, months, spread
from bot.store import Store, now
from bot.timeline import Ledger

LEDGER = Ledger(b"k")


async def past(store: Store, number: int, minutes: int, **more: object) -> None:
    """Began an hour before it was declared by an alert, resolved after so many minutes."""
    at = now() - timedelta(days=number)
    given = {"title": f"T{number}", "severity": "sev2", "status": "resolved", "origin": str(number),
             "declared_by": "source:prometheus", "declared_at": at, **more}  # fmt: skip
    async with store.write() as session:
        made = Incident(**given)
        session.add(made)
        await session.flush()
        data = {"source": "prometheus", "fingerprint": "f", "starts_at": (at - timedelta(minutes=2)).isoformat()}  # fmt: skip
        for kind, when, what in (
            ("incident_declared", at, {}), ("alert_received", at, data),
            ("status_changed", at + timedelta(minutes=minutes), {"to": "monitoring"}),
            ("status_changed", at + timedelta(minutes=minutes), {"to": "resolved"}),
        ):  # fmt: skip
            await LEDGER.append(session, made.number, kind, "jackline", "", data=what, at=when)


def test_a_spread_is_of_what_is_known() -> None:
    """Nearest rank, so each is a value that was; too few have no 90th percentile."""
    made = spread([1, 2, None, 3, 4, 100, -1])
    assert (made.of, made.unknown, made.median, made.p90) == (5, 2, 3, 100)
    assert spread([5, 7]).p90 is None
    assert (spread([None]).median, spread([]).of) == (None, 0)


def test_patterns_by_month() -> None:
    """No month is left out between two; what was before those that are shown is one figure."""
    shown = months(date(2025, 11, 30), date(2026, 2, 1), 3)
    assert shown == ["2025-12", "2026-01", "2026-02"]
    assert months(date(2026, 2, 1), date(2026, 2, 28), 12) == ["2026-02"]
    counted = {
        "2025-10": {"a": 1},
        "2025-11": {"a": 2},
        "2025-12": {"b": 1},
        "2026-02": {"a": 1, "b": 5},
    }
    assert by_pattern(counted, shown) == {"b": (0, [1, 0, 5]), "a": (3, [0, 0, 1])}
    assert by_pattern({}, shown) == {}


async def test_what_is_counted(store: Store) -> None:
    """Drills, private, cancelled and old ones are not; follow-ups by age; patterns by month."""
    for number, minutes in enumerate((10, 20, 30, 40, 500), 1):
        await past(store, number, minutes)
    for number, more in enumerate(
        ({"drill": True}, {"private": True}, {"status": "cancelled"}), 20
    ):
        await past(store, number, 1, **more)
    await past(store, 200, 1)
    async with store.write() as session:
        for number, (days, after, incident) in enumerate(((3, True, 1), (100, True, 2), (5, False, 1), (9, True, 7))):  # fmt: skip
            session.add(Task(
                incident_id=incident, number=number, text=f"do {number}", after=after, origin=f"t{number}",
                created_by="ana", created_at=now() - timedelta(days=days), due_at=now() - timedelta(days=1),
            ))  # fmt: skip
        session.add(Postmortem(incident_id=1, markdown="---\npatterns:\n- {id: retry-storm}\n- loop\n---\n# P", html="", drawn_from=1))  # fmt: skip
        session.add(Postmortem(incident_id=2, markdown="---\n: [\n---\n# P", html="", drawn_from=1))
    async with store.read() as session:
        found = await figures(session)
    assert (found.incidents, found.by_severity) == (5, {"sev2": 5})
    resolve = found.minutes["resolve"]
    assert (resolve.of, resolve.unknown, resolve.median, resolve.p90) == (5, 0, 32, 502)
    assert (found.minutes["acknowledge"].of, found.minutes["acknowledge"].unknown) == (0, 5)
    assert found.detected_by == {"alerts of prometheus": 5}
    assert (found.open_actions, found.late_actions) == (2, 2)
    assert {age: n for age, n in found.actions_by_age.items() if n} == {
        "under a week": 1,
        "longer": 1,
    }
    assert [each.incident for each in found.oldest_actions] == [2, 1]
    assert list(found.patterns_by_month.values())[-1] == {"retry-storm": 1, "loop": 1}
    assert sum(n for week in found.by_week.values() for n in week.values()) == 5
    assert picture(found).startswith(b"\x89PNG")


async def test_nothing_yet(sqlite_store: Store) -> None:
    async with sqlite_store.read() as session:
        found = await figures(session, 30)
    assert (found.incidents, found.minutes["resolve"].median) == (0, None)
    assert picture(found).startswith(b"\x89PNG")

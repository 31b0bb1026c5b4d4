"""What a week's digest is: each incident in one place, what is open, what recurs, nothing private."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import select

from bot.catalog import Catalog
from bot.incidents import Incident, Task
from bot.postmortems import Postmortem
from bot.postmortems.editing.tables import ActionItem
from bot.postmortems.learning import digest
from bot.postmortems.learning.sums import Open, Past
from bot.postmortems.learning.weekly import Due, Weekly, weekly
from bot.postmortems.learning.weeks import Week, week_at
from bot.postmortems.marks import clock
from bot.store import Store, now
from tests.postmortems.learning.test_figures import past

WEEK = Week(date(2026, 11, 16), "Europe/Berlin")
NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
UNKNOWN = clock([])
H, D = timedelta(hours=1), timedelta(days=1)
PASTS = st.builds(
    Past,
    number=st.integers(1, 9),
    severity=st.sampled_from(["sev1", "sev2"]),
    declared_at=st.integers(-2400, 240).map(lambda hours: NOW + hours * H),
    detected_by=st.sampled_from(["a person", "alerts of x"]),
    clock=st.just(UNKNOWN),
    patterns=st.lists(st.sampled_from("abc"), unique=True).map(tuple),
    title=st.text(max_size=5),
    drill=st.booleans(),
    going=st.booleans(),
)


def one(number: int, at: datetime, **more: object) -> Past:
    return Past(number, "sev2", at, "a person", UNKNOWN, **more)  # type: ignore[arg-type]


def told(
    *pasts: Past, papers: list[Due] | None = None, actions: list[Open] | None = None
) -> Weekly:
    titles = {"a": "Pattern A"}
    return weekly(WEEK, NOW, pasts, papers or [], actions or [], titles)


def test_the_week_beside_the_one_before() -> None:
    """Its first moment is in it and its last is not; drills are apart and in no other count."""
    found = told(
        one(1, WEEK.since), one(2, WEEK.until), one(3, WEEK.since - timedelta(seconds=1)),
        one(4, WEEK.since + H, drill=True), one(5, WEEK.before.since - H),
        Past(6, "sev1", WEEK.until - timedelta(seconds=1), "alerts of x", UNKNOWN),
    )  # fmt: skip
    assert (found.this.incidents, found.this.by_severity, found.this.drills) == (
        2, {"sev1": 1, "sev2": 1}, 1,
    )  # fmt: skip
    assert (found.before.incidents, found.before.drills) == (1, 0)
    assert found.detected_by == {"a person": 1, "alerts of x": 1}
    assert {(each.of, each.unknown) for each in found.minutes.values()} == {(0, 2)}
    assert (found.quiet, found.running) == (False, False)


def test_what_recurs() -> None:
    """In two incidents of the ninety days up to the week's end; a drill does not count."""
    found = told(
        one(1, WEEK.until - 90 * D, patterns=("a", "b"), title="Old"),
        one(2, WEEK.since, patterns=("a", "c"), title="New"),
        one(3, WEEK.until - 91 * D, patterns=("c",)),
        one(4, WEEK.since, patterns=("b",), drill=True),
        one(5, WEEK.until, patterns=("c",)),
    )
    (only,) = found.recurring
    assert (only.id, only.title, only.incidents) == ("a", "Pattern A", [(2, "New"), (1, "Old")])


def test_the_longest() -> None:
    """One that goes on is as long as it is now; of what ended at no known time nothing is said."""
    found = told(*(one(n, WEEK.since + n * H, going=n != 2) for n in range(1, 7)))
    assert [each.number for each in found.longest] == [1, 3, 4]
    assert found.longest[0].minutes == (NOW - WEEK.since - H).total_seconds() / 60
    assert found.longest[0].going


def test_postmortems_in_the_order_of_their_urgency() -> None:
    papers = [
        Due(1, "", "in review"), Due(2, "", "draft", NOW + D), Due(3, "", "draft", NOW - D, late=True),
        Due(4, "", "in review", NOW - 2 * D, late=True), Due(5, "", "in review", NOW + 2 * D),
    ]  # fmt: skip
    assert [each.number for each in told(papers=papers).postmortems] == [4, 3, 2, 5, 1]


@given(st.lists(PASTS, max_size=30), st.lists(st.builds(Open, st.integers(1, 9), st.just("x"), st.integers(0, 400), st.booleans()), max_size=30))  # fmt: skip
def test_every_incident_counts_once(pasts: list[Past], actions: list[Open]) -> None:
    """Sums add up, whatever there was."""
    found = told(*pasts, actions=actions)
    counted = [found.this.incidents, found.this.drills, found.before.incidents, found.before.drills]
    assert sum(counted) == sum(WEEK.before.since <= p.declared_at < WEEK.until for p in pasts)
    assert sum(found.this.by_severity.values()) == found.this.incidents
    assert sum(found.detected_by.values()) == found.this.incidents
    assert all(each.of + each.unknown == found.this.incidents for each in found.minutes.values())
    assert sum(found.actions_by_age.values()) == found.open_actions == len(actions)
    assert found.late_actions <= found.open_actions
    days = [each.days for each in found.oldest_actions]
    assert days == sorted((each.days for each in actions), reverse=True)[:10]
    numbers = [[n for n, _ in each.incidents] for each in found.recurring]
    assert all(len(set(each)) == len(each) >= 2 for each in numbers)
    assert len(found.longest) <= 3
    assert found.quiet == (not found.this.incidents and not found.this.drills)


async def test_read_from_the_record(store: Store) -> None:
    """Private, cancelled and merged ones are in nothing; tickets, overdue papers and patterns are."""
    for number, minutes in enumerate((10, 30), 1):
        await past(store, number, minutes)
    for number, more in enumerate(
        ({"drill": True}, {"private": True, "title": "Secret"}, {"status": "cancelled"}), 20
    ):
        await past(store, number, 1, declared_at=now() - D, **more)
    async with store.write() as session:
        for incident in (await session.execute(select(Incident))).scalars():
            incident.resolved_at = incident.declared_at
        week = week_at((await session.get_one(Incident, 1)).declared_at, "UTC")
        for number in (1, 2, 4):
            session.add(Task(
                incident_id=number, number=1, text=f"do {number}", after=True, origin=f"t{number}",
                created_by="ana", created_at=now() - number * D, due_at=now() - H,
            ))  # fmt: skip
            session.add(ActionItem(
                incident_id=number, task=1, text="x", kind="prevent", owner="ana", due="", done_when="",
                by="ana", tracker="ops", ticket="gone" if number == 1 else "filed",
                reference=f"OPS-{number}", url="https://jira.test/OPS",
            ))  # fmt: skip
            head = "---\npatterns:\n- {id: retry-storm}\n---\n# P"
            session.add(Postmortem(incident_id=number, state="in review", markdown=head, html="", drawn_from=1))  # fmt: skip
    catalog = Catalog.model_validate({"severities": [{"id": "sev2", "postmortem_within": "1h"}]})
    async with store.read() as session:
        found = await digest(session, catalog, week)
        after = await digest(session, catalog, week.after)
    assert found.this.incidents + found.before.incidents == 2
    assert found.this.drills == 1
    assert found.longest[0].minutes in (12, 32)
    assert [(p.number, p.state, p.late) for p in found.postmortems] == [
        (2, "in review", True), (1, "in review", True),
    ]  # fmt: skip
    assert [(a.incident, a.ticket, a.late) for a in found.oldest_actions] == [
        (2, "OPS-2", True), (1, "", True),
    ]  # fmt: skip
    assert [[n for n, _ in each.incidents] for each in found.recurring] == [[1, 2]]
    assert "Secret" not in repr(found)
    assert (after.this.incidents, after.running) == (0, True)

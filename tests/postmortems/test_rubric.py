"""The rubric's machine-checkable points over drafts; and that the script sees what is missing."""

import re
from datetime import timedelta

import pytest

from bot.postmortems.case import Action, Around, Related
from bot.postmortems.draft import draft
from bot.postmortems.render import markdown
from tests.postmortems.rubric import Truth, score
from tests.postmortems.story import CATALOG, FACTS, NOON, PNG, Story, blackout

AROUND = Around(
    related=(Related(4, "Payments: slow", "sev2", NOON - timedelta(days=40), 31.0, ("payments",)),),
    actions=(Action(4, "follow-up 2", "Alert on queue age", "bo", NOON - timedelta(days=9)),),
    looked=True,
)
TRUTH = Truth(
    severity="sev1",
    marks={
        "Impact start": NOON, "Declared": NOON + timedelta(minutes=3), "Mitigated": NOON + timedelta(minutes=41),
        "Resolved": NOON + timedelta(minutes=45),
    },
    never=("Ana", "Souza", "Lindqvist", "U888", "ana@example.com"),
)  # fmt: skip


def written(rows=None, catalog=CATALOG):
    return markdown(draft(FACTS, rows or blackout(), catalog, {"inc-12-errors.png": PNG}, AROUND))


def test_the_blackout_has_every_point():
    """Twenty of twenty, nothing invented, nobody named."""
    found = score(written(), TRUTH)
    print(found)
    assert found.full, found


@pytest.mark.parametrize(("point", "broken"), [
    (1, lambda text: text.replace("owner: ", "boss: ").replace("due: ", "when: ")),
    (4, lambda text: text.replace("= EUR 49,200", "= EUR 59,200")),
    (5, lambda text: text.replace("| Mitigated | 2026-01-07 12:41:00", "| Mitigated | 2026-01-07 12:31:00")),
    (6, lambda text: text.replace("| before | phase |", "| after | phase |")),
    (7, lambda text: text.replace("hash 000000000000", "").replace("run 7", "")),
    (8, lambda text: re.sub(r"\|.*GAP: nothing.*\n", "", text)),
    (15, lambda text: text.replace("ETA", "time")),
    (16, lambda text: text.replace("of what is stated", "").replace("times the usual", "")),
    (17, lambda text: text.replace("| prevent |", "| |")),
    (20, lambda text: text.replace("## Related incidents", "## Something else")),
])  # fmt: skip
def test_the_script_sees_what_is_missing(point, broken):
    """A control: each point falls when its part is taken away or falsified."""
    assert score(broken(written()), TRUTH).points[point][0] < 2


@pytest.mark.parametrize("broken", [
    lambda text: text.replace("severity: sev1", "severity: sev2"),
    lambda text: text.replace("2026-01-07 12:45:00 | [", "2026-01-07 12:55:00 | ["),
    lambda text: text.replace("responder 1", "Bo Lindqvist"),
    lambda text: text + "\nAsk jo@example.org\n",
    lambda text: text + "\nSee [\\#99](#row-99)\n",
    lambda text: text.replace("The cause is not established:", "The cause is human error:"),
])  # fmt: skip
def test_hard_failures(broken):
    """Wrong severity or time, a name, personal data, a citation of nothing, blame."""
    assert score(broken(written()), TRUTH).failures


def test_an_empty_record_scores_little_and_invents_nothing():
    """What is not there earns nothing."""
    found = score(markdown(draft(FACTS, [], CATALOG, {})))
    assert found.total < 12
    assert not found.failures


def test_a_richer_record_has_every_point():
    """Updates with promises, an ETA, a failed way in, a legal clock, decisions with options."""
    story = Story()
    story.rows = blackout()[:-1]
    story.add(44.1, "decision_made", "Decided: wait, because it holds, instead of restart", actor="person:ana",
              what="wait", why="it holds", instead=["restart", "fail over"])  # fmt: skip
    promise = (NOON + timedelta(minutes=50)).isoformat()
    story.add(44.2, "communication_sent", "Update to customers: better, ETA 12:50", actor="person:ana",
              audience="customers", next_at=promise)  # fmt: skip
    story.add(44.3, "clock_started", "DORA: aware since", actor="person:ana", law="dora", fact="aware", at=NOON.isoformat(), why="")  # fmt: skip
    story.add(44.4, "clock_met", "DORA: initial notification submitted", actor="person:ana", law="dora",
              fact="initial", at=(NOON + timedelta(hours=2)).isoformat(), why="")  # fmt: skip
    story.add(
        45, "status_changed", "Status: monitoring → resolved", actor="person:ana", to="resolved"
    )
    catalog = CATALOG.model_validate(
        {**CATALOG.model_dump(by_alias=True), "regulations": [{"id": "dora"}]}
    )
    text = written(story.rows, catalog)
    found = score(text, TRUTH)
    print(found)
    assert found.full, found
    assert "wait; instead of it: restart, fail over" in text
    assert (
        "an ETA of 12:50 (read as UTC) [\\#24](#row-24): mitigated at 12:41, 9 min sooner than said"
        in text
    )
    assert (
        "| DORA: initial notification | 2026-01-08 12:00:00, if it is major | 2026-01-07 14:00:00, in time |"
        in text
    )

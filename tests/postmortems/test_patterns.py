"""The matcher: right on the six cases, on outages that no signal was made from, and silent on quiet days."""

import re
from pathlib import Path

import pytest

from bot.postmortems.casefile import Outage
from bot.postmortems.marks import clock, ordered
from bot.postmortems.patterns.catalogue import case_ids, case_study, catalogue
from bot.postmortems.patterns.match import resemble, score
from bot.postmortems.patterns.signals import SIGNALS
from bot.postmortems.patterns.view import View
from bot.postmortems.told import entries_of
from tests.postmortems.outages import HELD_OUT, PARAPHRASED, outage
from tests.postmortems.quiet import QUIET

KNOWN = catalogue()
EXPECTED_FACETS = {
    "fintech-blackout": set(), "s3-2017": {"F1", "F2"}, "github-2018": {"F2"},
    "cloudflare-2019": {"F3"}, "facebook-2021": {"F1", "F3"}, "gitlab-2017": set(),
}  # fmt: skip


def compared(told):
    """What an outage resembles."""
    rows = ordered(entries_of(told))
    return resemble(rows, clock(rows))


def scores(told):
    """Pattern → score, whether it reaches anything or not."""
    rows = ordered(entries_of(told))
    view = View(rows, clock(rows))
    return {each.ref: score(view, each, KNOWN).score for each in KNOWN.patterns}


def first(found):
    return found.matches[0].pattern.ref if found.matches else ""


def changed(case_id, change):
    """A case with each row changed."""
    rows = [change(row.model_dump()) for row in case_study(case_id).timeline]
    return Outage.model_validate({"title": "x", "timeline": rows})


@pytest.mark.parametrize("case_id", case_ids())
def test_each_case_has_its_pattern_first(case_id):
    """Strong, with at least two cited rows of different kinds, and its facets."""
    found = compared(case_study(case_id))
    best = found.matches[0]
    assert best.pattern.id == case_study(case_id).pattern
    assert found.strength(best) == "strong"
    assert len({row.raw for row in best.rows}) >= 2
    assert {facet.text.id for facet in found.facets} == EXPECTED_FACETS[case_id]


@pytest.mark.parametrize("name", [*HELD_OUT, *PARAPHRASED])
def test_other_outages_than_our_six(name):
    """The expected pattern first, or abstention where nothing fits."""
    lines, wanted = (HELD_OUT | PARAPHRASED)[name]
    assert first(compared(outage(lines))) in wanted


@pytest.mark.parametrize("name", QUIET)
def test_quiet_days_resemble_nothing(name):
    """Abstention is an answer."""
    found = compared(outage(QUIET[name]))
    assert found.abstained
    assert not found.matches


@pytest.mark.parametrize("case_id", case_ids())
def test_words_alone_never_suggest_anything(case_id):
    """The same sentences as chat, without kinds: at most two points."""
    for kind in ("note", "message"):
        said = changed(case_id, lambda row, kind=kind: {"event": row["event"], "kind": kind})
        assert compared(said).abstained
        assert max(scores(said).values()) <= KNOWN.matching.words_at_most


@pytest.mark.parametrize("case_id", case_ids())
@pytest.mark.parametrize("kind", ["action", "symptom", "detection", "decision"])
def test_rows_that_are_all_of_one_kind_are_not_enough(case_id, kind):
    """Two rows of different kinds are the least."""
    said = changed(case_id, lambda row: {"event": row["event"], "utc": row["utc"], "kind": kind})
    assert compared(said).abstained


@pytest.mark.parametrize("case_id", case_ids())
def test_without_the_words_structure_is_enough(case_id):
    """Every catch-phrase of the catalogue taken out of the sentences: still the same pattern."""
    study = case_study(case_id)
    words = next(p.words for p in KNOWN.patterns if p.id == study.pattern)
    phrases = (*words.early, *words.later)
    pattern = re.compile("|".join(rf"(?<!\w)(?:{each})(?!\w)" for each in phrases), re.IGNORECASE)
    mute = changed(case_id, lambda row: {**row, "event": pattern.sub("", row["event"]) or "-"})
    found = compared(mute)
    assert found.matches[0].pattern.id == study.pattern


def test_what_is_denied_ruled_out_or_asked_is_no_evidence():
    """Negation within four words, a question mark, a hypothesis."""
    base = HELD_OUT["rogers-2022"][0]
    assert first(compared(outage(base))) == "P5"
    for said in (
        "Remote access is not down", "No VPN trouble", "Is the VPN down?",
        "We suspect that the VPN is down", "Loss of the VPN was ruled out",
    ):  # fmt: skip
        lines = f"""
            10:00 symptom: Checkout fails
            10:02 detection: Alert
            10:05 symptom: {said}
            10:06 access: {said}
            10:30 action: Engineers travel to the site to swap a disk
            11:00 recovery: Checkout works
            """
        assert scores(outage(lines))["P5"] <= 7, said
        assert compared(outage(lines)).abstained, said


def test_words_count_only_in_their_phase():
    """A word about access before anything was noticed, a word about the trigger hours later: nothing."""
    early = outage("08:00 note: locked out, badge\n10:00 symptom: Down\n10:05 detection: Alert")
    assert scores(early)["P5"] == 0
    late = outage("10:00 symptom: Down\n10:05 detection: Alert\n14:00 note: wrong host, rm -rf")
    assert scores(late)["P6"] == 0
    in_phase = outage("10:00 symptom: Down\n10:05 detection: Alert\n10:10 note: wrong host, rm -rf")
    assert scores(in_phase)["P6"] == 2


def test_a_planned_failover_is_no_evidence():
    """Mentioned as a step, or done by hand as planned."""
    lines = """
        10:00 trigger: Network maintenance cuts connectivity of one site
        10:01 action: Planned failover of the database by the runbook
        10:02 symptom: Errors go on
        10:05 detection: Alert: replication lag
        11:00 recovery: All as before
        """
    assert compared(outage(lines)).abstained


def test_pasted_postmortems_and_quotes_do_not_count():
    """What others wrote about other outages is no word about this one."""
    for said in (
        "wrong host, rm -rf https://example.com/postmortem-of-database-outage",
        "> wrong host, rm -rf",
    ):
        lines = f"10:00 symptom: Down\n10:05 detection: Alert\n10:06 note: {said}"
        assert scores(outage(lines))["P6"] == 0


def test_two_patterns_are_shown_when_they_are_close():
    """Within two points; real incidents are often two."""
    lines = """
        10:00 trigger: An operator runs a script with the wrong ids instead of the right ones and deletes the accounts of more customers than intended
        10:01 symptom: Login, billing and other services fail too
        10:02 detection: Support is called by customers
        -- action: Restoring the accounts takes two days
        10:00+2 recovery: Some accounts are back
        12:00+2 recovery: All accounts are back, which could begin only after the index was up
        """
    found = compared(outage(lines))
    assert len(found.matches) == 2
    assert found.matches[0].score - found.matches[1].score <= KNOWN.matching.close


def test_the_same_rows_give_the_same_answer_in_any_order():
    rows = entries_of(case_study("s3-2017"))
    one, other = (resemble(ordered(r), clock(r)) for r in (rows, list(reversed(rows))))
    assert [(m.pattern.id, m.score) for m in one.matches] == [
        (m.pattern.id, m.score) for m in other.matches
    ]


def test_nothing_recorded_resembles_nothing():
    assert resemble([], clock([])).abstained


def test_every_signal_says_what_it_means():
    """It is what people read in the draft; ids are one another's only once."""
    every = [each for signals in SIGNALS.values() for each in signals]
    assert len({each.id for each in every}) == len(every)
    for each in every:
        assert len(each.what) > 15
        assert each.absent or each.kind == "negative"


def test_each_class_counts_once_with_its_weight():
    """And nothing that is negative adds."""
    rows = ordered(entries_of(case_study("gitlab-2017")))
    view = View(rows, clock(rows))
    for pattern in KNOWN.patterns:
        found = score(view, pattern, KNOWN)
        classes = {s.signal.kind for s in found.seen} - {"message_words"}
        weights = KNOWN.matching.weights
        expected = sum(weights[c] for c in classes) + weights["negative"] * bool(found.against)
        assert 0 <= found.score - expected <= KNOWN.matching.words_at_most


def signals_table():
    """What docs/patterns.md lists."""
    refs = {pattern.id: pattern.ref for pattern in KNOWN.patterns}
    lines = ["| | signal | class | what it means |", "|---|---|---|---|"]
    for pattern, signals in SIGNALS.items():
        lines += [
            f"| {refs[pattern]} | `{s.id}` | {s.kind.replace('_', ' ')} | {s.what} |"
            for s in signals
        ]
    return "\n".join(lines)


def test_the_page_lists_every_signal_and_weight():
    """So that docs/patterns.md cannot drift from the code."""
    page = (Path(__file__).parents[2] / "docs" / "patterns.md").read_text("utf-8")
    assert signals_table() in page
    assert f"{len(HELD_OUT)} other published outages" in page
    assert f"on {len(QUIET)} quiet days" in page
    assert KNOWN.matching.weights == {
        "structural": 4, "runbook_step": 4, "access_path_failure": 4, "alert_absence": 4,
        "alert_label": 3, "sequence_rule": 3, "message_words": 1, "negative": -4,
    }  # fmt: skip
    assert (KNOWN.matching.thresholds.suggest, KNOWN.matching.thresholds.strong) == (6, 10)

"""A published outage as a draft: only the timeline is read, and no sentence about causes stands alone."""

import json
import re
from pathlib import Path

import pytest

from bot.catalog import Catalog
from bot.postmortems.casefile import Outage
from bot.postmortems.draft import draft
from bot.postmortems.page import Bullets, Cite, Paragraph, Table
from bot.postmortems.patterns.catalogue import case_ids, case_study
from bot.postmortems.render import html, markdown
from bot.postmortems.replay import replay, write
from tests.postmortems.outages import HELD_OUT, outage
from tests.postmortems.quiet import QUIET
from tests.postmortems.story import CATALOG, FACTS, blackout
from tests.postmortems.test_patterns_live import lockout

CAUSE = re.compile(r"\b(caus\w+|because|due to|led to|result(?:ed|s) in|triggered|root|brought about|set it off)\b", re.IGNORECASE)  # fmt: skip
OPEN = re.compile(r"not established|no order of causes|\bunknown\b|not recorded|no person|no row|to be written|\?", re.IGNORECASE)  # fmt: skip
# What a section quotes of a published outage is about that outage, and the prompts are questions.
ABOUT_OTHERS = ("What that outage stands for: ", "How to tell it apart: ", "Published: ")
ANSWERS = ("root_cause", "contributing", "delayed_recovery", "impact", "derived_metrics", "pattern", "summary", "published_actions", "seed_differences")  # fmt: skip


def lines_of(made):
    """(section, line) of everything but the timeline and the questions, as structure."""
    for section in made.sections:
        if section.title in ("Timeline", "Questions for the facilitator"):
            continue
        if section.empty and section.is_empty:
            yield section.title, (section.empty,)
        for block in section.blocks:
            if isinstance(block, Paragraph):
                yield section.title, block.line
            elif isinstance(block, Bullets):
                yield from ((section.title, item) for item in block.items)
            elif isinstance(block, Table):
                for row in block.rows:  # a row of a table is one statement
                    yield section.title, tuple(part for each in row for part in each)


def sentences(line):
    """A line's sentences, each with the citations that stand in it."""
    sentence = []
    for part in line:
        pieces = re.split(r"(?<=[.?!])\s+", part) if isinstance(part, str) else [part]
        for index, piece in enumerate(pieces):
            if index:
                yield tuple(sentence)
                sentence = []
            sentence.append(piece)
    yield tuple(sentence)


def uncited(made):
    """Sentences about causes that cite no row and do not say that it is open."""
    found = []
    for title, line in lines_of(made):
        for sentence in sentences(line):
            said = "".join(part for part in sentence if isinstance(part, str))
            if not CAUSE.search(said) or OPEN.search(said) or said.startswith(ABOUT_OTHERS):
                continue
            if not any(isinstance(part, Cite) for part in line):
                found.append((title, said))
    return found


@pytest.mark.parametrize("case_id", case_ids())
def test_no_sentence_about_causes_is_without_a_citation(case_id):
    """Over the draft's structure, for the six cases."""
    assert uncited(replay(case_study(case_id)).draft) == []


@pytest.mark.parametrize("name", [*HELD_OUT, *QUIET])
def test_nor_of_outages_that_nobody_knows(name):
    lines = QUIET.get(name) or HELD_OUT[name][0]
    assert uncited(replay(outage(lines)).draft) == []


def test_nor_of_incidents_of_our_own():
    """Drawn from rows that Jackline wrote."""
    for rows in (blackout(), lockout().rows):
        assert uncited(draft(FACTS, rows, CATALOG, {})) == []


def test_the_test_would_see_it():
    """A claim without a row is found by the test over the structure."""
    made = replay(case_study("s3-2017")).draft
    section = made.sections[0]
    claim = Paragraph(("It was caused by somebody.",))
    wrong = type(section)(section.title, section.origin, (*section.blocks, claim))
    sections = (wrong, *made.sections[1:])
    other = type(made)(made.incident_id, made.title, made.front, sections, made.drawn_from)
    assert uncited(other) == [(section.title, "It was caused by somebody.")]


def test_the_cause_of_the_fintech_blackout_is_not_established():
    """The article names none, and the draft says so; of the others, two have no row that tells what was found."""
    texts = {each: markdown(replay(case_study(each)).draft) for each in case_ids()}
    unknown = {each for each, text in texts.items() if "The cause is not established" in text}
    assert unknown == {"fintech-blackout", "gitlab-2017", "s3-2017"}


@pytest.mark.parametrize("case_id", case_ids())
def test_nothing_is_read_but_the_timeline(case_id, tmp_path):
    """Cause, impact, figures and pattern of the file changed or gone: the same answer, the same draft."""
    whole = case_study(case_id).model_dump()
    bare = {key: value for key, value in whole.items() if key not in ANSWERS}
    wrong = {**whole, **dict.fromkeys(ANSWERS, "everything else")}
    answers = []
    for each in (whole, bare, wrong):
        made = replay(Outage.model_validate(each))
        answers.append((json.dumps(made.as_json(tmp_path)), markdown(made.draft)))
    assert answers[0] == answers[1] == answers[2]


@pytest.mark.parametrize("case_id", case_ids())
def test_the_answer_for_machines(case_id, tmp_path):
    """Marks with their row, durations, patterns with their rows, best first."""
    made = replay(case_study(case_id))
    answer = made.as_json(tmp_path / "x.md")
    assert list(answer) == ["marks", "durations_min", "patterns", "facets", "abstained", "draft"]
    best = answer["patterns"][0]
    assert (best["id"], best["strength"], answer["abstained"]) == (
        case_study(case_id).pattern,
        "strong",
        False,
    )
    named = [{"id": each["id"], "strength": each["strength"]} for each in answer["patterns"]]
    assert made.draft.front["patterns"] == named
    kinds = {case_study(case_id).timeline[row - 1].kind for row in best["rows"]}
    assert len(kinds) >= 2
    assert {row for each in best["because"] for row in each["rows"]} == set(best["rows"])
    scores = [each["score"] for each in answer["patterns"]]
    assert scores == sorted(scores, reverse=True)


def test_the_resemblance_is_worded_as_a_suggestion():
    """It cites rows, says what differs, and its candidates have an owner, a type and a criterion."""
    made = replay(outage(HELD_OUT["fastly-2021"][0])).draft
    by_title = {section.title: section for section in made.sections}
    text = markdown(made)
    assert "It may resemble “Cloudflare global outage" in text
    assert "no finding" in text
    differs = by_title["What differs"].blocks[0].items
    assert any("an attack was considered and ruled out; here no row says so" in part for line in differs for part in line if isinstance(part, str))  # fmt: skip
    assert any(isinstance(part, Cite) for line in differs for part in line)
    (_, table) = by_title["Candidate actions from there"].blocks
    assert table.rows
    assert "Break-glass credentials" not in str(table)  # no way in failed here
    asked = by_title["Questions for the facilitator"].blocks[-1].items
    assert any("Which path did this change take" in part for line in asked for part in line if isinstance(part, str))  # fmt: skip


def test_abstention_is_said_and_the_general_questions_stand():
    """With what came nearest, if anything did."""
    text = markdown(replay(outage(QUIET["drained-for-repair"])).draft)
    assert "No known pattern" in text
    assert "Nearest: " in text
    assert "What did each responder see first" in text
    assert "Candidate actions" not in text


def test_a_row_without_a_time_has_none_in_the_draft():
    """Its bounds instead, and silences are not counted over it."""
    text = markdown(replay(case_study("cloudflare-2019")).draft)
    assert "between 13:45 and 14:07" in text
    assert "about 13:42" in text


def test_what_the_rows_tell_is_in_its_sections(tmp_path):
    """Decisions, failed ways in, what customers were told: read from the sentences, each with its row."""
    made = replay(case_study("facebook-2021"))
    text = markdown(made.draft)
    body = {part.split("\n")[0]: part for part in text.split("\n## ")}
    assert "send engineers to the data centres" in body["Decisions"]
    assert "out-of-band access is also down" in body["Access"]
    assert "breaks internal investigation tools" in body["Access"].split("### Tools")[1]
    assert "What was the trigger?" not in body["Open questions"]
    s3 = markdown(replay(case_study("s3-2017")).draft)
    assert (
        "Updates go out via the AWS Twitter account"
        in s3.split("## Communication")[1].split("\n## ")[0]
    )
    assert "INC-0" not in text


def test_pictures_lie_beside_the_draft_and_show_no_date_that_nobody_knows(tmp_path):
    """Markdown's pictures are there; a record that counts minutes has no timeline on a calendar."""
    for case_id, timeline in (("cloudflare-2019", True), ("fintech-blackout", False)):
        path = write(replay(case_study(case_id)), tmp_path / case_id, case_id)
        shown = re.findall(r"\]\((evidence/[^)]+)\)", path.read_text("utf-8"))
        assert shown
        assert all((path.parent / each).is_file() for each in shown)
        assert any("timeline" in each for each in shown) is timeline
        assert "data:image/" in path.with_suffix(".html").read_text("utf-8")


def test_hostile_sentences_stay_inert():
    """A published text is as untrusted as an alert."""
    told = Outage.model_validate({"title": "<script>x</script>", "timeline": [
        {"kind": "symptom", "event": "<img src=x onerror=alert(1)> [a](javascript:x) |"},
    ], "sources": [{"title": "x", "url": "javascript:alert(1)"}]})  # fmt: skip
    made = replay(told).draft
    page = html(made, {})
    assert "<script" not in page
    assert "<img" not in page
    assert "javascript:" not in re.sub(r"\[?a\]?\(?javascript:x", "", page.split("<main>")[1]) or 'href="javascript' not in page  # fmt: skip


def test_drawing_needs_no_catalog():
    """What an outage's file does not say is unknown, not an error."""
    made = draft(FACTS, [], Catalog(), {})
    assert "No known pattern" in markdown(made)


SPOKEN = """
    10:00 trigger: An operator shuts the wrong links down instead of the spare ones, with a script
    10:01 symptom: Search, mail and maps are down
    10:03 detection: Alerts page the on-call
    10:20 detection: The cause is identified in the list that the script was given
    10:25 communication: Customers are told that it will take two hours, by estimate
    -- hypothesis: An attack was suspected and ruled out
    12:00 action: The links are opened again one by one
    12:02 recovery: Everything works again, no data was lost
    """


def sections_of(lines):
    text = markdown(replay(outage(lines)).draft)
    return {part.split("\n")[0].lstrip("# "): part for part in re.split(r"\n(?=##)", text)}


def test_what_is_told_is_quoted_and_nothing_is_denied():
    """Findings, estimates, losses, hypotheses: a sentence of the file is never answered by "no row"."""
    body = sections_of(SPOKEN)
    assert "The cause is identified in the list" in body["What happened technically"]
    assert "not established" not in body["What happened technically"]
    assert "quoted below and not yet confirmed" in body["Summary"]
    assert "Search, mail and maps are down" in body["Summary"]
    assert "no data was lost" in body["Impact"]
    assert "| dropped |" in body["Hypotheses"]
    assert "two hours" in body["Communication"]
    assert "No promised time" not in body["Communication"]
    assert "Was data lost" not in body["Open questions"]
    assert "page the on-call" not in body["Symptoms in order"]


def test_what_was_amiss_before_is_not_the_impact():
    """The spam of the afternoon did not take GitLab down; the updates were a document and a stream."""
    text = markdown(replay(case_study("gitlab-2017")).draft)
    body = {part.split("\n")[0]: part for part in re.split(r"\n##+ ", text)}
    for title in ("Summary", "Impact"):
        assert "GitLab.com unavailable" in body[title]
        assert "Spammers" not in body[title]
    assert "live stream" in body["Communication"]


def test_of_what_nobody_publishes_nothing_is_concluded():
    """No runbook, silences between published rows, no severity: none of these is a finding."""
    text = markdown(replay(outage(SPOKEN)).draft)
    for said in (
        "No runbook was run", "Nothing was recorded for", "by not stated", "reported to Jackline",
        "/incident", "audit verify", "Said in Slack", "the rule for UNKNOWN",
    ):  # fmt: skip
        assert said not in text, said
    assert "GAP: nothing was recorded for 1 h 35 min" not in text
    assert (
        "GAP: no row has a clock time for 1 h 35 min" in text
    )  # one row lies in it, at no known time


def test_without_clock_times_there_are_neither_zones_nor_dates():
    """Nor a phase that took most of a time that nobody knows."""
    untimed = re.sub(r"\d\d:\d\d (?=\w+:)", "-- ", SPOKEN)
    text = markdown(replay(outage(untimed)).draft)
    assert "No row has a clock time." in text
    assert "When it began and when its effect ended is unknown." in text
    assert "Most of the time went into" not in text
    assert "0001" not in text
    assert "T+0" not in text


def test_days_are_shown_where_there_are_several():
    """A decision at five past midnight is not of the evening before."""
    body = sections_of("22:52 symptom: Down\n23:00 decision: Wait\n00:05+1 decision: Restore\n01:00+1 recovery: Up")  # fmt: skip
    assert "05-01 23:00:00" in body["Decisions"]
    assert "05-02 00:05:00" in body["Decisions"]


def test_what_a_decision_says_of_its_reason_and_its_alternative():
    """In its own words; what it does not say is not recorded."""
    body = sections_of("""
        10:00 symptom: Down
        10:05 decision: Fail forward rather than discard the writes, accepting a slow site
        10:06 decision: Webhooks paused to protect data already received
        10:07 decision: Wait
        11:00 recovery: Up
        """)
    lines = [line for line in body["Decisions"].split("\n") if "#row" in line]
    assert "told beside it: discard the writes |" in lines[0]
    assert "| to protect data already received | not recorded |" in lines[1]
    assert "| not recorded | not recorded |" in lines[2]


def test_minutes_without_a_date_are_never_rounded():
    """T+1234567, not T+1.23457e+06; before the start they are negative."""
    rows = [
        {"t_plus_min": -3, "kind": "trigger", "event": "x"}, {"t_plus_min": 0.5, "kind": "symptom", "event": "Down"},
        {"t_plus_min": 1234567, "kind": "recovery", "event": "Up"},
    ]  # fmt: skip
    made = replay(Outage.model_validate({"title": "x", "timeline": rows}))
    marks = made.as_json(Path("x"))["marks"]
    assert (marks["impact_start"]["at"], marks["resolved"]["at"]) == ("T+0.5", "T+1234567")
    assert "T-3 min" in markdown(made.draft)

"""The draft: everything recorded is in it, nothing else is, and nobody is named."""

import re
from datetime import timedelta

import yaml

from bot.postmortems.draft import draft
from bot.postmortems.render import html, markdown
from tests.postmortems.story import CATALOG, FACTS, NOON, PNG, Story, blackout

PICTURES = {"inc-12-errors.png": PNG}


def written(rows, facts=FACTS, pictures=PICTURES):
    return markdown(draft(facts, rows, CATALOG, pictures))


def section(text, title):
    """The text below a heading, up to the next one of any level."""
    return re.split(r"^#{2,3} ", text.split(f"# {title}\n", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]  # fmt: skip


def test_markdown_of_the_blackout(snapshot):
    """The whole document, as people get it."""
    assert written(blackout()) == snapshot


def test_the_same_record_gives_the_same_draft():
    """Drawing is pure: no clock, no chance."""
    assert written(blackout()) == written(list(reversed(blackout())))


def test_nobody_is_named():
    """Names, addresses, user ids and person ids never reach the document; roles do."""
    text = written(blackout())
    for name in ("Ana", "Souza", "Bo ", "Lindqvist", "U888", "ana@example", "person:"):
        assert name not in text
    assert "incident commander" in text
    assert "responder 1" in text


def test_every_row_is_there_and_every_citation_leads_to_one():
    """An unknown kind is shown as it is; no citation dangles."""
    rows = blackout()
    text = written(rows)
    anchors = re.findall(r'<a id="row-(\d+)"></a>', text)
    assert anchors == [str(row.seq) for row in rows]
    assert set(re.findall(r"\]\(#row-(\d+)\)", text)) <= set(anchors)
    assert "moon_phase_changed" in text


def test_the_front_matter_says_where_it_comes_from():
    """Machines read severity, marks and provenance as YAML."""
    front = yaml.safe_load(written(blackout()).split("---\n")[1])
    assert (front["id"], front["severity"], front["mitigated"]) == ("INC-12", "sev1", "2026-01-07 12:41:00")  # fmt: skip
    assert front["provenance"]["drawn_from"] == "timeline of incident 12, rows 1 to 23"
    assert front["provenance"]["last_row_hash"] == blackout()[-1].hash


def test_the_summary_is_three_to_five_sentences():
    """Short enough to be read aloud, and it claims no cause."""
    text = re.sub(r" ?\[\\#\d+\]\(#row-\d+\)", "", section(written(blackout()), "Summary"))
    assert 3 <= len(re.findall(r"\.(?:\s|$)", text)) <= 5
    assert "The cause is not established in the record" in text


def test_gaps_are_marked():
    """24 silent minutes are a row of their own."""
    assert "GAP: nothing was recorded for 24 min" in section(written(blackout()), "Timeline")


def test_causes_come_from_people_only():
    """A note that begins with "cause:" is quoted; without one nothing is established."""
    assert "Not established" in section(written(blackout()), "Contributing factors")
    story = Story()
    story.add(1, "note_added", "Cause: the certificate ran out, says Ana", actor="person:ana")
    story.add(2, "note_added", "cause: a bot's guess", actor="jackline")
    text = section(written(story.rows), "Contributing factors")
    assert "responder 1 noted: the certificate ran out, says \\[responder 1\\]" in text
    assert "guess" not in text


def test_an_empty_record_still_explains_itself():
    """Each empty section says why it is empty."""
    text = written([])
    for title in ("Timeline", "Trigger", "Decisions", "Evidence", "Runbook review", "Access", "Communication", "Action items", "Related incidents", "Tools", "Decisions"):  # fmt: skip
        body = section(text, title)
        assert len(body.strip().split("\n")[-1]) > 20, title
    assert "When its effect began is not recorded" in section(text, "Summary")


def test_a_run_that_fails_is_reviewed_step_by_step():
    """Guards, failures, undo and what was not run are all shown."""
    story = Story()
    steps = [{"id": i, "action": "x.y"} for i in ("one", "two", "three")]
    story.add(1, "run_planned", "", run_id=1, steps=steps)
    story.add(2, "run_started", "", run_id=1, title="Fix it")
    story.add(3, "step_started", "", run_id=1, step="one", path="direct")
    story.add(4, "step_succeeded", "", run_id=1, step="one", seconds=60, path="direct")
    story.add(5, "guard_failed", "", run_id=1, step="two", reason="80 % of capacity")
    story.add(6, "undo_started", "", run_id=1, step="one", path="direct")
    story.add(7, "step_failed", "", run_id=1, step="one", error="no", path="direct")
    story.add(8, "run_failed", "", run_id=1, step="two", error="80 %")
    text = section(written(story.rows), "Run 1: Fix it")
    assert "Outcome: failed [\\#8]" in text
    assert "Guards that stopped it: [\\#5]" in text
    assert "Undo: one failed" in text
    assert "Planned but not run: three" in text
    assert (
        "| one | x.y | succeeded, undo failed | 1 | not stated | no earlier run | 1 min |" in text
    )
    assert "held back by a guard (80 % of capacity)" in text


def test_a_proposal_is_not_called_a_run():
    """What was only proposed is not in the summary as something that was done."""
    story = Story()
    story.add(1, "runbook_proposed", "", run_id=3, runbook="restart")
    text = written(story.rows)
    assert "procedure" not in section(text, "Summary")
    assert "Outcome: proposed, not run" in text


def test_attempts_of_any_shape_are_shown():
    """A step that lists its attempts has each of them in the access review."""
    story = Story()
    attempts = [{"path": "direct", "error": "refused"}, "proxy"]
    story.add(1, "step_succeeded", "", run_id=1, step="one", path="bmc", attempts=attempts)
    text = section(written(story.rows), "Access")
    assert [p in text for p in ("direct | refused", "proxy | tried", "bmc | step succeeded")] == [True] * 3  # fmt: skip


def test_a_picture_is_inside_the_page_or_said_to_be_missing():
    """HTML needs no other file; a lost picture is not hidden."""
    made = draft(FACTS, blackout(), CATALOG, PICTURES)
    assert 'src="data:image/png;base64,' in html(made, PICTURES)
    assert "was not found" in written(blackout(), pictures={})


def test_evidence_is_pictures_lists_and_what_is_missing():
    """Each cites its row; what was found is told as it was found."""
    story = Story()
    found = [{"text": "flag new-checkout: on", "at": "2026-11-26T10:00:00+00:00"}]
    story.add(1, "evidence_attached", "Evidence: Flags (unleash): flag new-checkout: on", source="unleash", title="Flags", found=found)  # fmt: skip
    story.add(2, "evidence_missing", "Evidence that could not be had: loki: no answer within 3 s.")
    shown = section(written(story.rows), "Evidence")
    for words in ("flag new-checkout: on", "(#row-1)", "no answer within 3 s", "(#row-2)"):
        assert words in shown
    assert "was not found" not in shown


def test_what_was_told_and_promised():
    """Each update with its row, and whether the next one came in time."""
    story = Story()
    story.add(3, "incident_declared", "SEV1 declared")
    promise = (NOON + timedelta(minutes=20)).isoformat()
    said = {"audience": "customers", "next_at": promise}
    story.add(5, "communication_sent", "Update to customers: we look at it", **said)
    story.add(6, "communication_sent", "Update to internal: DNS", audience="internal")
    story.add(19, "communication_sent", "Update to customers: it works", **said)
    told = section(written(story.rows), "Communication")
    assert "we look at it" in told
    assert "1 of 2 promised next updates came in time." in told

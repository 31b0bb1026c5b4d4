"""The matcher over rows that Jackline writes itself: structure from kinds and data, hardly a sentence."""

from datetime import timedelta

from bot.postmortems.marks import clock, ordered
from bot.postmortems.patterns.catalogue import catalogue
from bot.postmortems.patterns.match import resemble, score
from bot.postmortems.patterns.view import View
from tests.postmortems.story import NOON, Story, blackout

ANA = "person:ana"


def compared(story):
    rows = ordered(story.rows)
    return resemble(rows, clock(rows))


def scores(story):
    rows = ordered(story.rows)
    view = View(rows, clock(rows))
    return {each.ref: score(view, each, catalogue()).score for each in catalogue().patterns}


def step(story, minute, action, kind="step_succeeded", **data):
    story.add(minute, kind, "", run_id=1, step=action, action=action, **data)


def lockout():
    """Sign-in, network and chat gone; three paths fail, the go-bag gets through. No words at all."""
    story = Story()
    story.alert(1, "", name="NetworkGone")
    story.alert(1, "", name="DnsServfail", fingerprint="d")
    for minute, path in ((3, "direct"), (9, "ssh"), (20, "bmc")):
        step(story, minute, "ssh.run", "access_failed", path=path, error="")
    story.add(40, "bag_merged", "")
    step(story, 41, "ssh.run", path="oob")
    story.add(42, "status_changed", "", actor=ANA, to="monitoring")
    story.add(50, "status_changed", "", actor=ANA, to="resolved")
    return story


def test_structure_without_words_is_enough():
    """Paths that failed, how long that took, alerts: P5, strong."""
    found = compared(lockout())
    best = found.matches[0]
    assert (best.pattern.ref, found.strength(best)) == ("P5", "strong")
    assert len({row.raw for row in best.rows}) >= 3
    assert "words" not in {each.signal.id for each in best.seen}


def test_words_without_structure_are_not():
    """The same story told in chat only: two points at most."""
    story = Story()
    story.alert(1, "EdgeErrors")
    for minute, said in ((3, "locked out, vpn is down, dns is gone"), (9, "remote hands, badge"), (12, "circular")):  # fmt: skip
        story.add(minute, "note_added", said, actor=ANA)
    assert max(scores(story).values()) <= catalogue().matching.words_at_most
    assert compared(story).abstained


def test_the_bots_own_messages_do_not_count():
    """What Jackline says about a case is no evidence for it."""
    story = Story()
    story.alert(1, "EdgeErrors")
    story.add(2, "note_added", "wrong host, rm -rf, no backup", actor="jackline")
    story.add(3, "communication_sent", "We were locked out; rm -rf", actor=ANA, audience="internal")
    story.add(4, "runbook_proposed", "split-brain, new primary", run_id=1)
    assert set(scores(story).values()) <= {0, -4}


def test_what_people_note_by_its_word_counts_as_what_it_is():
    """``access: …`` and ``trigger: …`` are statements of the record."""
    story = Story()
    story.add(
        0, "note_added", "trigger: a new rate policy was pushed to every node at once", actor=ANA
    )
    story.alert(1, "CrashLoop", starts=0.5, fingerprint="c")
    story.add(4, "note_added", "access: we cannot sign in to the admin console", actor=ANA)
    step(story, 20, "unleash.set_flag")
    story.add(22, "alert_resolved", "", source="alertmanager", fingerprint="c")
    best = compared(story).matches[0]
    assert best.pattern.ref == "P4"
    assert {"rollout.content-shipped", "rollout.tools-behind-product", "rollout.off-then-well"} <= {s.signal.id for s in best.seen}  # fmt: skip


def test_a_change_that_evidence_lists_just_before_is_the_trigger():
    """By its own time; one of last week is not."""
    for minutes, expected in ((-2, True), (-2000, False)):
        story = Story()
        story.alert(1, "", fingerprint="a", labels={"region": "eu"})
        story.alert(1.2, "", fingerprint="b", labels={"region": "us"})
        story.alert(1.4, "", fingerprint="c", labels={"region": "asia"})
        at = (NOON + timedelta(minutes=minutes)).isoformat()
        story.add(2, "evidence_attached", "", title="Changes reported to Jackline", source="changes",
                  found=[{"text": "Firewall rule deployed to all regions", "at": at}])  # fmt: skip
        step(story, 9, "unleash.set_flag")
        seen = {each.signal.id for m in compared(story).matches for each in m.seen}
        assert ("rollout.content-shipped" in seen) is expected
        assert "rollout.all-regions-alert" in seen


def test_drained_servers_and_alerts_of_many_services():
    """A step that takes capacity away, then three services at once: P2."""
    story = Story()
    step(story, -2, "haproxy.drain_server")
    for number, service in enumerate(("search", "billing", "mail")):
        story.alert(1 + number / 10, "", fingerprint=service, labels={"service": service})
    assert compared(story).matches[0].pattern.ref == "P2"


def test_a_deletion_and_a_restore_that_fails():
    """P6 from steps and alerts alone."""
    story = Story()
    step(story, -5, "volume.delete")
    story.alert(0, "", name="BackupMissing")
    step(story, 30, "restic.restore_drill", "step_failed", error="")
    assert compared(story).matches[0].pattern.ref == "P6"


def test_dashboards_that_do_not_answer():
    """Customers first, the query of metrics fails, a watchdog late: P1."""
    story = Story()
    story.add(5, "note_added", "detection: customers call support", actor=ANA)
    step(story, 8, "prometheus.query", "step_failed", error="no answer")
    step(story, 9, "prometheus.query", "access_failed", path="direct", error="")
    story.alert(30, "", name="Watchdog", starts=0)
    assert compared(story).matches[0].pattern.ref == "P1"


def test_the_blackout_that_a_run_ended_is_no_blind_incident():
    """An alert came first and a prepared run ended it: abstention, and the reason is there."""
    found = compared(type("Rows", (), {"rows": blackout()}))
    assert found.abstained


def demo():
    """What `make demo` writes: a check's alert, evidence, a run that shifts traffic, resolved."""
    story = Story()
    story.add(
        0, "incident_declared", "SEV1 declared: Payments", actor="source:checks", severity="sev1"
    )
    story.alert(0, "payments-edge: 4 of 4 requests failed", source="checks")
    story.add(0.1, "evidence_attached", "Evidence: Payments", title="Payments", file="x.png")
    story.add(0.2, "runbook_proposed", "Proposed", run_id=1)
    story.add(1, "commander_assigned", "Ana is incident commander", actor=ANA)
    story.add(1.1, "run_requested", "Asked to run", actor=ANA, run_id=1)
    story.add(1.2, "run_approved", "Approved", actor="person:ben", run_id=1)
    step(story, 1.4, "envoy.set_weights", path="direct")
    story.add(1.5, "run_succeeded", "succeeded", run_id=1)
    story.add(2, "alert_resolved", "payments-edge works", source="checks", fingerprint="f00d")
    story.add(2.1, "status_changed", "", actor=ANA, to="resolved")
    return story


def test_the_demo_resembles_nothing_published():
    """A service died, a check saw it, a run moved the traffic: what one hopes for."""
    assert compared(demo()).abstained


def test_the_re_enactment_of_facebook():
    """Mended from the go-bag within a minute it is no lockout; where paths fail for half an hour it is."""
    story = Story()
    story.alert(0.5, "NetworkGone firing", name="NetworkGone", starts=0)
    story.add(
        0.6, "incident_declared", "SEV1 declared: The shop is down", actor="source:alertmanager"
    )
    story.add(1, "run_started", "", run_id=1)
    step(story, 1.1, "ssh.ensure", path="oob")
    story.add(1.3, "run_succeeded", "", run_id=1)
    story.add(2, "bag_merged", "")
    assert compared(story).abstained
    assert compared(lockout()).matches[0].pattern.ref == "P5"


def test_a_storm_of_alerts_is_no_pattern():
    """Many alerts of one service, nothing else."""
    story = Story()
    for number in range(300):
        story.alert(number / 100, "x", fingerprint=str(number), labels={"service": "shop"})
    assert compared(story).abstained


def test_what_was_withdrawn_or_put_right_counts_as_it_stands():
    """A note that its author took back is no word about anything."""
    for kind, text, expected in (
        ("note_withdrawn", "", 0),
        ("note_corrected", "wrong host, rm -rf", 2),
    ):
        story = Story()
        story.alert(0, "EdgeErrors")
        said = "wrong host, rm -rf" if kind == "note_withdrawn" else "nothing to see"
        story.add(2, "note_added", said, actor=ANA, link="https://slack.example/1")
        story.add(3, kind, text, actor=ANA, link="https://slack.example/1")
        assert scores(story)["P6"] == expected, kind

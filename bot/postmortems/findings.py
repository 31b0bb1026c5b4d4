"""What the record shows that somebody might want to change: conditions with their rows. Pure.

A finding is a fact with the rows that prove it, never a cause. Factors that are proposed, prompts and
candidate actions are drawn from these, so that each can be traced to a row.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from bot.postmortems.case import Case
from bot.postmortems.conditions import conditions
from bot.postmortems.marks import minutes_between, read_time
from bot.postmortems.page import span
from bot.postmortems.reach import failed_access
from bot.postmortems.review import by_hand, over, slower
from bot.postmortems.runs import Run, Step

Type = Literal["prevent", "detect", "mitigate", "recover"]
LATE_MINUTES = 5.0
STORM = 20  # alerts of one incident that nobody reads one by one


@dataclass(frozen=True)
class Finding:
    """``what`` is the fact, ``made`` what it did to the incident, ``do`` and ``done`` the proposal.

    ``owner`` is a role or the owner of a service. Without ``do`` there is nothing to propose.
    """

    key: str
    what: str
    rows: tuple[int, ...]
    made: Literal["began", "hid", "delayed", "worsened", "latent", "told", ""] = ""
    type: Type = "recover"
    do: str = ""
    done: str = ""
    owner: str = ""


def findings(case: Case) -> list[Finding]:
    """In the order in which they weigh."""
    return [
        *_noted(case), *_trigger(case), *_detection(case), *_access(case), *_runs(case),
        *_hands(case), *_silences(case), *_told(case), *_tools(case), *_figures(case),
        *_conditions(case), *_again(case),
    ]  # fmt: skip


def _seqs(*found: int | None) -> tuple[int, ...]:
    return tuple(dict.fromkeys(seq for seq in found if seq is not None))


def _noted(case: Case) -> Iterator[Finding]:
    """What people named as a cause or a factor, in their words."""
    words = ("trigger", "cause", "root cause", "factor", "contributing factor")
    for row, text in case.notes(*words):
        word = row.text.partition(":")[0].strip().lower()
        yield Finding(
            f"noted-{row.seq}", f"Noted as {word}: {text}", (row.seq,),
            "began" if word == "trigger" else "worsened", "prevent",
            f"Decide what keeps this from having the same effect again: “{text[:160]}”",
            "a check, guard or test refuses it or takes its effect away, and a drill that brings it about shows that",
        )  # fmt: skip


def _trigger(case: Case) -> Iterator[Finding]:
    for row in case.of("trigger"):
        yield Finding(
            f"trigger-{row.seq}", "Told as a trigger", (row.seq,), "", "prevent",
            f"Decide what keeps this from having the same effect again: “{row.text[:160]}”",
            "a check, guard or test refuses it or takes its effect away, and a drill that brings it about shows that",
        )  # fmt: skip
    if case.notes("trigger", "cause", "root cause") or case.of("trigger"):
        return
    start = case.clock.impact_start.seq or case.clock.declared.seq
    if start is None and case.told:
        start = next((row.seq for row in case.of("symptom", "detection")), None)
    yield Finding(
        "trigger", "The trigger is not established", _seqs(start), "", "prevent",
        "Establish the trigger, then have a check, guard or test that stops it",
        "the trigger is named with the rows that show it, and the new check is seen to refuse it once",
    )  # fmt: skip


def _detection(case: Case) -> Iterator[Finding]:
    start, seen, clock = case.clock.impact_start, case.clock.detected, case.clock
    minutes = minutes_between(start, seen)
    if minutes is not None and minutes > LATE_MINUTES:
        yield Finding(
            "late", f"From the start of the impact to its detection {span(minutes)} passed",
            _seqs(start.seq, seen.seq), "hid", "detect",
            "Have an alert on what the users saw first",
            f"it fires within {LATE_MINUTES:g} min when the same symptom is brought about in a drill",
        )  # fmt: skip
    if case.told and seen.source == "customer":
        noticed = next(row for row in case.of("detection"))
        yield Finding(
            "customers", "Customers noticed it before any machine that is told of", (noticed.seq,), "hid",
            "detect", "Have an alert on what the customers saw",
            f"it fires within {LATE_MINUTES:g} min when the same symptom is brought about in a drill",
        )  # fmt: skip
    if seen.at is None and clock.declared.at is not None and not case.told:
        yield Finding(
            "unseen", "No alert reported it: a person did", _seqs(clock.declared.seq), "hid",
            "detect", "Have an alert on what the person saw",
            f"it fires within {LATE_MINUTES:g} min when the same symptom is brought about in a drill",
        )  # fmt: skip
    rule = case.catalog.severity(case.facts.severity)
    waited = minutes_between(seen if seen.at else clock.declared, clock.acknowledged)
    if waited is not None and rule.acknowledge_within and waited * 60 > rule.acknowledge_within:
        yield Finding(
            "unacknowledged",
            f"Nobody acted for {span(waited)}; the severity asks for {span(rule.acknowledge_within / 60)}",
            _seqs(seen.seq, clock.acknowledged.seq), "delayed", "detect",
            "Have the page reach somebody in time",
            f"a test page at the same hour is acknowledged within {span(rule.acknowledge_within / 60)}",
        )  # fmt: skip
    alerts = case.of("alert_received")
    if len(alerts) > STORM:
        yield Finding(
            "storm", f"{len(alerts)} alerts arrived for this one incident",
            _seqs(alerts[0].seq, alerts[-1].seq), "hid", "detect",
            "Group or drop the alerts that told nothing new",
            f"a replay of these alerts (jackline alerts simulate) shows fewer than {STORM} for it",
        )  # fmt: skip


def _access(case: Case) -> Iterator[Finding]:
    if failed := failed_access(case):
        paths = sorted({str(row.data.get("path") or "a way in") for row in failed})
        yield Finding(
            "access", f"Access failed over {case.cast.plain(', '.join(paths))}",
            tuple(row.seq for row in failed), "delayed", "recover",
            "Prove the ways in to the targets of this incident, and have one that shares nothing with it",
            "an access drill with the same things down reaches every target (jackline access drill)",
        )  # fmt: skip


def _runs(case: Case) -> Iterator[Finding]:
    for run in case.runs:
        name = case.cast.plain(run.title or run.id)
        if run.outcome in ("failed", "aborted") or run.outcome.startswith("stopped"):
            yield Finding(
                f"run-{run.id}", f"The run of “{name}” {run.outcome}", _seqs(run.end.seq if run.end else None) or _some(run),
                "delayed", "recover", f"Mend the runbook “{name}” where it ended",
                "a drill of it succeeds from its first step to its last",
            )  # fmt: skip
        yield from _steps(run, name)
    if not case.told and not any(run.started for run in case.runs):
        start = case.clock.declared.seq or case.clock.detected.seq
        yield Finding(
            "no-run", "No runbook was run", _seqs(start), "latent", "recover",
            "Write a runbook for this, or extend one, from what was done",
            "jackline check passes, it is proposed for these alerts, and a drill of it mitigates the same failure",
        )  # fmt: skip


def _some(run: Run) -> tuple[int, ...]:
    return tuple(row.seq for row in run.rows[-1:])


def _steps(run: Run, name: str) -> Iterator[Finding]:
    for step in run.steps.values():
        bad = step.outcome in ("failed", "no access", "outcome unknown")
        if bad or slower(step) or over(step):
            what = f"Step {step.id} of “{name}” took {_took(step)}" if not bad else f"Step {step.id} of “{name}”: {step.outcome}"  # fmt: skip
            yield Finding(
                f"step-{run.id}-{step.id}", what, tuple(step.seqs), "delayed", "recover",
                f"Rework step {step.id} of “{name}”",
                "a drill of the runbook has it done within what the runbook states",
            )  # fmt: skip
    if run.guards:
        yield Finding(
            f"guards-{run.id}", f"A guard held “{name}” back", tuple(r.seq for r in run.guards),
            "delayed", "mitigate", f"Decide whether the guards of “{name}” were right, and change what was not",
            "the runbook says why each of them holds, and a drill meets them as intended",
        )  # fmt: skip


def _took(step: Step) -> str:
    usual = f", usually {step.usual:g} s" if step.usual else ""
    stated = f", stated {step.stated:g} s" if step.stated else ""
    return f"{step.seconds or 0:g} s{usual}{stated}"


def _hands(case: Case) -> Iterator[Finding]:
    if not case.told and (done := by_hand(case)):
        yield Finding(
            "hands", f"Done by hand beside any runbook: {_count(len(done), 'thing')}",
            tuple(row.seq for row in done), "latent", "recover",
            "Make what was done by hand a step of a runbook",
            "a drill of the runbook does it without anybody typing",
        )  # fmt: skip


def _silences(case: Case) -> Iterator[Finding]:
    for gap in (
        () if case.told else case.gaps[:3]
    ):  # what was published is no protocol of the minutes
        yield Finding(
            f"gap-{gap.after.seq}", f"Nothing was recorded for {span(gap.minutes)}",
            (gap.after.seq, gap.before.seq), "hid", "mitigate",
        )  # fmt: skip


def _told(case: Case) -> Iterator[Finding]:
    updates = case.of("communication_sent")
    late = []
    for index, row in enumerate(updates):
        promised = read_time(row.data.get("next_at"))
        to = row.data.get("audience")
        came = next((u for u in updates[index + 1 :] if u.data.get("audience") == to), None)
        if promised and (came is None or came.at > promised):
            late.append(row.seq)
    if late:
        yield Finding(
            "promise", f"{_count(len(late), 'promised update')} did not come in time", tuple(late), "told",
            "mitigate", "Have the promised updates kept by somebody whose role that is",
            "in the next drill every promised update goes out in time",
        )  # fmt: skip
    rule = case.catalog.severity(case.facts.severity)
    known = {row.data.get("audience") for row in updates}
    lasted = minutes_between(case.clock.declared, case.clock.resolved)
    never = [
        a for a in dict.fromkeys([*rule.tell, *rule.updates])
        if a not in known and (lasted is None or lasted * 60 > (rule.first(a) or 0))
    ]  # fmt: skip
    if never and case.clock.declared.seq is not None:
        yield Finding(
            "untold", f"Never told, though the severity asks for it: {', '.join(never)}",
            (case.clock.declared.seq,), "told", "mitigate",
            "Have these audiences told in the time that the severity asks for",
            "the next incident or drill of this severity has an update for each in time",
        )  # fmt: skip


def _tools(case: Case) -> Iterator[Finding]:
    if missing := case.of("evidence_missing"):
        yield Finding(
            "evidence", f"{_count(len(missing), 'source')} of evidence did not answer",
            tuple(row.seq for row in missing), "hid", "detect",
            "Have the sources of evidence answer from where Jackline asks them",
            "evidence of a drill's incident has an answer of each within five seconds",
        )  # fmt: skip


def _figures(case: Case) -> Iterator[Finding]:
    lacking = [each for each in case.impact.services if each.slo is None]
    start = case.clock.declared.seq
    if lacking and start is not None:
        names = ", ".join(each.title for each in lacking[:5])
        yield Finding(
            "figures", f"The catalog has no slo of {names}", (start,), "",
            "detect", "Give these services an slo in the catalog, and alert on its burn",
            "the next draft that touches them has its burn computed, and the alert fires in a drill",
        )  # fmt: skip


def _conditions(case: Case) -> Iterator[Finding]:
    """What the sentences of a told outage say; what to do about it stands beside the resemblance."""
    for made, what, rows in conditions(case.rows, case.clock) if case.told else ():
        yield Finding(f"told-{what}", f"{what[0].upper()}{what[1:]}", rows, made)


def _again(case: Case) -> Iterator[Finding]:
    """How long it took is a finding as well: the next one can be measured against it."""
    start, end = case.clock.impact_start, case.clock.mitigated
    minutes = minutes_between(start, end)
    if minutes is None and case.told and (back := case.of("recovery")):
        yield Finding(
            "duration", "How long it took is not established", _seqs(back[0].seq), "", "recover",
            "Hold a drill of this incident with people who were not in it, and time it",
            "it is mitigated by what is written down alone, and the time that it took is on record",
        )  # fmt: skip
    if minutes is not None and minutes >= 0:
        yield Finding(
            "duration", f"It took {span(minutes)} until it was mitigated", _seqs(start.seq, end.seq),
            "", "recover", "Hold a drill of this incident with people who were not in it",
            f"it is mitigated in less than {span(minutes)}, by what is written down alone",
        )  # fmt: skip


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def of_kind(found: Iterable[Finding], *made: str) -> list[Finding]:
    """Those that did that to the incident."""
    return [each for each in found if each.made in made]

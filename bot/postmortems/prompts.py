"""The sections that people write: what the bot adds is a prompt and the rows to look at."""

from collections.abc import Iterator

from bot.postmortems.case import Case
from bot.postmortems.page import Bullets, Cite, Line, Origin, Section, Table, cell, cites, span
from bot.postmortems.runs import Run

_WRITE: Origin = "to be written"
_FACILITATOR = (
    "What did each responder see first, and what did they take it to mean at the time?",
    "At each decision, which options were on the table and what was known then?",
    "What made this hard to see, and which signal would have shown it sooner?",
    "Which part of the time to recovery was spent finding out, deciding, getting access, waiting?",
    "What did people do that is written down nowhere, and how did they know it?",
    "How did the work usually go well before this day?",
    "Where did tools, access or documents surprise somebody?",
    "Who outside the team was affected, what were they told, and when?",
    "What would have made this worse, and why did that not happen?",
)


def factors(case: Case) -> list[Section]:
    """Only what a person recorded; nothing is concluded from the order of rows."""
    return [
        _quoted(case, "Trigger", ("trigger",), "Not established: no person recorded a trigger."),
        _quoted(case, "Contributing factors", ("cause", "root cause", "factor", "contributing factor"),
                "Not established: no person recorded a factor."),
    ]  # fmt: skip


def _quoted(case: Case, title: str, prefixes: tuple[str, ...], empty: str) -> Section:
    found = case.notes(*prefixes)
    if not found:
        return Section(title, _WRITE, empty=empty)
    items = tuple(
        (f"{case.cast.actor(row.actor)} noted: ", *case.say(text), " ", Cite(row.seq))
        for row, text in found
    )
    note = (*items, cell("These are quotations, not findings: confirm or drop each of them."))
    return Section(title, "recorded", (Bullets(note),))


def reflections(case: Case) -> list[Section]:
    """Went well, went badly, lucky."""
    return [
        _prompted(case, "What went well", _went_well(case), ("well", "went well")),
        _prompted(case, "What went badly", _went_badly(case), ("badly", "went badly")),
        _prompted(case, "Where we were lucky", _lucky(case), ("lucky", "luck")),
    ]


def _prompted(case: Case, title: str, prompts: Iterator[Line], words: tuple[str, ...]) -> Section:
    noted = [(*case.say(text), " (noted by ", case.cast.actor(row.actor), ") ", Cite(row.seq)) for row, text in case.notes(*words)]  # fmt: skip
    items = (*noted, *prompts)
    empty = "No row of the record suggests a question here."
    return Section(title, _WRITE, (Bullets(items),) if items else (), empty=empty)


def _went_well(case: Case) -> Iterator[Line]:
    detected, person = case.clock.detected, case.clock.acknowledged
    if detected.at and (person.at is None or detected.at <= person.at):
        yield ("An alert came before any person's report: was it the right one, soon enough? ", *cites([detected.seq]))  # fmt: skip
    for run in _ended(case, "succeeded"):
        yield ("A run succeeded: what about it is worth keeping? ", *_end(run))
    for run in case.runs:
        if run.guards:
            yield ("A guard stopped a step: was it right to? ", *cites(r.seq for r in run.guards))


def _went_badly(case: Case) -> Iterator[Line]:
    for run in _ended(case, "failed", "aborted"):
        yield (f"A run {run.outcome}: what did it meet that the runbook did not expect? ", *_end(run))  # fmt: skip
    if failed := case.of("step_failed"):
        yield ("Steps failed: what would have shown this before the incident? ", *cites(r.seq for r in failed))  # fmt: skip
    if failed := case.of("access_failed"):
        yield ("Access failed: when was this path last proven? ", *cites(r.seq for r in failed))
    for gap in case.gaps:
        yield (f"Nothing was recorded for {span(gap.minutes)}: what happened meanwhile? ", *cites([gap.after.seq, gap.before.seq]))  # fmt: skip


def _lucky(case: Case) -> Iterator[Line]:
    if unknown := case.of("step_unknown"):
        yield ("The outcome of a step was not known: what if it had gone the other way? ", *cites(r.seq for r in unknown))  # fmt: skip
    for run in case.runs:
        for step in run.steps.values():
            if step.outcome == "succeeded" and step.attempts > 1:
                yield ("A step worked only at a later attempt: what if it had not? ", *cites(step.seqs))  # fmt: skip
    if start := case.clock.acknowledged.seq:
        yield ("Was it luck that the people who knew were there at that hour? ", *cites([start]))


def _ended(case: Case, *outcomes: str) -> list[Run]:
    return [run for run in case.runs if run.outcome in outcomes]


def _end(run: Run) -> Line:
    return cites([run.end.seq if run.end else None])


def actions() -> Section:
    """No action is invented; the columns say what a good one has."""
    head = ("Action", "Type: prevent, detect, mitigate, recover", "Owner role", "Due", "Done when (measurable)", "From finding")  # fmt: skip
    why = "Empty: actions follow from findings, and no person has written a finding yet."
    return Section("Action items", _WRITE, (Table(head, ()),), empty=why)


def open_questions(case: Case) -> Section:
    """What the record leaves open, and what people asked."""
    asked = [(*case.say(text), " ", Cite(row.seq)) for row, text in case.notes("question", "open question")]  # fmt: skip
    lines = [*asked, *_unknowns(case)]
    rows = tuple((line, cell(_WRITE), cell(_WRITE)) for line in lines)
    empty = "The record leaves none of the questions open that Jackline knows to ask."
    head = ("Question", "Who will answer", "By when")
    return Section("Open questions", "derived", (Table(head, rows),) if rows else (), empty=empty)


def _unknowns(case: Case) -> Iterator[Line]:
    for mark in case.clock.marks():
        if mark.at is None:
            yield cell(f"When was “{mark.title.lower()}”? Unknown: {mark.basis}.")
    for row in case.of("step_unknown"):
        yield cell("What came of the step whose outcome was not known? ", Cite(row.seq))
    for run in case.runs:
        if run.end is None and run.started:
            yield cell(case.cast.plain(f"How did run {run.id} end? Its end is not in the record."))
    yield from _missing_inputs(case)
    if not case.notes("cause", "root cause", "trigger"):
        yield cell("What was the trigger? Not established.")
    yield cell("Was data lost, and how do we know?")


def _missing_inputs(case: Case) -> Iterator[Line]:
    for each in case.impact.services:
        for name, value in (("cost per minute", each.cost_per_minute), ("SLO", each.slo)):
            if value is None:
                yield cell(f"What is the {name} of {each.title}? The catalog does not say.")


def facilitator() -> Section:
    """Questions that ask how, not why, and that nobody has to defend against."""
    return Section("Questions for the facilitator", _WRITE, (Bullets(tuple(cell(q) for q in _FACILITATOR)),))  # fmt: skip


def not_recorded() -> list[Section]:
    """Sections of the rubric for which this version records nothing, said aloud."""
    notices = "No regulatory or customer notice was recorded. A person decides whether one is due; Jackline starts no clock by itself."  # fmt: skip
    related = "Jackline does not look for related incidents yet."
    return [
        Section("Regulatory and customer notices", _WRITE, empty=notices),
        Section("Related incidents", _WRITE, empty=related),
    ]

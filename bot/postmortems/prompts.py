"""The sections that people write: what the bot adds is a prompt and the rows to look at."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from bot.postmortems.case import Case
from bot.postmortems.findings import Finding, of_kind
from bot.postmortems.moments import has_date
from bot.postmortems.page import Bullets, Cite, Line, Origin, Section, Table, cell, cites, utc
from bot.postmortems.runs import Run
from bot.postmortems.technical import thoughts
from bot.postmortems.told import tells_of_lost_data

_WRITE: Origin = "to be written"
_ANSWER_DAYS = 7  # where the severity sets no date for the postmortem
_FACILITATOR = (
    "What did each responder see first, and what did they take it to mean at the time?",
    "At each decision, which options were on the table and what was known then?",
    "What made this hard to see, and which signal shows such a thing soonest?",
    "Which part of the time to recovery was spent finding out, deciding, getting access, waiting?",
    "What did people do that is written down nowhere, and how did they know it?",
    "How did the work usually go well before this day?",
    "Where did tools, access or documents surprise somebody?",
    "Who outside the team was affected, what were they told, and when?",
    "What kept this from getting worse, and can that be relied on?",
)


def reflections(case: Case, found: Sequence[Finding]) -> list[Section]:
    """Went well, went badly, lucky."""
    return [
        _prompted(case, "What went well", _went_well(case), ("well", "went well")),
        _prompted(case, "What went badly", _went_badly(case, found), ("badly", "went badly")),
        _prompted(case, "Where we were lucky", _lucky(case), ("lucky", "luck")),
    ]


def _prompted(case: Case, title: str, prompts: Iterator[Line], words: tuple[str, ...]) -> Section:
    noted = [(*case.say(text), " (noted by ", case.cast.actor(row.actor), ") ", Cite(row.seq)) for row, text in case.notes(*words)]  # fmt: skip
    items = (*noted, *prompts)
    empty = "No row of the record suggests a question here."
    return Section(title, _WRITE, (Bullets(items),) if items else (), empty=empty)


def _went_well(case: Case) -> Iterator[Line]:
    detected, person = case.clock.detected, case.clock.acknowledged
    if detected.source == "machine" and detected.at and (person.at is None or detected.at <= person.at):  # fmt: skip
        yield ("An alert came before any person's report: was it the right one, soon enough? ", *cites([detected.seq]))  # fmt: skip
    for run in _ended(case, "succeeded"):
        yield ("A run succeeded: what about it is worth keeping? ", *_end(run))
    for run in case.runs:
        if run.guards:
            yield ("A guard stopped a step: was it right to? ", *cites(r.seq for r in run.guards))
    if not case.of("access_failed") and (worked := case.of("step_succeeded")):
        yield ("Every way in that was tried worked: what keeps it so? ", *cites(r.seq for r in worked[:6]))  # fmt: skip
    if case.clock.mitigated.seq is not None:
        yield ("It was mitigated: which of what people did made the difference? ", *cites([case.clock.mitigated.seq]))  # fmt: skip


def _went_badly(case: Case, found: Sequence[Finding]) -> Iterator[Line]:
    for each in of_kind(found, "hid", "delayed", "worsened", "told"):
        yield (*case.say(each.what), ": what was that like at the time? ", *cites(each.rows[:6]))
    start, end = case.clock.impact_start.seq, case.clock.mitigated.seq
    if start is not None and end is not None:
        yield ("Users were hurt for this long: where did the time go? ", *cites([start, end]))


def _lucky(case: Case) -> Iterator[Line]:
    if unknown := case.of("step_unknown"):
        yield ("The outcome of a step was not known: what if it had gone the other way? ", *cites(r.seq for r in unknown))  # fmt: skip
    for run in case.runs:
        for step in run.steps.values():
            if step.outcome == "succeeded" and step.attempts > 1:
                yield ("A step worked only at a later attempt: what if it had not? ", *cites(step.seqs))  # fmt: skip
    if start := case.clock.acknowledged.seq:
        yield ("Was it luck that the people who knew were there at that hour? ", *cites([start]))
    elif not case.told and (seen := case.clock.detected.seq or case.clock.declared.seq):
        yield ("No person appears in the record: was it luck that it ended by itself? ", *cites([seen]))  # fmt: skip


def _ended(case: Case, *outcomes: str) -> list[Run]:
    return [run for run in case.runs if run.outcome in outcomes]


def _end(run: Run) -> Line:
    return cites([run.end.seq if run.end else None])


def open_questions(case: Case) -> Section:
    """What the record leaves open and what people asked; who answers, by when: a proposal."""
    lead = "incident commander"
    asked = [((*case.say(text), " ", Cite(row.seq)), lead) for row, text in case.notes("question", "open question")]  # fmt: skip
    rows = tuple((line, cell(who), cell(_by(case))) for line, who in (*asked, *_unknowns(case)))
    empty = "The record leaves none of the questions open that Jackline knows to ask."
    head = ("Question", "Who will answer (proposed)", "By when (proposed)")
    return Section("Open questions", "derived", (Table(head, rows),) if rows else (), empty=empty)


def _by(case: Case) -> str:
    """When the postmortem is due by the severity's rule."""
    end = case.clock.resolved.at or (case.rows[-1].at if case.rows else case.facts.declared_at)
    within = case.catalog.severity(case.facts.severity).postmortem_within
    length = timedelta(seconds=within) if within else timedelta(days=_ANSWER_DAYS)
    return (
        utc(end + length, "%Y-%m-%d")
        if has_date(end)
        else f"{length.days} days after it was resolved"
    )


def _unknowns(case: Case) -> Iterator[tuple[Line, str]]:
    lead = "incident commander"
    for mark in case.clock.marks():
        if mark.at is None and not (
            case.told and mark is case.clock.closed
        ):  # nobody publishes that
            yield case.say(f"When was “{mark.title.lower()}”? Unknown: {mark.basis}."), lead
    for row in case.of("step_unknown"):
        yield cell("What came of the step whose outcome was not known? ", Cite(row.seq)), lead
    for run in case.runs:
        if run.end is None and run.started:
            yield cell(case.cast.plain(f"How did run {run.id} end? Its end is not in the record.")), lead  # fmt: skip
    for each in thoughts(case):
        if each.state == "open":
            yield ("Is this so? ", *case.say(each.text), " ", Cite(each.row.seq)), lead
    yield from _missing_inputs(case)
    yield from _unsaid(case)


def _unsaid(case: Case) -> Iterator[tuple[Line, str]]:
    """What no person wrote down, though somebody may know."""
    lead = "incident commander"
    if not case.notes("cause", "root cause", "trigger") and not case.of("trigger"):
        yield cell("What was the trigger? Not established."), lead
    if not case.notes("data loss") and not case.telling(tells_of_lost_data):
        yield cell("Was data lost, and how do we know?"), _owner(case)
    if not case.notes("impact"):
        yield cell("How many users were affected, and how was that measured?"), _owner(case)


def _owner(case: Case) -> str:
    return f"owner of {case.impact.services[0].title}" if case.impact.services else "incident commander"  # fmt: skip


def _missing_inputs(case: Case) -> Iterator[tuple[Line, str]]:
    for each in case.impact.services:
        for name, field, value in (("cost per minute", "cost_per_minute", each.cost_per_minute), ("SLO", "slo", each.slo)):  # fmt: skip
            if value is None:
                yield cell(f"What is the {name} of {each.title}? The catalog does not say: {field} of service {each.service}."), f"owner of {each.title}"  # fmt: skip


def facilitator() -> Section:
    """Questions that ask how, not why, and that nobody has to defend against."""
    return Section("Questions for the facilitator", _WRITE, (Bullets(tuple(cell(q) for q in _FACILITATOR)),))  # fmt: skip

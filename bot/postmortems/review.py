"""How the runbooks did: what was stated and usual beside what happened, skipped, failed, missing."""

from collections.abc import Iterator

from bot.postmortems.case import Case
from bot.postmortems.page import (
    Block,
    Bullets,
    Cite,
    Line,
    Section,
    Table,
    cell,
    cites,
    span,
    text_of,
    utc,
)
from bot.postmortems.runs import Run, Step
from bot.timeline import Entry

SLOW = 1.5  # times the usual length
_ENOUGH = 1.0  # seconds: below that nobody waits


def runbooks(case: Case) -> list[Section]:
    """One sub-section for each run, and what was done beside them."""
    if not case.runs:
        return [Section("Runbook review", "recorded", (text_of(*_none(case)), *_missing(case)))]
    intro = text_of(
        "Stated: what the runbook gives a step at most. Usual: the median of its earlier runs. "
        "Both are as the plan's row has them."
    )
    first = Section("Runbook review", "recorded", (intro, *_missing(case)))
    return [first, *(_run(case, run) for run in case.runs)]


def _none(case: Case) -> Line:
    if case.told:
        looked = f"{len(case.rows)} rows were looked through"
        return (f"No runbook run was recorded in what was published ({looked}), so there are no durations to compare.",)  # fmt: skip
    proposed = case.of("runbook_proposed")
    looked = f"{len(case.rows)} rows were looked through" if case.rows else "the record has no rows"
    said = f"No runbook run was recorded ({looked}), so no step was run, skipped or failed, and there are no durations to compare"
    if proposed:
        return (f"{said}; one was proposed ", *cites(row.seq for row in proposed), ".")
    return (f"{said}. No runbook was proposed either: none in the library was made for this.",)


def by_hand(case: Case) -> list[Entry]:
    """What people did themselves, by their own word: no runbook's step stands for it."""
    return [row for row, _ in case.notes("action")] + case.of("action")


def _missing(case: Case) -> Iterator[Block]:
    done = by_hand(case)
    if done:
        items = tuple((*case.say(row.text), " ", Cite(row.seq)) for row in done)
        yield text_of(
            "Missing steps: the actions that are told of. Which of these belong into a runbook?"
            if case.told
            else "Missing steps: done by hand beside any runbook. Which of these belong into one?"
        )
        yield Bullets(items)
    else:
        nobody = "Missing steps: no action is told of." if case.told else "Missing steps: no row says that something was done by hand."  # fmt: skip
        yield text_of(nobody)


def _run(case: Case, run: Run) -> Section:
    title = case.cast.plain(f"Run {run.id}: {run.title or 'untitled'}")
    blocks: list[Block] = [Bullets(tuple(_run_facts(case, run)))]
    if run.steps:
        head = ("Step", "Action", "Outcome", "Attempts", "Stated, at most", "Usual", "Time", "Compared", "Path", "Rows")  # fmt: skip
        blocks.append(Table(head, tuple(_step(case, step) for step in run.steps.values())))
    return Section(title, "recorded", tuple(blocks), level=3)


def _run_facts(case: Case, run: Run) -> Iterator[Line]:
    end = run.end
    yield (f"Outcome: {run.outcome} ", *cites([end.seq if end else None]))
    yield cell(f"Duration: {span(run.minutes)}")
    yield from _people(case, run)
    if run.guards:
        yield ("Guards that stopped it: ", *cites(row.seq for row in run.guards))
    else:
        yield cell("Guards: no failure recorded")
    undone = [f"{step.id} {step.undo}" for step in run.steps.values() if step.undo]
    yield cell(case.cast.plain(f"Undo: {', '.join(undone) or 'none recorded'}"))
    for label, steps in (
        ("Planned but not run", [s for s in run.steps.values() if not s.seqs]),
        ("Skipped", [s for s in run.steps.values() if s.outcome == "skipped"]),
        ("Failed", [s for s in run.steps.values() if s.outcome in ("failed", "no access", "outcome unknown")]),
        ("Slower than usual", [s for s in run.steps.values() if slower(s)]),
        ("Past what is stated", [s for s in run.steps.values() if over(s)]),
    ):  # fmt: skip
        if steps:
            names = case.cast.plain(f"{label}: {', '.join(s.id for s in steps)} ")
            yield (names, *cites(seq for s in steps for seq in s.seqs))


def _people(case: Case, run: Run) -> Iterator[Line]:
    """Who asked for it and who approved it; several may have to."""
    for label, kind in (("Requested", "run_requested"), ("Approved", "run_approved")):
        rows = [row for row in run.rows if row.kind == kind]
        for row in rows:
            yield (f"{label}: {utc(row.at)} UTC by {case.cast.actor(row.actor)} ", Cite(row.seq))
        if not rows:
            yield cell(f"{label}: not recorded")


def slower(step: Step) -> bool:
    """Whether it took well longer than it usually does."""
    return bool(step.usual and step.seconds and step.seconds > _ENOUGH and step.seconds > SLOW * step.usual)  # fmt: skip


def over(step: Step) -> bool:
    """Whether it took longer than the runbook gives it."""
    return bool(step.stated and step.seconds and step.seconds > step.stated)


def _compared(step: Step) -> str:
    if not step.seqs:
        return "not run"
    if step.seconds is None:
        return "its length is not recorded"
    words = []
    if step.usual:
        words.append(f"{step.seconds / step.usual:.1f} times the usual")
    if step.stated:
        part = step.seconds / step.stated
        words.append(f"{'under 1%' if part < 0.01 else f'{part:.0%}'} of what is stated")  # noqa: PLR2004 - a percent
    return ", ".join(words) or "nothing to compare with: neither stated nor run before"


def _step(case: Case, step: Step) -> tuple[Line, ...]:
    outcome = step.outcome + (f", undo {step.undo}" if step.undo else "")
    error = f" ({step.error})" if step.error else ""
    time = _length(step.seconds, "unknown") if step.seqs else ""
    return (
        case.say(step.id),
        case.say(step.action or "unknown"),
        case.say(outcome + error),
        cell(str(step.attempts)),
        cell(_length(step.stated, "not stated")),
        cell(_length(step.usual, "no earlier run")),
        cell(time),
        cell(_compared(step)),
        case.say(", ".join(step.paths)),
        cites(step.seqs),
    )


def _length(seconds: float | None, missing: str) -> str:
    if seconds is None:
        return missing
    return f"{seconds:.1f} s" if seconds < 10 else span(seconds / 60)  # noqa: PLR2004 - tenths matter

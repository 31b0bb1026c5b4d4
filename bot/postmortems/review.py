"""How the runbooks and the ways to the targets did: the bot's own tools under review."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

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

_HAPPENED = frozenset(
    {
        "step_succeeded",
        "step_failed",
        "step_retried",
        "step_unknown",
        "step_interrupted",
        "access_failed",
    }
)


def runbooks(case: Case) -> list[Section]:
    """One sub-section for each run."""
    if not case.runs:
        proposed = case.of("runbook_proposed")
        why = "No runbook run was recorded" + ("; one was proposed." if proposed else ".")
        return [Section("Runbook review", "recorded", empty=why)]
    intro = text_of("Durations stated by the runbook are not recorded, so they are not compared.")
    first = Section("Runbook review", "recorded", (intro,))
    return [first, *(_run(case, run) for run in case.runs)]


def _run(case: Case, run: Run) -> Section:
    title = case.cast.plain(f"Run {run.id}: {run.title or 'untitled'}")
    blocks: list[Block] = [Bullets(tuple(_run_facts(case, run)))]
    if run.steps:
        head = ("Step", "Action", "Outcome", "Attempts", "Time", "Path", "Rows")
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
    skipped = [step.id for step in run.steps.values() if not step.seqs]
    if skipped:
        yield cell(case.cast.plain(f"Planned but not run: {', '.join(skipped)}"))


def _people(case: Case, run: Run) -> Iterator[Line]:
    """Who asked for it and who approved it; several may have to."""
    for label, kind in (("Requested", "run_requested"), ("Approved", "run_approved")):
        rows = [row for row in run.rows if row.kind == kind]
        for row in rows:
            yield (f"{label}: {utc(row.at)} UTC by {case.cast.actor(row.actor)} ", Cite(row.seq))
        if not rows:
            yield cell(f"{label}: not recorded")


def _step(case: Case, step: Step) -> tuple[Line, ...]:
    outcome = step.outcome + (f", undo {step.undo}" if step.undo else "")
    error = f" ({step.error})" if step.error else ""
    time = span(step.seconds / 60 if step.seconds is not None else None) if step.seqs else ""
    return (
        case.say(step.id),
        case.say(step.action or "unknown"),
        case.say(outcome + error),
        cell(str(step.attempts)),
        cell(time),
        case.say(", ".join(step.paths)),
        cites(step.seqs),
    )


def access(case: Case) -> Section:
    """Which ways to the targets were tried, and which of them worked."""
    rows = [line for row in case.rows if row.kind in _HAPPENED for line in _attempts(case, row)]
    if not rows:
        why = "No step with an access path was recorded, so nothing is known about access."
        return Section("Access", "recorded", empty=why)
    failed = case.of("access_failed")
    said = "Failures of access: " if failed else "No failure of access was recorded."
    summary = text_of(said, *cites(row.seq for row in failed))
    table = Table(("Row", "UTC", "Run, step", "Path", "Result"), tuple(rows))
    return Section("Access", "recorded", (summary, table))


def _attempts(case: Case, row: Entry) -> Iterator[tuple[Line, ...]]:
    """The attempts that a step lists, then the path that it ended on."""
    tried = row.data.get("attempts")
    for each in tried if isinstance(tried, list) else []:
        path, result = _attempt(each)
        yield _attempt_row(case, row, path, result)
    if last := row.data.get("path"):
        error = row.data.get("error")
        ended = row.kind.replace("_", " ") + (f": {error}" if error else "")
        yield _attempt_row(case, row, str(last), ended)


def _attempt(each: Any) -> tuple[str, str]:  # noqa: ANN401 - JSON of any shape
    if not isinstance(each, dict):
        return str(each), "tried, result not recorded"
    result = each.get("error") or each.get("outcome") or "tried, result not recorded"
    return str(each.get("path") or "unnamed path"), str(result)


def _attempt_row(case: Case, row: Entry, path: str, result: str) -> tuple[Line, ...]:
    where = f"run {row.data.get('run_id', 'unknown')}, {row.data.get('step', 'unknown')}"
    return (
        cell(Cite(row.seq)),
        cell(utc(row.at, "%H:%M:%S")),
        case.say(where),
        case.say(path),
        case.say(result),
    )


def communication(case: Case) -> Section:
    """Updates that went out, and whether the next one came when it was promised."""
    updates = case.of("communication_sent")
    if not updates:
        why = "No published update was recorded. No promised time of recovery was recorded."
        return Section("Communication", "recorded", empty=why)
    lines = tuple((f"{utc(row.at)} UTC: ", *case.say(row.text), " ", Cite(row.seq)) for row in updates)  # fmt: skip
    promise = text_of("No promised time of recovery was recorded, so its accuracy is unknown.")
    return Section("Communication", "recorded", (Bullets(lines), *_promises(updates), promise))


def _promises(updates: list[Entry]) -> list[Block]:
    """How many of the next updates that were promised came in time."""
    promised = [row for row in updates if row.data.get("next_at")]
    if not promised:
        return []
    kept = sum(
        any(
            later.seq > row.seq
            and later.data.get("audience") == row.data.get("audience")
            and later.at <= datetime.fromisoformat(str(row.data["next_at"]))
            for later in updates
        )
        for row in promised
    )
    return [text_of(f"{kept} of {len(promised)} promised next updates came in time.")]

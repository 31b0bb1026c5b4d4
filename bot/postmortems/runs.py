"""Puts each runbook run together again from its rows. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.postmortems.marks import ordered
from bot.timeline import Entry

_ENDS = {
    "run_succeeded": "succeeded",
    "run_failed": "failed",
    "run_aborted": "aborted",
    "run_refused": "refused",
}
_STOPPED = "stopped: the outcome of a step is unknown"
_STEP_ENDS = {
    "step_succeeded": "succeeded",
    "step_failed": "failed",
    "step_retried": "tried again",
    "step_unknown": "outcome unknown",
    "step_interrupted": "interrupted",
    "access_failed": "no access",
    "guard_failed": "held back by a guard",
    "step_skipped": "skipped",
}


@dataclass
class Step:
    """One step of a run: what the plan said and what happened."""

    id: str
    action: str = ""
    outcome: str = "not run"
    attempts: int = 0
    seconds: float | None = None
    paths: list[str] = field(default_factory=list)
    error: str = ""
    undo: str = ""
    seqs: list[int] = field(default_factory=list)
    stated: float | None = None  # seconds that the runbook gives it at most
    usual: float | None = None  # seconds, the median of earlier runs


@dataclass
class Run:
    """One execution of a runbook."""

    id: str
    title: str = ""
    runbook: str = ""
    outcome: str = "proposed, not run"
    rows: list[Entry] = field(default_factory=list)
    steps: dict[str, Step] = field(default_factory=dict)
    guards: list[Entry] = field(default_factory=list)

    def row(self, *kinds: str) -> Entry | None:
        """The run's first row of one of these kinds."""
        return next((row for row in self.rows if row.kind in kinds), None)

    @property
    def started(self) -> bool:
        """Whether it was more than a proposal."""
        return self.row("run_started") is not None

    @property
    def end(self) -> Entry | None:
        """The row that ended it; the last one, since an abort is asked for before it is done."""
        return next((row for row in reversed(self.rows) if row.kind in _ENDS), None)

    @property
    def minutes(self) -> float | None:
        """From start to end as the record has it; None if either is missing."""
        start = self.row("run_started")
        if start is None or self.end is None:
            return None
        return (self.end.at - start.at).total_seconds() / 60


def runs(rows: Sequence[Entry]) -> list[Run]:
    """Every run that the rows mention, in order of appearance."""
    found: dict[str, Run] = {}
    for row in ordered(rows):
        run_id = row.data.get("run_id")
        if run_id is not None:
            run = found.setdefault(str(run_id), Run(str(run_id)))
            run.rows.append(row)
            _take(run, row)
    return list(found.values())


def _take(run: Run, row: Entry) -> None:
    data = row.data
    run.title = str(data.get("title") or run.title or data.get("runbook") or "")
    run.runbook = str(data.get("runbook") or run.runbook)
    run.outcome = _STOPPED if row.kind == "run_unknown" else _ENDS.get(row.kind, run.outcome)
    if row.kind == "run_started":
        run.outcome = "not finished in the record"
    if row.kind == "run_planned":
        _plan(run, data.get("steps"))
        _expect(run, data.get("limits"), data.get("earlier"))
    if row.kind == "guard_failed":
        run.guards.append(row)
    if data.get("step") and not row.kind.startswith("run_"):
        _take_step(_step(run, str(data["step"])), row)


def _plan(run: Run, steps: Any) -> None:  # noqa: ANN401 - JSON of any shape
    for each in steps if isinstance(steps, list) else []:
        if isinstance(each, dict) and each.get("id") is not None:
            _step(run, str(each["id"])).action = str(each.get("action") or "")


def _expect(run: Run, limits: Any, earlier: Any) -> None:  # noqa: ANN401 - JSON of any shape
    """What the runbook and its earlier runs say of each step's length, as the plan's row has it."""
    for step in run.steps.values():
        step.stated = _seconds(limits, step.id.partition("[")[0])
        step.usual = _seconds(earlier, step.id)


def _seconds(found: Any, name: str) -> float | None:  # noqa: ANN401 - JSON of any shape
    value = found.get(name) if isinstance(found, dict) else None
    return float(value) if isinstance(value, int | float) else None


def _step(run: Run, step_id: str) -> Step:
    return run.steps.setdefault(step_id, Step(step_id))


def _take_step(step: Step, row: Entry) -> None:
    step.seqs.append(row.seq)
    if row.kind in ("undo_started", "step_undone") or step.undo == "started":
        step.undo = _undo(row)
        return
    step.action = str(row.data.get("action") or step.action)
    if path := row.data.get("path"):
        step.paths += [str(path)] if str(path) not in step.paths else []
    if row.kind == "step_started":
        step.attempts += 1
        step.outcome = "started, no outcome recorded"
    elif row.kind in _STEP_ENDS:
        _end_step(step, row)


def _undo(row: Entry) -> str:
    """How far taking it back got; its rows have the same kinds as those of doing it."""
    if row.kind == "undo_started":
        return "started"
    return "done" if row.kind == "step_undone" else _STEP_ENDS.get(row.kind, "started")


def _end_step(step: Step, row: Entry) -> None:
    step.outcome = _STEP_ENDS[row.kind]
    step.error = str(row.data.get("error") or row.data.get("reason") or "")
    seconds = row.data.get("seconds")
    step.seconds = float(seconds) if isinstance(seconds, int | float) else None

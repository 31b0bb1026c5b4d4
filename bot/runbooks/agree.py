"""Whether a journal's tables say what its chain says. Pure.

Only the chain is sealed. Runs, attempts and approvals are tables beside it, and are merged as well:
each of them must be told by rows that nobody could have changed.
"""

from collections.abc import Sequence

from bot.runbooks.tables import LOOK, Approval, Run, StepAttempt
from bot.timeline import Entry

_PLAIN = ("do", "undo")
_SENT = {"do": "step_started", "undo": "undo_started"}
_KINDS = {
    "done": ("step_succeeded", "step_undone"),
    "failed": ("step_failed", "step_retried"),
    "not_sent": ("access_failed",),
    "unknown": ("step_unknown",),
    "interrupted": ("step_interrupted",),
}


def disagreement(
    rows: Sequence[Entry], runs: Sequence[Run], attempts: Sequence[StepAttempt],
    approvals: Sequence[Approval],
) -> str:  # fmt: skip
    """The first thing that no row tells, or ''."""
    of_run = {run.number: [r for r in rows if r.data.get("run_id") == run.number] for run in runs}
    for run in runs:
        if wrong := _run(run, of_run[run.number]):
            return wrong
    for attempt in attempts:
        if wrong := _attempt(attempt, of_run.get(attempt.run_id, [])):
            return wrong
    for said in approvals:
        known = any(
            row.kind in ("run_approved", "step_approved") and row.actor == f"person:{said.person}"
            for row in of_run.get(said.run_id, [])
        )
        if not known:
            return f"no row tells of the approval by {said.person}"
    return ""


def _run(run: Run, rows: Sequence[Entry]) -> str:
    asked = [r for r in rows if r.kind in ("run_requested", "runbook_proposed")]
    if not asked or asked[0].data.get("runbook") != run.runbook_id:
        return f"no row tells of run {run.number}"
    who = [r.actor for r in asked if r.kind == "run_requested"]
    if run.requester and f"person:{run.requester}" not in who:
        return f"no row says that {run.requester} asked for run {run.number}"
    began = any(r.kind in ("run_started", "undo_requested") for r in rows)
    if bool(run.started_at) and not began:
        return f"no row tells that run {run.number} began"
    if run.state == "succeeded" and not any(r.kind == "run_succeeded" for r in rows):
        return f"no row tells that run {run.number} succeeded"
    planned = [r.data.get("digest") for r in rows if r.kind in ("run_planned", "approval_void")]
    if run.plan_digest and run.plan_digest not in planned:
        return f"no row tells of the plan of run {run.number}"
    return ""


def _attempt(attempt: StepAttempt, rows: Sequence[Entry]) -> str:
    """The actions' attempts, each with its path and target; of the others, that they are told of."""
    if attempt.phase == LOOK:
        return ""
    name = f"attempt {attempt.attempt} at {attempt.step}"
    mine = [r for r in rows if r.data.get("step") == attempt.step]
    if not mine:
        return f"no row tells of {name}"
    if attempt.phase not in _PLAIN or not attempt.target:
        return ""
    sent = [
        r for r in mine
        if r.kind == _SENT[attempt.phase] and r.data.get("attempt") == attempt.attempt
        and r.data.get("target") == attempt.target and r.data.get("path") == attempt.access_path
        and r.data.get("action") == attempt.action
    ]  # fmt: skip
    if not sent:
        return f"no row tells of {name} on {attempt.target} over {attempt.access_path}"
    settled = any(r.kind == "outcome_settled" for r in rows)
    kinds = _KINDS.get(attempt.state, ())
    ended = [r for r in mine if r.kind in kinds and r.data.get("attempt") == attempt.attempt]
    if kinds and not ended and not settled:
        return f"no row tells that {name} was {attempt.state}"
    return ""

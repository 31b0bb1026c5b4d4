"""A run's message: the plan as before → after, live progress, and the next button. Pure."""

from collections.abc import Sequence
from typing import Any

from bot.catalog import Catalog
from bot.chat.blocks import Block, actions, button, context, escape, header, section
from bot.chat.run_asks import ask_blocks
from bot.runbooks import Run, StepAttempt
from bot.runbooks.consent import approvals
from bot.runbooks.output import is_long, one_line
from bot.runbooks.tables import LOOK

_MARK = {
    "done": "✅", "failed": "❌", "unknown": "❓", "intent": "⏳",
    "not_sent": "↪️", "interrupted": "🔁", "waiting": "⏸️",
    "skipped": "⏭️",
}  # fmt: skip
_STATE = {
    "planning": "being planned", "proposed": "proposed", "waiting": "waits for approval",
    "approved": "approved", "running": "running", "succeeded": "succeeded", "failed": "failed",
    "refused": "refused", "aborted": "aborted", "unknown": "outcome unknown",
    "held": "waits", "paused": "paused",
}  # fmt: skip
_GOING = ("approved", "running", "held", "paused")
_NAMED = 6  # of those who may approve
_ROOM = 40  # blocks for steps: 50 is Slack's limit


def may_approve(catalog: Catalog, run: Run, agreed: Sequence[str]) -> list[str]:
    """The ids of those for whom the button to approve is: not the requester, nor who has agreed."""
    needed = run.plan.get("approvals", {}).get("from", "")
    apart = {run.requester, *agreed}
    return [p.id for p in catalog.people if needed and p.has(needed) and p.id not in apart]


def run_blocks(
    run: Run,
    attempts: list[StepAttempt],
    approvers: list[str],
    requester: str,
    may: list[str],
    why: str = "",
) -> list[Block]:
    """The whole message. ``approvers``, ``requester`` and those who ``may`` approve are names.

    ``why`` it does not begin although people agreed.
    """
    blocks = [
        header(f"📋 {run.title}"),
        section(f"*{_STATE[run.state]}*{_who(run, approvers, requester, may)}"),
    ]
    if why:
        blocks.append(section(f"⏳ {escape(why)}"))
    steps = run.plan.get("steps", [])
    earlier = run.plan.get("earlier", {})
    now = attempts if run.state in _GOING else []
    blocks += [section(_step(step, attempts, earlier, _now(step, now))) for step in steps[:_ROOM]]
    if len(steps) > _ROOM:
        blocks.append(context(f"… and {len(steps) - _ROOM} more steps"))
    blocks += ask_blocks(run, attempts)
    if run.note:
        blocks.append(context(escape(run.note)))
    if glass := run.overrides.get("break_glass"):
        seen = f"reviewed by {glass['reviewed_by']}" if "reviewed_by" in glass else "not reviewed"
        blocks.append(section(f"🚨 *Approval forced* by {escape(glass['by'])}, {escape(seen)}"))
    if run.error:
        blocks.append(section(f"*{escape(run.error)}*"))
    if buttons := _buttons(run):
        blocks.append(actions(*buttons))
    return blocks


def _who(run: Run, approvers: list[str], requester: str, may: list[str]) -> str:
    parts = [f"asked for by {requester}"] if requester else []
    if approvers:
        parts.append(f"approved by {', '.join(approvers)}")
    needed = run.plan.get("approvals", {})
    left = needed.get("count", 0) - len(set(approvers) - {requester})
    if run.state in ("proposed", "waiting") and left > 0:
        whom = ", ".join(may[:_NAMED]) + (" …" if len(may) > _NAMED else "")
        parts.append(
            f"needs {approvals(left, 'another ' + needed['from'])}: "
            + (whom or "⚠️ the catalog has none (`/runbook break-glass`)")
        )
    return "  ·  " + ", ".join(parts) if parts else ""


def _mine(step: dict[str, Any], attempts: list[StepAttempt]) -> list[StepAttempt]:
    return [a for a in attempts if a.step == step["id"] or a.step.startswith(f"{step['id']}[")]


def _now(step: dict[str, Any], attempts: list[StepAttempt]) -> str:
    """What it does at this moment that is no attempt to do it; empty where there is nothing."""
    mine = _mine(step, attempts)
    if mine and mine[-1].phase == LOOK:
        return mine[-1].error
    back = mine and (mine[-1].phase, mine[-1].state) == ("undo", "intent")
    return "is being taken back" if back else ""


def _step(
    step: dict[str, Any], attempts: list[StepAttempt], earlier: dict[str, float], at: str
) -> str:
    mine = _mine(step, attempts)
    done = [a for a in mine if a.phase == "do"]
    undone = any(a.phase == "undo" and a.state == "done" for a in mine)
    mark = "⏳" if at else "↩️" if undone else _MARK[done[-1].state] if done else "▫️"
    unit = step["id"].partition("[")[2].rstrip("]")
    took = f"  _usually {earlier[step['id']]:g} s_" if step["id"] in earlier and not done else ""
    heading = escape(step["heading"]) + (f" · {escape(unit)}" if unit else "")
    lines = [f"{mark} *{heading}*  `{step['action']}`{took}"]
    if at:
        lines.append(f"      _{escape(at)}_")
    lines += [
        f"      {escape(c['what'])}: {escape(c['before'])} → *{escape(c['after'])}*" + _share(c)
        for c in step["changes"][:12]
    ]
    if step["note"]:
        lines.append(f"      _{escape(step['note'])}_")
    if needed := step.get("approval"):
        lines.append(f"      needs another {approvals(needed['count'], needed['from'])}")
    if step["undo"].startswith("cannot"):
        lines.append(f"      ⚠️ {escape(step['undo'])}")
    if done and done[-1].output and done[-1].state == "done" and "." in done[-1].action:
        lines.append(f"      {_given(done[-1].output)}")
    if done and done[-1].error:
        lines.append(f"      {escape(done[-1].error)}")
    return "\n".join(lines)


def _given(out: dict[str, Any]) -> str:
    return "_output in the thread_" if is_long(out) else "→ " + escape(one_line(out))


def _share(change: dict[str, Any]) -> str:
    return f"  ({change['share']:.0%} of capacity)" if change["share"] else ""


def _abort(value: str) -> Block:
    return button(
        "Abort", "run_abort", value, style="danger", confirm="Stop after the step in flight?"
    )


def _buttons(run: Run) -> list[Block]:
    value = f"{run.id}|{run.plan_digest}"
    refuse = button("Refuse", "run_refuse", value)
    pause = (
        button("Resume", "run_resume", value, style="primary")
        if run.pause or run.state == "paused"
        else button("Pause", "run_pause", value)
    )
    steer = [_abort(value)] if run.undo_requested else [pause, _abort(value)]
    undo = button("Undo", "run_undo", value, confirm="Take the steps back, last one first?")
    found = {
        "proposed": [button("Ask to run this", "run_request", value, style="primary"), refuse],
        "waiting": [button("Approve", "run_approve", value, style="primary"), refuse],
        **dict.fromkeys(("approved", "running", "held", "paused"), steer),
    }
    if run.state in ("succeeded", "failed", "aborted") and run.started_at:
        return [undo]
    return found.get(run.state, [])

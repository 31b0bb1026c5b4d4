"""A run's message: the plan as before → after, live progress, and the next button. Pure."""

from collections.abc import Sequence
from typing import Any

from bot.chat.blocks import Block, actions, button, context, escape, header, joined, section
from bot.chat.run_asks import ask_blocks
from bot.runbooks import Run, StepAttempt

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
_NAMES = 120  # characters for those who can approve
_ROOM = 40  # blocks for steps: 50 is Slack's limit


def run_blocks(
    run: Run,
    attempts: list[StepAttempt],
    approvers: list[str],
    requester: str,
    able: Sequence[str] = (),
) -> list[Block]:
    """The whole message. ``able``: who can still approve it, by name."""
    blocks = [
        header(f"📋 {run.title}"),
        section(f"*{_STATE[run.state]}*{_who(run, approvers, requester, able)}"),
    ]
    steps = run.plan.get("steps", [])
    earlier = run.plan.get("earlier", {})
    blocks += [section(_step(step, attempts, earlier)) for step in steps[:_ROOM]]
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


def _who(run: Run, approvers: list[str], requester: str, able: Sequence[str]) -> str:
    parts = [f"asked for by {requester}"] if requester else []
    if approvers:
        parts.append(f"approved by {', '.join(approvers)}")
    needed = run.plan.get("approvals", {})
    if run.state in ("proposed", "waiting") and needed.get("count"):
        whom = f": {joined(able, _NAMES, ', ')}" if able else ""
        parts.append(f"needs {needed['count']} approval(s) of another {needed['from']}{whom}")
    return "  ·  " + ", ".join(parts) if parts else ""


def _step(step: dict[str, Any], attempts: list[StepAttempt], earlier: dict[str, float]) -> str:
    mine = [a for a in attempts if a.step == step["id"] or a.step.startswith(f"{step['id']}[")]
    done = [a for a in mine if a.phase == "do"]
    undone = any(a.phase == "undo" and a.state == "done" for a in mine)
    mark = "↩️" if undone else _MARK[done[-1].state] if done else "▫️"
    unit = step["id"].partition("[")[2].rstrip("]")
    took = f"  _usually {earlier[step['id']]:g} s_" if step["id"] in earlier and not done else ""
    heading = escape(step["heading"]) + (f" · {escape(unit)}" if unit else "")
    lines = [f"{mark} *{heading}*  `{step['action']}`{took}"]
    lines += [
        f"      {escape(c['what'])}: {escape(c['before'])} → *{escape(c['after'])}*" + _share(c)
        for c in step["changes"][:12]
    ]
    if step["note"]:
        lines.append(f"      _{escape(step['note'])}_")
    if needed := step.get("approval"):
        lines.append(f"      needs {needed['count']} more approval(s) of {needed['from']}")
    if step["undo"].startswith("cannot"):
        lines.append(f"      ⚠️ {escape(step['undo'])}")
    if done and done[-1].error:
        lines.append(f"      {escape(done[-1].error)}")
    return "\n".join(lines)


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
    undo = button("Undo", "run_undo", value, confirm="Take the steps back, last one first?")
    found = {
        "proposed": [button("Ask to run this", "run_request", value, style="primary"), refuse],
        "waiting": [button("Approve", "run_approve", value, style="primary"), refuse],
        "approved": [pause, _abort(value)],
        "running": [pause, _abort(value)],
        "held": [pause, _abort(value)],
        "paused": [pause, _abort(value)],
        "unknown": [
            button("It happened", "run_happened", value),
            button("It did not happen", "run_not_happened", value),
        ],
    }
    if run.state in ("succeeded", "failed", "aborted") and run.started_at:
        return [undo]
    return found.get(run.state, [])

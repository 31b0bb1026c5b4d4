"""A run's message: the plan as before → after, live progress, and the next button. Pure."""

from typing import Any

from bot.chat.blocks import Block, actions, button, context, escape, header, section
from bot.runbooks import Run, StepAttempt

_MARK = {
    "done": "✅", "failed": "❌", "unknown": "❓", "intent": "⏳",
    "not_sent": "↪️", "interrupted": "🔁",
}  # fmt: skip
_STATE = {
    "planning": "being planned", "proposed": "proposed", "waiting": "waits for approval",
    "approved": "approved", "running": "running", "succeeded": "succeeded", "failed": "failed",
    "refused": "refused", "aborted": "aborted", "unknown": "outcome unknown",
}  # fmt: skip
_ROOM = 40  # blocks for steps: 50 is Slack's limit


def run_blocks(
    run: Run, attempts: list[StepAttempt], approvers: list[str], requester: str
) -> list[Block]:
    """The whole message."""
    blocks = [
        header(f"📋 {run.title}"),
        section(f"*{_STATE[run.state]}*{_who(run, approvers, requester)}"),
    ]
    steps = run.plan.get("steps", [])
    blocks += [section(_step(step, attempts)) for step in steps[:_ROOM]]
    if len(steps) > _ROOM:
        blocks.append(context(f"… and {len(steps) - _ROOM} more steps"))
    if run.error:
        blocks.append(section(f"*{escape(run.error)}*"))
    if buttons := _buttons(run):
        blocks.append(actions(*buttons))
    return blocks


def _who(run: Run, approvers: list[str], requester: str) -> str:
    parts = [f"asked for by {requester}"] if requester else []
    if approvers:
        parts.append(f"approved by {', '.join(approvers)}")
    needed = run.plan.get("approvals", {})
    if run.state in ("proposed", "waiting") and needed.get("count"):
        parts.append(f"needs {needed['count']} approval(s) of another {needed['role']}")
    return "  ·  " + ", ".join(parts) if parts else ""


def _step(step: dict[str, Any], attempts: list[StepAttempt]) -> str:
    mine = [a for a in attempts if a.step == step["id"]]
    done = [a for a in mine if a.phase == "do"]
    undone = any(a.phase == "undo" and a.state == "done" for a in mine)
    mark = "↩️" if undone else _MARK[done[-1].state] if done else "▫️"
    lines = [f"{mark} *{escape(step['heading'])}*  `{step['action']}`"]
    lines += [
        f"      {escape(c['what'])}: {escape(c['before'])} → *{escape(c['after'])}*" + _share(c)
        for c in step["changes"][:12]
    ]
    if step["note"]:
        lines.append(f"      _{escape(step['note'])}_")
    if step["undo"].startswith("cannot"):
        lines.append(f"      ⚠️ {escape(step['undo'])}")
    if done and done[-1].error:
        lines.append(f"      {escape(done[-1].error)}")
    return "\n".join(lines)


def _share(change: dict[str, Any]) -> str:
    return f"  ({change['share']:.0%} of capacity)" if change["share"] else ""


def _buttons(run: Run) -> list[Block]:
    value = f"{run.id}|{run.plan_digest}"
    refuse = button("Refuse", "run_refuse", value)
    match run.state:
        case "proposed":
            return [button("Ask to run this", "run_request", value, style="primary"), refuse]
        case "waiting":
            return [button("Approve", "run_approve", value, style="primary"), refuse]
        case "approved" | "running":
            return [
                button(
                    "Abort",
                    "run_abort",
                    value,
                    style="danger",
                    confirm="Stop after the step in flight?",
                )
            ]
        case "unknown":
            return [
                button("It happened", "run_happened", value),
                button("It did not happen", "run_not_happened", value),
            ]
        case "succeeded" | "failed" | "aborted" if run.started_at:
            return [
                button("Undo", "run_undo", value, confirm="Take the steps back, last one first?")
            ]
    return []

"""What a run asks of people while it runs: the facts in front of them, and the buttons. Pure."""

from bot.chat.blocks import Block, actions, button, cut, escape, section, when
from bot.log import redacted
from bot.runbooks import Run, StepAttempt
from bot.runbooks.consent import approvals
from bot.runbooks.output import one_line

_ROOM = 3  # questions shown at once: each takes two blocks
_LINES = 10


def ask_blocks(run: Run, attempts: list[StepAttempt]) -> list[Block]:
    """A section and its buttons for each step that waits for a person."""
    if run.state == "unknown":
        unknown = [row for row in attempts if row.state == "unknown"]
        return [block for row in unknown[:_ROOM] for block in _unknown(run, row)]
    if run.state not in ("running", "held"):
        return []
    waiting = [a for a in attempts if a.state == "waiting" and a.action in _ASKS]
    blocks: list[Block] = []
    for row in waiting[:_ROOM]:
        blocks += _ASKS[row.action](run, row)
    return blocks


def _unknown(run: Run, row: StepAttempt) -> list[Block]:
    """What is known of the step of which nobody knows whether it happened."""
    way = f" over `{escape(row.access_path)}`" if row.access_path else ""
    lines = [
        f"*Did {escape(row.step)} happen?*",
        f"`{row.action}` was sent to {escape(row.target)}{way} at {when(row.started_at)}: no outcome.",
    ]
    if row.before:
        lines.append(f"Just before: {escape(cut(one_line(redacted(row.before)), 300))}")
    if row.error:
        lines.append(f"Then: {escape(cut(row.error, 500))}")
    lines.append("It is not sent again by itself. Look at the target, then say which it was.")
    value = f"{run.id}|{row.step}"
    return [
        section("\n".join(lines)),
        actions(
            button("It happened", "run_happened", value),
            button("It did not happen", "run_not_happened", value),
        ),
    ]


def _manual(run: Run, row: StepAttempt) -> list[Block]:
    todo = "\n".join(f"☐ {escape(str(line))}" for line in row.output["checklist"][:_LINES])
    value = f"{run.id}|{row.step}"
    return [
        section(f"*By hand: {escape(row.step)}*\n{todo}"),
        actions(
            button("All done", "step_confirm", value, style="primary"),
            button(
                "Cannot be done", "step_cannot", value, confirm="The step then counts as failed."
            ),
        ),
    ]


def _approval(run: Run, row: StepAttempt) -> list[Block]:
    value = f"{run.id}|{row.step}"
    needed = f"needs {approvals(row.output['count'], row.output['from'])}"
    return [
        section(f"*{escape(row.step)}* {escape(needed)} before it begins"),
        actions(
            button("Approve this step", "step_approve", value, style="primary"),
            button("Refuse", "step_refuse", value),
        ),
    ]


def _decision(run: Run, row: StepAttempt) -> list[Block]:
    value = f"{run.id}|{row.step}"
    return [
        section(
            f"*{escape(row.step)} failed. What now?*\n{escape(str(row.output['error'])[:500])}"
        ),
        actions(
            button("Try again", "step_retry", value, style="primary"),
            button("Go on without it", "step_skip", value, confirm="Later steps then begin."),
            button(
                "Take the run back", "step_undo", value, confirm="Undo what was done, last first?"
            ),
            button("Stop here", "step_stop", value, style="danger"),
        ),
    ]


_ASKS = {"manual": _manual, "approval": _approval, "decision": _decision}

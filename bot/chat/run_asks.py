"""What a run asks of people while it runs: the facts in front of them, and the buttons. Pure."""

from bot.chat.blocks import Block, actions, button, cut, escape, section, when
from bot.runbooks import Run, StepAttempt

_ROOM = 3  # questions shown at once: each takes two blocks
_LINES = 10


def ask_blocks(run: Run, attempts: list[StepAttempt]) -> list[Block]:
    """A section and its buttons for each step that waits for a person."""
    if run.state == "unknown":
        return [block for a in attempts if a.state == "unknown" for block in _unknown(a)]
    if run.state not in ("running", "held"):
        return []
    waiting = [a for a in attempts if a.state == "waiting" and a.action in _ASKS]
    blocks: list[Block] = []
    for row in waiting[:_ROOM]:
        blocks += _ASKS[row.action](run, row)
    return blocks


def _unknown(row: StepAttempt) -> list[Block]:
    """What a person needs who goes and looks whether it happened."""
    before = ", ".join(f"{name} {value}" for name, value in list(row.before.items())[:_LINES])
    lines = [
        f"*Did it happen? {escape(row.step)}*",
        f"      `{row.action}` on {escape(row.target)}" + (f" over {escape(row.access_path)}" if row.access_path else ""),
        f"      sent at {when(row.started_at)}: {escape(cut(row.error or 'no answer came', 500))}",
        *([f"      before it: {escape(cut(before, 500))}"] if before else []),
        "      Look at the target itself. If it happened, the run goes on; if not, it ends as failed.",
    ]  # fmt: skip
    return [section("\n".join(lines))]


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
    needed = f"needs {row.output['count']} approval(s) of {row.output['from']}"
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

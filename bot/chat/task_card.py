"""Tasks as people see them: a line each, with the button that fits. Pure."""

from bot.catalog import Catalog
from bot.chat.blocks import Block, button, context, dated, escape, section
from bot.chat.standing import person_name
from bot.incidents import Task
from bot.store import now

_SIGN = {"open": "⬜", "done": "✅", "dropped": "🚫"}


def task_text(task: Task) -> str:
    """For notifications; plain text."""
    return f"{task.name.capitalize()} ({task.state}): {task.text}"


def task_line(catalog: Catalog, task: Task, here: int | None = None) -> str:
    """mrkdwn: the sign, the number, who and by when; ``here`` is the incident that is looked at."""
    text = f"~{escape(task.text)}~" if task.state == "dropped" else escape(task.text)
    parts = [f"{_SIGN[task.state]} *{task.number}* {text}"]
    if task.owner:
        parts.append(escape(person_name(catalog, task.owner)))
    if task.due_at and task.state == "open":
        late = " *late*" if task.due_at < now() else ""
        parts.append(f"by {dated(task.due_at)}{late}")
    if task.after:
        parts.append("follow-up")
    if here not in (None, task.incident_id):
        parts.append(f"of #{task.incident_id}")
    return " · ".join(parts)


def task_block(catalog: Catalog, task: Task, here: int | None = None) -> Block:
    """With the button that ends it, or takes that back."""
    block = section(task_line(catalog, task, here))
    value = f"{task.incident_id}|{task.number}"
    undo = task.state != "open"
    block["accessory"] = button(
        "Open again" if undo else "Done", "task_undo" if undo else "task_done", value
    )
    return block


def task_blocks(catalog: Catalog, task: Task, by: str) -> list[Block]:
    """One task's own message. ``by``: who gave it, escaped."""
    return [task_block(catalog, task), context(f"{task.name.capitalize()} by {by}")]

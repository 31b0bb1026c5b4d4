"""Legal clocks as people read them. Pure."""

from datetime import datetime

from bot.chat.blocks import TEXT, Block, context, dated, escape, joined, section
from bot.incidents.clocks import LAWS, Duty, in_order, left

CLOCK_CLICKS = ("clock_done",)


def duty_words(duty: Duty, at: datetime) -> str:
    """``GDPR: notification of the authority, 41 h left (…)`` in mrkdwn."""
    name = escape(duty.title)
    if duty.done is not None:
        return f"{name}: submitted at {dated(duty.done.at)}"
    if duty.at is None:
        law = LAWS[duty.law]
        what = {**law.facts, **law.duties}.get(duty.waits, duty.waits)
        return f"{name}: counts from “{what}”, which is not recorded"
    more = ", if it is major" if duty.if_major else ""
    rest = left(duty.at, at)
    shown = f"*{rest}*" if duty.at <= at else rest
    return f"{name}{more}: {shown} ({dated(duty.at)})"


def clocks_blocks(found: list[Duty], stopped: list[str], at: datetime) -> list[Block]:
    """A line for each duty, those that run first; ``stopped``: laws found not to apply."""
    lines = []
    for duty in in_order(found):
        late = duty.at is not None and duty.at <= at
        sign = "✅" if duty.done else "▫️" if duty.at is None else "🔴" if late else "⏳"
        lines.append(f"{sign} {duty_words(duty, at)}")
    lines += [f"▫️ {LAWS[law].name}: found not to apply" for law in stopped]
    return [
        section(joined(lines, TEXT)),
        context("Jackline submits nothing, and decides nothing."),
    ]

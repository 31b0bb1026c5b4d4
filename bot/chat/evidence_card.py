"""The evidence of an incident as blocks: what was found, what could not be had, what is still awaited.

What it shows was written by strangers: it is escaped, and log lines stand as code, where nothing
becomes a link or a name.
"""

from datetime import datetime
from typing import Any

from bot.chat.blocks import LINKABLE, TEXT, Block, context, escape, joined, section, when

_LINES = 2600  # characters of a part, beside its title and its link


def evidence_blocks(payload: dict[str, Any]) -> list[Block]:
    """``payload`` is what `bot.alerts.evidence.shown.payload` makes."""
    title = escape(str(payload["title"]))
    blocks = [section(f"*Evidence* {title}".strip())]
    blocks += [section(_part(part)) for part in payload.get("parts", [])[:20]]
    small = [escape(str(each)) for each in payload.get("unmeasured", [])]
    small += [f"Could not be had: {escape(str(each))}" for each in payload.get("missing", [])]
    if waiting := payload.get("waiting"):
        small.append(f"Still looking at {escape(', '.join(map(str, waiting)))} …")
    if small:
        blocks.append(context(joined(small, TEXT)))
    return blocks


def _part(part: dict[str, Any]) -> str:
    link = escape(str(part.get("link", "")))
    look_on = f"  <{link}|look on>" if LINKABLE.fullmatch(link) else ""
    name = "" if part["kind"] == "similar" else f" · {escape(str(part['name']))}"
    head = f"*{escape(str(part['title']))}*{name}{look_on}"
    lines = [_line(line, code=part["kind"] == "logs") for line in part["lines"]] or ["• none"]
    if part.get("more"):
        lines.append(f"• … and {int(part['more'])} more")
    if part.get("cut"):
        lines.append("• there are more than were fetched")
    return f"{head}\n{joined(lines, _LINES)}"


def _line(line: dict[str, Any], *, code: bool) -> str:
    text = escape(str(line["text"]))
    shown = f"`{text.replace('`', chr(39))}`" if code else text
    at = f"{when(datetime.fromisoformat(line['at']))} " if line.get("at") else ""
    count = f"{int(line['count'])}x " if line.get("count") else ""
    link = escape(str(line.get("link", "")))
    source = f"  <{link}|see>" if LINKABLE.fullmatch(link) else ""
    return f"• {count}{at}{shown}{source}"

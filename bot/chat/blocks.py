"""Block Kit's parts as plain data, cut to Slack's limits. Pure.

The same blocks are sent to Slack and rendered to HTML by the console.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from bot.chat import limits

Block = dict[str, Any]
TEXT, FIELD = limits.TEXT, limits.FIELD
LINKABLE = re.compile(r"https?://[^\s|<>]{1,900}")  # an escaped address that a link can have
_HALF = re.compile(r"(<[^<>]*|&[a-z]{0,3})$")


def cut(text: str, limit: int) -> str:
    """``text``, shortened with an ellipsis where it is over ``limit``."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def clip(text: str, limit: int) -> str:
    """The same for mrkdwn: the end is never half a link or half of an escaped sign."""
    return text if len(text) <= limit else _HALF.sub("", text[: limit - 1]) + "…"


def joined(parts: Sequence[str], limit: int, separator: str = "\n") -> str:
    """As many whole parts as fit, and how many more there are."""
    kept, room = list[str](), limit - len(f"{separator}… and {len(parts)} more")
    for part in parts:
        room -= len(part) + len(separator)
        if room < 0 and len(separator.join(parts)) > limit:
            left = len(parts) - len(kept)
            return separator.join([*kept, f"… and {left} more"])
        kept.append(part)
    return separator.join(kept)


def escape(text: str) -> str:
    """Alert text is data: it must not become a mention, a link or a tag."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def header(text: str) -> Block:
    """A headline, plain text."""
    return {
        "type": "header",
        "text": {"type": "plain_text", "text": cut(text, limits.HEADER), "emoji": True},
    }


def section(text: str) -> Block:
    """A paragraph of mrkdwn."""
    return {"type": "section", "text": {"type": "mrkdwn", "text": clip(text, TEXT)}}


def fields(*texts: str) -> Block:
    """Up to ten short facts, two in a row."""
    return {
        "type": "section",
        "fields": [{"type": "mrkdwn", "text": clip(t, FIELD)} for t in texts[: limits.FIELDS]],
    }


def context(text: str) -> Block:
    """Small print."""
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": clip(text, TEXT)}]}


def actions(*buttons: Block) -> Block:
    """A row of buttons."""
    return {"type": "actions", "elements": list(buttons)}


def button(text: str, action_id: str, value: str, *, style: str = "", confirm: str = "") -> Block:
    """A button; ``confirm`` asks once more with that text."""
    made: Block = {
        "type": "button",
        "text": {"type": "plain_text", "text": cut(text, limits.BUTTON), "emoji": True},
        "action_id": action_id,
        "value": value,
    }
    if style:
        made["style"] = style
    if confirm:
        made["confirm"] = {
            "title": {"type": "plain_text", "text": "Are you sure?"},
            "text": {"type": "mrkdwn", "text": clip(confirm, limits.CONFIRM_TEXT)},
            "confirm": {"type": "plain_text", "text": "Yes"},
            "deny": {"type": "plain_text", "text": "No"},
        }
    return made


def when(at: datetime) -> str:
    """A moment, in each reader's own time zone in Slack."""
    stamp = int(at.timestamp())
    return f"<!date^{stamp}^{{time_secs}}|{at:%H:%M:%S} UTC>"


def dated(at: datetime) -> str:
    """The same with its day, which depends on the reader's time zone as the hour does."""
    stamp = int(at.timestamp())
    return f"<!date^{stamp}^{{date_num}} {{time_secs}}|{at:%Y-%m-%d %H:%M:%S} UTC>"

"""The message of a hand-over: the note, and the buttons for the one who is offered command. Pure."""

from typing import Any

from bot.chat.blocks import TEXT, Block, actions, button, context, escape, joined, section
from bot.incidents import Incident

_OUTCOME = {
    "accepted": "took command", "refused": "did not take command",
    "withdrawn": "is not offered command any more",
}  # fmt: skip


def handover_text(payload: dict[str, Any], to: str) -> str:
    """In one line. ``to``: the name of the one who is offered command, escaped, or empty."""
    if outcome := payload.get("outcome"):
        return f"{to} {_OUTCOME[outcome]}"
    return f"Command is offered to {to}" if to else "Hand-over note"


def handover_blocks(
    incident: Incident, payload: dict[str, Any], to: str, author: str
) -> list[Block]:
    """``to`` and ``author`` are names, escaped."""
    lines = [escape(str(line)) for line in payload["lines"]]
    head = f"🤝 *{handover_text(payload, to)}*"
    blocks = [section(joined([head, *(f"• {line}" for line in lines)], TEXT)), context(author)]
    if incident.offer.get("key") == payload["key"]:
        value = f"{incident.number}|{payload['key']}"
        blocks.append(actions(
            button("Take command", "handover_accept", value, style="primary"),
            button("Not me", "handover_refuse", value),
        ))  # fmt: skip
    return blocks

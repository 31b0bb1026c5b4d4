"""An update's form: Slack's modal, and what is typed in a form as the command that it stands for. Pure."""

from datetime import datetime
from typing import Any

from bot.chat.blocks import Block
from bot.errors import BadInput
from bot.incidents.drafts import LIMIT, check_text
from bot.incidents.times import parse_time

AHEAD = "in 30m, at 14:30; empty: as the severity asks"
_TITLE = {"internal": "Update", "executives": "Tell executives", "customers": "Tell customers"}


def update_view(channel: str, audience: str, text: str) -> dict[str, Any]:
    """Opened with a draft; ``channel`` is where its answer goes."""
    twice = audience != "internal"
    blocks: list[Block] = [
        _input("text", "What they will read", text, multiline=True, max_length=LIMIT),
        {**_input("next", "Next update", "", max_length=60, placeholder=AHEAD), "optional": True},
    ]
    if twice:
        small = "You are shown it once more, with where it goes, before it goes out."
        blocks.append({"type": "context", "elements": [{"type": "mrkdwn", "text": small}]})
    return {
        "type": "modal",
        "callback_id": "update",
        "private_metadata": f"{channel}|{audience}",
        "title": {"type": "plain_text", "text": _TITLE[audience]},
        "submit": {"type": "plain_text", "text": "Preview" if twice else "Send"},
        "close": {"type": "plain_text", "text": "Cancel"},
        "blocks": blocks,
    }


def read_update(view: dict[str, Any]) -> tuple[str, str, str, str]:
    """(channel, audience, text, next) as submitted."""
    channel, _, audience = view["private_metadata"].partition("|")
    values = view["state"]["values"]
    text, ahead = (values[block]["value"]["value"] or "" for block in ("text", "next"))
    return channel, audience, text, ahead


def wrong(text: str, ahead: str, at: datetime, timezone: str) -> dict[str, str]:
    """What is wrong with each field, in words for beside it."""
    found = {}
    try:
        check_text(text)
    except BadInput as error:
        found["text"] = str(error)
    try:
        if ahead.strip():
            parse_time(spelled(ahead), at, timezone)
    except BadInput as error:
        found["next"] = str(error)
    return found


def typed(audience: str, text: str, ahead: str) -> str:
    """What it is as a command: ``update customers All is well next in 30m``."""
    promise = f" next {spelled(ahead)}" if ahead.strip() else ""
    return f"update {audience} {text.strip()}{promise}"


def spelled(ahead: str) -> str:
    """``30m`` as ``in 30m``, ``14:30`` as ``at 14:30``."""
    said = " ".join(ahead.lower().split())
    if not said[:1].isdigit():
        return said
    return f"{'at' if ':' in said or said.endswith(('am', 'pm')) else 'in'} {said}"


def _input(block: str, label: str, text: str, *, placeholder: str = "", **more: Any) -> Block:  # noqa: ANN401 - the element's own fields
    element = {"type": "plain_text_input", "action_id": "value", **more}
    if text:
        element["initial_value"] = text
    if placeholder:
        element["placeholder"] = {"type": "plain_text", "text": placeholder}
    return {
        "type": "input", "block_id": block, "element": element,
        "label": {"type": "plain_text", "text": label},
    }  # fmt: skip

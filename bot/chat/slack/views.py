"""Slack's modal for declaring an incident. Pure."""

import json
from typing import Any

from bot.chat import limits
from bot.chat.blocks import cut
from bot.incidents import SEVERITIES

TITLE = 150
_KEPT = 1000  # characters of a message
_MEANING = {
    "sev1": "everybody is hurt", "sev2": "many are hurt", "sev3": "some are hurt",
    "sev4": "nobody is hurt yet",
}  # fmt: skip


def declare_view(
    source: dict[str, str] | None = None, *, keep: bool = True, answer: str = ""
) -> dict[str, Any]:
    """What a bare ``/incident`` opens outside an incident's channel, and the shortcut at a message.

    ``source`` is that message: its ``text``, ``link`` and ``channel``. Unless it is to be kept, only
    what the person sees in the form goes into the incident. ``answer`` is the response URL by which
    its person hears what came of it: a form that is submitted brings none.
    """
    text = (source or {}).get("text", "").strip()
    title = {"initial_value": cut(text.splitlines()[0], TITLE)} if text else {}
    kept = {**source, "text": cut(text, _KEPT)} if source and keep else {}
    kept |= {"answer": answer} if answer else {}
    options = severity_options()
    return {
        "type": "modal",
        "callback_id": "declare",
        "private_metadata": _held(kept) if kept else "",
        "title": {"type": "plain_text", "text": "Declare an incident"},
        "submit": {"type": "plain_text", "text": "Declare"},
        "close": {"type": "plain_text", "text": "Cancel"},
        "blocks": [
            {
                "type": "input",
                "block_id": "title",
                "label": {"type": "plain_text", "text": "What is wrong?"},
                "element": {
                    "type": "plain_text_input",
                    "action_id": "value",
                    "max_length": TITLE,
                    **title,
                    "focus_on_load": True,
                },
            },
            {
                "type": "input",
                "block_id": "severity",
                "label": {"type": "plain_text", "text": "How bad is it?"},
                "element": {
                    "type": "static_select",
                    "action_id": "value",
                    "options": options,
                    "initial_option": options[1],
                },
            },
            {
                "type": "context",
                "elements": [
                    {"type": "mrkdwn", "text": "All commands: `/incident help`, `/runbook help`"}
                ],
            },
        ],
    }


def _held(kept: dict[str, str]) -> str:
    """As JSON that is no longer than what a view may hold: the text is what can be shorter."""
    made = json.dumps(kept, ensure_ascii=False)
    if (over := len(made) - limits.METADATA) > 0:
        text = cut(kept["text"], max(0, len(kept["text"]) - over))
        made = json.dumps({**kept, "text": text}, ensure_ascii=False)
    return made


def severity_options() -> list[dict[str, Any]]:
    """The gravest first."""
    return [
        {"text": {"type": "plain_text", "text": f"{s.upper()}: {_MEANING[s]}"}, "value": s}
        for s in SEVERITIES
    ]


def read_declare(view: dict[str, Any]) -> tuple[str, str, dict[str, str], str]:
    """(severity, title, the message that it is about, where it is answered) as submitted."""
    values = view["state"]["values"]
    severity = values["severity"]["value"]["selected_option"]["value"]
    source = json.loads(view.get("private_metadata") or "{}")
    answer = source.pop("answer", "")
    return severity, values["title"]["value"]["value"] or "", source, answer

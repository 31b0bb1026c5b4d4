"""Slack's modal for declaring an incident. Pure."""

from typing import Any

from bot.incidents import SEVERITIES

_MEANING = {
    "sev1": "everybody is hurt", "sev2": "many are hurt", "sev3": "some are hurt",
    "sev4": "nobody is hurt yet",
}  # fmt: skip


def declare_view(channel: str) -> dict[str, Any]:
    """What a bare ``/incident`` opens."""
    options = [
        {"text": {"type": "plain_text", "text": f"{s.upper()}: {_MEANING[s]}"}, "value": s}
        for s in SEVERITIES
    ]
    return {
        "type": "modal",
        "callback_id": "declare",
        "private_metadata": channel,
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
                    "max_length": 150,
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


def read_declare(view: dict[str, Any]) -> tuple[str, str]:
    """(severity, title) as submitted."""
    values = view["state"]["values"]
    severity = values["severity"]["value"]["selected_option"]["value"]
    return severity, values["title"]["value"]["value"] or ""

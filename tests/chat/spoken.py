"""One workspace with a client and nothing behind it, for tests that look at the way in alone."""

from pathlib import Path
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bot.chat.slack import Limits, SlackSurface
from bot.chat.slack.standing import Standing
from bot.chat.slack.workspaces import Workspaces


def workspaces(client: AsyncWebClient, standing: Standing | None = None) -> Workspaces:
    """Only `at`, and who the bot is."""
    nothing: Any = None
    return Workspaces(
        SlackSurface(
            client,
            nothing,
            nothing,
            nothing,
            "",
            Path(),
            nothing,
            Limits(0.1),
            standing or Standing(0),
            nothing,
        )
    )

"""The Slack adapter: a bolt app for what comes in, a surface for what goes out."""

from bot.chat.slack.app import SlackIn, build_app
from bot.chat.slack.surface import SlackSurface

__all__ = ["SlackIn", "SlackSurface", "build_app"]

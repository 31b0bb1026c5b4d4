"""Slack: what arrives goes through the inbox, what is said through the outbox."""

from bot.chat.slack.app import SlackIn, build_app
from bot.chat.slack.client import SlackClient
from bot.chat.slack.inbox import Inbox
from bot.chat.slack.pace import Limits
from bot.chat.slack.surface import SlackSurface

__all__ = ["Inbox", "Limits", "SlackClient", "SlackIn", "SlackSurface", "build_app"]

"""What every surface shares: commands, clicks and cards. Slack and the console are adapters."""

from bot.chat.cards import Cards, Rendered
from bot.chat.clicks import Clicks
from bot.chat.command import Command, Reply
from bot.chat.commands import Commands
from bot.chat.oncall import OnCall
from bot.chat.silences import Silencing
from bot.chat.ways import Ways

__all__ = [
    "Cards",
    "Clicks",
    "Command",
    "Commands",
    "OnCall",
    "Rendered",
    "Reply",
    "Silencing",
    "Ways",
]

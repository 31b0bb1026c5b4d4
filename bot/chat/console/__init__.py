"""The console: the web page people use when Slack is down. Server-rendered, live, phone first."""

from bot.chat.console.desk import Postmortem
from bot.chat.console.passwords import Passwords
from bot.chat.console.routes import build_console
from bot.chat.console.sessions import signin_link

__all__ = ["Passwords", "Postmortem", "build_console", "signin_link"]

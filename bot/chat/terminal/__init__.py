"""The terminal as a surface: runs a runbook from a go-bag when the bot itself is gone."""

from bot.chat.terminal.command import main

__all__ = ["main"]

"""The ``jackline`` command. Exit codes: 0 done, 1 it failed, 2 wrong use or bad input."""

from bot.cli.main import main

__all__ = ["main"]

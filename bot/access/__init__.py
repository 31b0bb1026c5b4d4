"""Access paths: named ways to open a connection to a target."""

from bot.access.dialer import Dialer, Link

__all__ = ["Dialer", "Link"]

"""The HTTP app: webhooks, API, health and metrics; it mounts the console and Slack's requests."""

from bot.web.server import build_web

__all__ = ["build_web"]

"""What comes in from outside: the HTTP app, and mail for sources.

The app has webhooks, API, health and metrics; it mounts the console and Slack's requests.
"""

from bot.web.server import build_web

__all__ = ["build_web"]

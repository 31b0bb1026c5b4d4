"""Search over all incidents: titles, timelines and postmortems."""

from bot.postmortems.search.flow import Found, Hit, Search

__all__ = ["Found", "Hit", "Search"]

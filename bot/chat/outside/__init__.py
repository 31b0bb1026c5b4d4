"""Who is told outside Slack: people by mail, phone, IRC, MQTT, webhook or pager, customers on status pages."""

from bot.chat.outside.feed import NoticeFeed
from bot.chat.outside.pagers import PagerWatch
from bot.chat.outside.papers import PaperSurface
from bot.chat.outside.status_pages import StatusSurface
from bot.chat.outside.surface import OutsideSurface
from bot.chat.outside.tickets import TicketSurface, TicketWatch, Trackers

__all__ = [
    "NoticeFeed",
    "OutsideSurface",
    "PagerWatch",
    "PaperSurface",
    "StatusSurface",
    "TicketSurface",
    "TicketWatch",
    "Trackers",
]

"""People who are told outside Slack: by mail, phone, IRC, MQTT or webhook."""

from bot.chat.outside.feed import NoticeFeed
from bot.chat.outside.pagers import PagerWatch
from bot.chat.outside.surface import OutsideSurface

__all__ = ["NoticeFeed", "OutsideSurface", "PagerWatch"]

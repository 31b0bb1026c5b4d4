"""The database: one writer's transaction at a time on SQLite, ordinary ones on PostgreSQL."""

from bot.store.batch import Batch, not_taken
from bot.store.engine import YIELDING, Store, gave_way, is_away
from bot.store.indexed import by_index
from bot.store.keys import load_key
from bot.store.spool import Spool
from bot.store.types import JsonColumn, Numbered, UtcDateTime, now

__all__ = [
    "YIELDING",
    "Batch",
    "JsonColumn",
    "Numbered",
    "Spool",
    "Store",
    "UtcDateTime",
    "by_index",
    "gave_way",
    "is_away",
    "load_key",
    "not_taken",
    "now",
]

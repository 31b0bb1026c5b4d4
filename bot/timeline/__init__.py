"""The record: append-only, hash-chained, sealed. The postmortem is drawn from nothing else.

`bot.timeline.charts` is not loaded with it: the go-bag records without a library for pictures.
"""

from bot.timeline.ledger import Ledger, Problem, entry_json, rows_of
from bot.timeline.tables import Entry

__all__ = ["Entry", "Ledger", "Problem", "entry_json", "rows_of"]

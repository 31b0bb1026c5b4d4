"""The record: append-only, hash-chained, sealed. The postmortem is drawn from nothing else.

`bot.timeline.charts` is not loaded with it: the go-bag records without a library for pictures.
"""

from bot.timeline.entry import Entry
from bot.timeline.ledger import Ledger, Problem, entries, rows_of
from bot.timeline.tables import Timeline

__all__ = ["Entry", "Ledger", "Problem", "Timeline", "entries", "rows_of"]

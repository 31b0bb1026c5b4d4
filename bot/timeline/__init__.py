"""The record: append-only, hash-chained, sealed. The postmortem is drawn from nothing else."""

from bot.timeline.charts import draw
from bot.timeline.ledger import Ledger, Problem, rows_of
from bot.timeline.tables import Entry

__all__ = ["Entry", "Ledger", "Problem", "draw", "rows_of"]

"""Postmortems: clock, cost and a draft, drawn from the timeline and nothing else."""

from bot.postmortems.editing.states import require_final
from bot.postmortems.flow import Postmortems
from bot.postmortems.tables import Postmortem

__all__ = ["Postmortem", "Postmortems", "require_final"]

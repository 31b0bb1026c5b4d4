"""What many incidents say together: counts, medians and what is still open; never a mean."""

from bot.postmortems.learning.digest import asked_week, digest, pattern_titles
from bot.postmortems.learning.flow import figures, patterns_of
from bot.postmortems.learning.sums import Figures
from bot.postmortems.learning.weekly import Weekly

__all__ = ["Figures", "Weekly", "asked_week", "digest", "figures", "pattern_titles", "patterns_of"]

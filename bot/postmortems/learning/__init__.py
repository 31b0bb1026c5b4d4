"""What many incidents say together: counts, medians and what is still open; never a mean."""

from bot.postmortems.learning.flow import figures
from bot.postmortems.learning.sums import Figures

__all__ = ["Figures", "figures"]

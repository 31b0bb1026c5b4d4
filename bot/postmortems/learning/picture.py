"""The figures' picture: incidents by week and severity. matplotlib's object interface only."""

import io

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from bot.postmortems.learning.sums import Figures
from bot.timeline.charts import GRID, INK

_COLOURS = {"sev1": "#b3261e", "sev2": "#d9822b", "sev3": "#1f6feb", "sev4": "#8a949e"}


def picture(found: Figures) -> bytes:
    """PNG: a bar for each week, the gravest at the bottom."""
    figure = Figure(figsize=(7.2, 2.6), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    weeks = list(found.by_week)
    below = [0] * len(weeks)
    for severity, colour in _COLOURS.items():
        counts = [found.by_week[week].get(severity, 0) for week in weeks]
        axes.bar(range(len(weeks)), counts, bottom=below, color=colour, label=severity.upper(), width=0.7)  # fmt: skip
        below = [a + b for a, b in zip(below, counts, strict=True)]
    step = max(1, len(weeks) // 8)
    axes.set_xticks(range(0, len(weeks), step), [week[5:] for week in weeks[::step]], fontsize=8)
    axes.set_ylim(0, max([*below, 1]) * 1.15)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_title("Incidents by week (Monday)", loc="left", fontsize=10, color=INK)
    axes.grid(axis="y", color=GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(fontsize=8, frameon=False, ncols=4, loc="upper right")
    out = io.BytesIO()
    figure.savefig(out, format="png")
    return out.getvalue()

"""Draws graphs as PNG bytes: what a responder looks at instead of reading."""

import io
from collections.abc import Sequence
from datetime import UTC, datetime

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num
from matplotlib.figure import Figure

from bot.contract import Graph

INK, GRID, LINES = "#1d2733", "#d9dee4", ("#b3261e", "#1f6feb", "#0b7a4b", "#8250df")


def draw(graphs: Sequence[Graph], marks: Sequence[tuple[datetime, str]] = ()) -> bytes:
    """One PNG, a panel for each graph, incident marks as dashed lines. Times are UTC.

    Uses matplotlib's object interface only: pyplot keeps global state and is not thread-safe.
    """
    figure = Figure(figsize=(7.2, 2.3 * len(graphs) + 0.3), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(len(graphs), 1, sharex=True, squeeze=False)
    for axes, graph in zip(panels[:, 0], graphs, strict=True):
        for index, series in enumerate(graph.series):
            x = [date2num(datetime.fromtimestamp(t, UTC)) for t, _ in series.points]
            y = [value for _, value in series.points]
            axes.plot(x, y, color=LINES[index % len(LINES)], linewidth=1.8, label=series.label)
        for at, label in marks:
            axes.axvline(date2num(at), color=INK, linestyle="--", linewidth=0.9)
            axes.annotate(
                label, (date2num(at), 1), xycoords=("data", "axes fraction"), fontsize=8,
                xytext=(3, -9), textcoords="offset points", color=INK,
            )  # fmt: skip
        axes.set_title(f"{graph.title} ({graph.unit})", loc="left", fontsize=10, color=INK)
        axes.grid(color=GRID, linewidth=0.6)
        axes.spines[["top", "right"]].set_visible(False)
        axes.set_ylim(bottom=0)
        axes.margins(x=0.02)
        if len(graph.series) > 1:
            axes.legend(fontsize=8, frameon=False, loc="upper left")
    locator = AutoDateLocator(tz=UTC)
    panels[-1, 0].xaxis.set_major_locator(locator)
    panels[-1, 0].xaxis.set_major_formatter(ConciseDateFormatter(locator, tz=UTC))
    out = io.BytesIO()
    figure.savefig(out, format="png")
    return out.getvalue()

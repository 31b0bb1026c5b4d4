"""Draws graphs as PNG bytes: what a responder looks at instead of reading."""

import io
import math
from collections.abc import Sequence
from datetime import UTC, datetime

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num
from matplotlib.figure import Figure
from matplotlib.font_manager import findfont, get_font

from bot.contract import Graph, Series

INK, GRID, LINES = "#1d2733", "#d9dee4", ("#b3261e", "#1f6feb", "#0b7a4b", "#8250df")
PANELS = 12  # a picture that a chat still shows, drawn within a second
MARKS = 12  # lines across a graph: more would hide it
_LATEST = datetime(9000, 1, 1, tzinfo=UTC).timestamp()
_HIGHEST = 1e300  # beyond it the axis' own arithmetic overflows


def draw(graphs: Sequence[Graph], marks: Sequence[tuple[datetime, str]] = ()) -> bytes:
    """One PNG, a panel for each graph, marks as vertical dashed lines. Times are UTC.

    Uses matplotlib's object interface only: pyplot keeps global state and is not thread-safe.
    Figures come from outside: what cannot be placed on an axis is left out, not an error.
    """
    out = io.BytesIO()
    metrics(graphs, marks).savefig(out, format="png")
    return out.getvalue()


def metrics(
    graphs: Sequence[Graph], marks: Sequence[tuple[datetime, str]] = (), *, wide: float = 7.2
) -> Figure:
    """The figure that `draw` makes a PNG of; ``wide`` in inches."""
    if not graphs:
        raise ValueError("there is no graph to draw")
    shown = graphs[:PANELS]
    figure = Figure(figsize=(wide, 2.3 * len(shown) + 0.3), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(len(shown), 1, sharex=True, squeeze=False)
    for axes, graph in zip(panels[:, 0], shown, strict=True):
        _panel(axes, graph)
        for number, (at, label) in enumerate(marks[:MARKS]):
            axes.axvline(date2num(at), color=INK, linestyle="--", linewidth=0.9)
            axes.annotate(
                readable(label, 24), (date2num(at), 1), xycoords=("data", "axes fraction"), fontsize=8,
                xytext=(3, -9 - 9 * (number % 4)), textcoords="offset points", color=INK, parse_math=False,
            )  # fmt: skip
    locator = AutoDateLocator(tz=UTC)
    panels[-1, 0].xaxis.set_major_locator(locator)
    panels[-1, 0].xaxis.set_major_formatter(ConciseDateFormatter(locator, tz=UTC))
    if len(graphs) > PANELS:
        panels[-1, 0].set_xlabel(f"{len(graphs) - PANELS} more graphs are not shown", fontsize=8)
    return figure


def _panel(axes: Axes, graph: Graph) -> None:
    values: list[float] = []
    for index, series in enumerate(graph.series):
        x, y = _places(series)
        values += [value for value in y if not math.isnan(value)]
        # A line through one point would not be seen.
        marker = "" if len(x) > 1 else "o"
        axes.plot(x, y, marker=marker, color=LINES[index % len(LINES)], linewidth=1.8)
    title = f"{readable(graph.title)} ({readable(graph.unit)})"
    axes.set_title(title, loc="left", fontsize=10, color=INK, parse_math=False)
    axes.grid(color=GRID, linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    if all(value >= 0 for value in values):
        axes.set_ylim(bottom=0)
    axes.margins(x=0.02)
    if not values:
        axes.text(0.5, 0.5, "no data", transform=axes.transAxes, ha="center", color=INK)
    if len(graph.series) > 1:
        labels = [readable(series.label, 60) for series in graph.series]
        legend = axes.legend(axes.lines, labels, fontsize=8, frameon=False, loc="upper left")
        for text in legend.get_texts():
            text.set_parse_math(False)


def _places(series: Series) -> tuple[list[float], list[float]]:
    """A line's places on both axes; a value that is no number, or has no room, is a gap."""
    points = [(t, value) for t, value in series.points if 0 <= t < _LATEST]
    x = [date2num(datetime.fromtimestamp(t, UTC)) for t, _ in points]
    return x, [value if abs(value) < _HIGHEST else math.nan for _, value in points]


def readable(text: str, limit: int = 90) -> str:
    """What the font can draw of a text; a leading underscore would hide a label."""
    font = get_font(findfont("DejaVu Sans"))
    drawn = "".join(c if font.get_char_index(ord(c)) else "?" for c in " ".join(text.split()))
    cut = drawn if len(drawn) <= limit else drawn[: limit - 1] + "…"
    return f" {cut}" if cut.startswith("_") or not cut else cut

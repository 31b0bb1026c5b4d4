"""Draws a draft's own pictures, SVG and PNG: time runs downwards, so that a phone can show it.

matplotlib's object interface only, as in `bot.timeline.charts`; the same content gives the same bytes.
"""

import io
from collections.abc import Mapping
from datetime import UTC, datetime

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num
from matplotlib.figure import Figure

from bot.postmortems.page import span
from bot.postmortems.plots import window
from bot.postmortems.plotted import Event, Plots
from bot.timeline.charts import GRID, INK, metrics, readable

PHASE_COLOURS = {
    "detection": "#f6c7c3", "response": "#fbdcae", "mitigation": "#cfe0fb", "recovery": "#cdebd9",
    "before": "#eceff2", "after": "#eceff2", "trigger": "#b3261e",
}  # fmt: skip
_MARK, _EVENT, _SILENCE = "#b3261e", "#1f6feb", "#8a949e"
_WIDE, _LINE = 4.6, 0.29  # inches: of the picture, and of a label
_STYLE: Mapping[str, object] = {"svg.fonttype": "path", "svg.hashsalt": "jackline", "font.size": 9}
_META: dict[str, dict[str, object]] = {
    "svg": {"Date": None, "Creator": None},
    "png": {"Software": None},
}


def draw(plots: Plots) -> dict[str, bytes]:
    """File name → content, each picture as SVG and as PNG."""
    found: dict[str, bytes] = {}
    with mpl.rc_context(dict(_STYLE)):  # type: ignore[arg-type]  # its names are a Literal
        for name, make in ((plots.timeline, _timeline), (plots.clock, _clock)):
            if name:
                figure = make(plots)
                found |= {f"{name}.{kind}": _saved(figure, kind) for kind in _META}
        if plots.metrics:
            marks = [(event.at, event.label) for event in plots.events if event.mark]
            figure = metrics(plots.graphs, marks, wide=_WIDE)
            found |= {f"{plots.metrics}.{kind}": _saved(figure, kind) for kind in _META}
    return found


def _saved(figure: Figure, kind: str) -> bytes:
    out = io.BytesIO()
    figure.savefig(out, format=kind, facecolor="white", metadata=_META[kind])
    return out.getvalue()


def _figure(height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(_WIDE, height), dpi=160, layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.subplots()


def _timeline(plots: Plots) -> Figure:
    """Phases as bands at the left, silences hatched over them, events with their words."""
    figure, axes = _figure(1.5 + _LINE * max(len(plots.events), 6))
    first, last = _place(plots.events[0].at), _place(plots.events[-1].at)
    for stretch in plots.phases:
        first, last = min(first, _place(stretch.start)), max(last, _place(stretch.end))
    room = (last - first) or 1 / 24
    axes.set_xlim(0, 10)
    axes.set_ylim(last + 0.04 * room, first - 0.04 * room)
    for stretch in plots.phases:
        low, high = _place(stretch.start), _place(stretch.end)
        axes.fill_between([0, 1.1], low, high, color=PHASE_COLOURS.get(stretch.name, GRID), linewidth=0)  # fmt: skip
    for gap in plots.gaps:
        axes.fill_between(
            [0, 1.1], _place(gap.start), _place(gap.end), facecolor="none", edgecolor=_SILENCE,
            hatch="////", linewidth=0,
        )  # fmt: skip
    for event, place in zip(plots.events, _spread(plots.events, first, last), strict=True):
        at, colour = _place(event.at), _MARK if event.mark else _EVENT
        axes.plot([1.1, 1.9, 2.1], [at, place, place], color=GRID, linewidth=0.9, zorder=1)
        axes.plot([1.1], [at], marker="o", markersize=4, color=colour, zorder=2)
        axes.text(
            2.2, place, f"{event.at.astimezone(UTC):%H:%M} {readable(event.label, 60)}",
            va="center", color=colour if event.mark else INK, fontsize=8.5, clip_on=True, in_layout=False,
            weight="bold" if event.mark else "normal", parse_math=False,
        )  # fmt: skip
    _dress(axes, f"Timeline, {window(plots.events)}")
    locator = AutoDateLocator(tz=UTC)
    axes.yaxis.set_major_locator(locator)
    axes.yaxis.set_major_formatter(ConciseDateFormatter(locator, tz=UTC))
    axes.set_xticks([])
    _legend(axes, plots)
    return figure


def _legend(axes: Axes, plots: Plots) -> None:
    names = dict.fromkeys(stretch.name for stretch in plots.phases)
    handles = [axes.fill_between([], [], color=PHASE_COLOURS.get(name, GRID)) for name in names]
    labels = list(names)
    if plots.gaps:
        handles.append(axes.fill_between([], [], facecolor="none", edgecolor=_SILENCE, hatch="////"))  # fmt: skip
        labels.append("silence")
    if handles:
        axes.legend(
            handles, labels, loc="upper center", bbox_to_anchor=(0.5, -0.02), ncols=3, frameon=False,
            fontsize=8,
        )  # fmt: skip


def _spread(events: tuple[Event, ...], first: float, last: float) -> list[float]:
    """Where the words stand: near their moment, no two on top of each other, all within."""
    step = ((last - first) or 1 / 24) / max(len(events) - 1, 1) * 0.98
    step = min(step, ((last - first) or 1 / 24) / 12)
    places: list[float] = []
    for event in events:
        place = _place(event.at)
        places.append(max(place, places[-1] + step) if places else place)
    limit = last
    for index in range(len(places) - 1, -1, -1):
        places[index] = min(places[index], limit)
        limit = places[index] - step
    return places


def _clock(plots: Plots) -> Figure:
    """A bar from the start of the impact to each mark."""
    figure, axes = _figure(0.9 + 0.36 * len(plots.bars))
    longest = max(bar.start + bar.length for bar in plots.bars)
    for index, bar in enumerate(plots.bars):
        axes.barh(index, bar.length, left=bar.start, height=0.62, color="#cfe0fb")
        axes.text(
            longest * 0.015, index, f"{readable(bar.label, 40)}: {span(bar.length)}", va="center",
            color=INK, fontsize=8.5, clip_on=True, in_layout=False, parse_math=False,
        )  # fmt: skip
    axes.set_ylim(len(plots.bars) - 0.4, -0.6)
    axes.set_yticks([])
    axes.set_xlim(0, longest * 1.02)
    axes.set_xlabel("minutes after the impact started", fontsize=8, color=INK)
    _dress(axes, "Response clock")
    return figure


def _dress(axes: Axes, title: str) -> None:
    axes.set_title(title, loc="left", fontsize=10, color=INK, parse_math=False)
    axes.tick_params(labelsize=8, colors=INK)
    axes.spines[["top", "right"]].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(GRID)


def _place(at: datetime) -> float:
    return float(date2num(at))

"""Graphs become a picture whatever the figures are: evidence comes from outside."""

import io
import math
from datetime import UTC, datetime

import pytest
from matplotlib.image import imread

from bot.contract import Graph, Series
from bot.timeline import charts
from bot.timeline.charts import draw

T = 1_900_000_000.0
MARK = (datetime.fromtimestamp(T, UTC), "declared")


def graph(*points: tuple[float, float], title: str = "Errors", **more: str) -> Graph:
    label = more.pop("label", "errors")
    lines = [Series(label=label, points=list(points)), Series(label=f"{label}2", points=[])]
    return Graph(title=title, unit=more.pop("unit", "%"), series=lines)


def size(png: bytes) -> tuple[int, int]:
    """Height and width, once the picture could be decoded whole."""
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    height, width, _ = imread(io.BytesIO(png), format="png").shape
    return height, width


@pytest.mark.parametrize(
    "points",
    [
        [],
        [(T, 1.0)],
        [(T, 1.0), (T + 60, 2.0)],
        [(T, 1.0), (T, 1.0)],
        [(T, math.nan)],
        [(T, 1.0), (T + 60, math.nan), (T + 120, 3.0)],
        [(T, math.inf), (T + 60, -math.inf), (T + 120, 1.0)],
        [(T, 1e308), (T + 60, -1e308)],
        [(T, -5.0), (T + 60, -1.0)],
        [(T, 0.0), (T + 60, 0.0)],
        [(math.nan, 1.0), (math.inf, 1.0), (1e20, 1.0), (-1e20, 1.0)],
    ],
    ids=[
        "none", "one", "two", "same", "nan", "gap", "infinite", "huge", "negative", "zero",
        "time-out-of-range",
    ],
)  # fmt: skip
def test_any_figures_become_a_picture(points: list[tuple[float, float]]) -> None:
    """No exception and no warning: a gap where there is no number, "no data" where none is."""
    assert size(draw([graph(*points)], [MARK]))[1] == 792


@pytest.mark.parametrize(
    "text",
    ["cost $x_$ of $", "$\\frac", "_hidden", "", "🔥 漢字", "a\nb\0c", "x" * 3000, "%s {0} \\n"],
)
def test_any_words_become_a_picture(text: str) -> None:
    """Titles, labels and units are words, never formulas, and cannot push the lines out."""
    made = graph((T, 1.0), (T + 60, 2.0), title=text, label=text, unit=text[:40])
    assert size(draw([made], [(MARK[0], text)]))[0] > 200


def test_each_graph_has_a_panel() -> None:
    one, three = (size(draw([graph((T, 1.0))] * n))[0] for n in (1, 3))
    assert three > 2.5 * one


def test_a_graph_without_lines() -> None:
    assert size(draw([Graph(title="Empty", unit="ms", series=[])]))


def test_a_huge_outage_stays_a_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond what a chat shows, the rest is counted in words."""
    monkeypatch.setattr(charts, "PANELS", 3)
    assert size(draw([graph((T, 1.0))] * 40))[0] <= 3 * 280


def test_nothing_to_draw_is_said() -> None:
    with pytest.raises(ValueError, match="no graph to draw"):
        draw([])

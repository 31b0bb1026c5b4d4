"""Draws what stands on what as SVG: who stands on something is to the left of it. Pure."""

from collections.abc import Iterable, Mapping
from xml.etree import ElementTree as ET

from bot.access.graph import Fall, graph_of, shown
from bot.catalog import Catalog

_ROW, _BOX, _GAP, _EDGE, _LETTER, _HEAD = 34, 24, 120, 20, 6.9, 60
_FILL = {
    "service": "#dbeafe", "target": "#ffffff", "path": "#dcfce7", "credential": "#fef9c3",
    "jackline": "#ede9fe",
}  # fmt: skip
_OTHER, _DOWN, _CUT_OFF = "#f1f5f9", "#fecaca", "#ffedd5"
_LINE, _FADED, _ALARM = "#475569", "#94a3b8", "#b91c1c"
_KINDS = ("service", "target", "path", "credential", "jackline", "anything else")
Point = tuple[float, float]


def picture(catalog: Catalog, failed: Iterable[str] = ()) -> str:
    """The SVG's text; what falls with ``failed`` is red, and says why when pointed at."""
    graph = graph_of(catalog)
    ways = [(f"target:{t.name}", f"path:{via}") for t in catalog.targets for via in t.via]
    edges = [(node, need) for node, needs in graph.needs.items() for need in needs]
    columns = _columns([*edges, *ways])
    sizes = [max(_width(node) for node in column) for column in columns]
    tall = max([len(column) for column in columns], default=1) * _ROW
    places: dict[str, Point] = {}
    x = float(_EDGE)
    for column, wide in zip(columns, sizes, strict=True):
        top = _HEAD + _EDGE + (tall - len(column) * _ROW) / 2
        for row, node in enumerate(column):
            places[node] = (x + (wide - _width(node)) / 2, top + row * _ROW)
        x += wide + _GAP
    svg = _paper(max(x - _GAP, 720) + _EDGE, tall + _HEAD + 2 * _EDGE)
    fall = graph.down(failed)
    _legend(svg, red=bool(fall.because))
    for node, need in ways:
        _edge(svg, places, node, need, red=node in fall and need in fall, dashes="2 4")
    for node, need in edges:
        assumed = (node, need) in graph.assumed
        _edge(svg, places, node, need, red=need in fall, dashes="6 4" if assumed else "")
    living = {target for target, path in ways if path not in fall}
    targets = {target for target, _ in ways}
    for node, place in places.items():
        _draw(svg, node, place, fall, cut_off=node in targets - living)
    ET.indent(svg)
    return ET.tostring(svg, encoding="unicode") + "\n"


def _columns(edges: list[tuple[str, str]]) -> list[list[str]]:
    """Nodes by their distance from the ground, ordered so that few lines cross."""
    needs: dict[str, list[str]] = {}
    above: dict[str, list[str]] = {}
    for node, need in edges:
        needs.setdefault(node, []).append(need)
        above.setdefault(need, []).append(node)
    depth = _depths(needs, dict.fromkeys([*needs, *above]))
    columns: list[list[str]] = [[] for _ in range(max(depth.values(), default=-1) + 1)]
    for node in sorted(depth):
        columns[-1 - depth[node]].append(node)
    for _ in range(6):
        _settle(columns, above)
        _settle(columns[::-1], needs)
    return columns


def _depths(needs: Mapping[str, list[str]], nodes: Iterable[str]) -> dict[str, int]:
    """The longest way down from each node; a circle is cut where it was entered."""
    depth: dict[str, int] = {}
    for start in nodes:
        stack, entered = [start], set[str]()
        while stack:
            node = stack[-1]
            new = [n for n in needs.get(node, ()) if n not in depth and n not in entered]
            if new and node not in depth:
                entered.add(node)
                stack += new
                continue
            below = [depth[n] for n in needs.get(node, ()) if n in depth]
            depth.setdefault(node, max(below, default=-1) + 1)
            stack.pop()
    return depth


def _settle(columns: list[list[str]], beside: Mapping[str, list[str]]) -> None:
    """Each node at the mean height of those it is joined to, which are settled already."""
    height: dict[str, float] = {}
    for column in columns:
        means: dict[str, float] = {}
        for index, node in enumerate(column):
            near = [height[n] for n in beside.get(node, ()) if n in height]
            means[node] = sum(near) / len(near) if near else index - len(column) / 2
        column[:] = [node for _, node in sorted((mean, node) for node, mean in means.items())]
        height |= {node: index - len(column) / 2 for index, node in enumerate(column)}


def _paper(wide: float, tall: float) -> ET.Element:
    size = {"width": f"{wide:.0f}", "height": f"{tall:.0f}"}
    box = {"viewBox": f"0 0 {wide:.0f} {tall:.0f}"}
    svg = ET.Element("svg", {"xmlns": "http://www.w3.org/2000/svg", **size, **box})
    ET.SubElement(svg, "title").text = "What stands on what"
    ET.SubElement(svg, "rect", {**size, "fill": "#ffffff"})
    shape = {"viewBox": "0 0 8 8", "refX": "8", "refY": "4", "markerWidth": "7", "orient": "auto"}
    for name, colour in (("arrow", _FADED), ("red", _ALARM)):
        marker = ET.SubElement(svg, "marker", {"id": name, "markerHeight": "7", **shape})
        ET.SubElement(marker, "path", {"d": "M0,0 L8,4 L0,8 z", "fill": colour})
    return svg


def _legend(svg: ET.Element, *, red: bool) -> None:
    x = float(_EDGE)
    for kind in _KINDS:
        _shape(svg, kind, (x, 12), 22, _FILL.get(kind, _OTHER), _LINE)
        x += 28
        _text(svg, (x, 28), kind)
        x += len(kind) * _LETTER + 16
    said = "→ stands on · dots: can be reached over · dashes: counted so, as nobody said"
    colours = " · red: down · orange: no path left" if red else ""
    _text(svg, (_EDGE, 56), said + colours)


def _edge(
    svg: ET.Element, places: Mapping[str, Point], node: str, need: str, *, red: bool, dashes: str
) -> None:
    (x1, y1), (x2, y2) = places[node], places[need]
    x1, y1, y2 = x1 + _width(node), y1 + _BOX / 2, y2 + _BOX / 2
    bend = max(40.0, abs(x2 - x1) / 2)
    line = (
        f"M{x1:.1f},{y1:.1f} C{x1 + bend:.1f},{y1:.1f} {x2 - bend:.1f},{y2:.1f} {x2:.1f},{y2:.1f}"
    )
    look = {"fill": "none", "stroke": _ALARM if red else _FADED, "stroke-width": "1.2"}
    if dashes:
        look["stroke-dasharray"] = dashes
    ET.SubElement(
        svg, "path", {"d": line, "marker-end": f"url(#{'red' if red else 'arrow'})", **look}
    )


def _draw(svg: ET.Element, node: str, place: Point, fall: Fall, *, cut_off: bool) -> None:
    kind = node.partition(":")[0]
    group = ET.SubElement(svg, "g")
    down = node in fall
    said = f"{node} has no path left" if cut_off else node
    ET.SubElement(group, "title").text = shown(fall.chain(node)) if down else said
    line = _ALARM if down else _LINE
    fill = _DOWN if down else _CUT_OFF if cut_off else _FILL.get(kind, _OTHER)
    _shape(group, kind, place, _width(node), fill, line)
    _text(group, (place[0] + _width(node) / 2, place[1] + 16), _label(node), middle=True)


def _shape(inside: ET.Element, kind: str, place: Point, wide: float, fill: str, line: str) -> None:
    (x, y), cut = place, 8.0
    look = {"fill": fill, "stroke": line}
    right, bottom, middle = x + wide, y + _BOX, y + _BOX / 2
    match kind:
        case "path":
            corners = [(x + cut, y), (right - cut, y), (right, middle), (right - cut, bottom),
                       (x + cut, bottom), (x, middle)]  # fmt: skip
        case "credential":
            corners = [(x + cut, y), (right, y), (right - cut, bottom), (x, bottom)]
        case _:
            round_ = {"service": "6", "target": "0", "jackline": "0"}.get(kind, "12")
            size = {"width": f"{wide:.1f}", "height": str(_BOX), "rx": round_}
            look["stroke-width"] = "2.5" if kind == "jackline" else "1"
            ET.SubElement(inside, "rect", {"x": f"{x:.1f}", "y": f"{y:.1f}", **size, **look})
            return
    points = " ".join(f"{a:.1f},{b:.1f}" for a, b in corners)
    ET.SubElement(inside, "polygon", {"points": points, **look})


def _text(inside: ET.Element, at: Point, words: str, *, middle: bool = False) -> None:
    look = {"font-family": "system-ui, sans-serif", "font-size": "12", "fill": "#0f172a"}
    if middle:
        look["text-anchor"] = "middle"
    ET.SubElement(inside, "text", {"x": f"{at[0]:.1f}", "y": f"{at[1]:.1f}", **look}).text = words


def _label(node: str) -> str:
    kind, _, name = node.partition(":")
    return name if kind in ("service", "target", "path", "credential") else node


def _width(node: str) -> float:
    return len(_label(node)) * _LETTER + 22

"""Graphs of a service over an incident's window."""

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bot.contract import Connection, Graph, Series

from .api import ask

_POINTS = 120  # of a line: what a picture of 800 pixels can show
_LINES = 8  # of a graph: more than that nobody can tell apart


class Graphs:
    """Runs each query as a range over the window."""

    async def collect(
        self,
        service: str,
        queries: Mapping[str, str],
        since: datetime,
        until: datetime,
        connection: Connection,
    ) -> list[Graph]:
        """A graph for each query; one without data is an empty graph, and says so by that."""
        del service  # the queries name what they are about
        step = max(1.0, (until - since).total_seconds() / _POINTS)
        graphs = []
        for title, query in queries.items():
            form = {"query": query, "start": str(since.timestamp()),
                    "end": str(until.timestamp()), "step": f"{step:.3f}"}  # fmt: skip
            data = await ask(connection, "/api/v1/query_range", form)
            lines = [_line(each) for each in data["result"][:_LINES]]
            graphs.append(Graph(title=title, unit="", series=lines))
        return graphs


def _line(result: dict[str, Any]) -> Series:
    points = [(float(at), float(text)) for at, text in result.get("values", [])]
    labels = {k: v for k, v in result["metric"].items() if k != "__name__"}
    name = ", ".join(f"{k}={v}" for k, v in sorted(labels.items()))
    return Series(
        label=name or result["metric"].get("__name__", "value"),
        points=[(at, value) for at, value in points if math.isfinite(value)],
    )

"""Graphs of a service over an incident's window: its golden signals, or what the catalog asks."""

import asyncio
import math
from typing import Any

from bot.contract import Connection, Graph, Question, Series
from bot.contract.evidence import shaped

from .api import ask
from .signals import Golden, golden

_POINTS = 120  # of a line: what a picture of 800 pixels can show
_LINES = 8  # of a graph: more than that nobody can tell apart


class Graphs:
    """Runs each query as a range over the window."""

    async def collect(self, question: Question, connection: Connection) -> list[Graph]:
        """A graph for each query; one without data is an empty graph, and says so by that.

        A query titled as one of the golden signals takes its place. Where the catalog has only
        other titles, only those are asked.
        """
        signals = golden(question.service, question.about)
        known = {each.signal for each in signals}
        own = [
            Golden("", title, "", query) for title, query in question.queries.items() if title not in known
        ]  # fmt: skip
        if own and not known & set(question.queries):
            signals = []
        asked = [
            each._replace(title=each.signal, query=question.queries[each.signal], unit="")
            if each.signal in question.queries
            else each
            for each in signals
        ]
        return list(
            await asyncio.gather(*(_graph(each, question, connection) for each in [*asked, *own]))
        )


async def _graph(asked: Golden, question: Question, connection: Connection) -> Graph:
    since, until = question.since.timestamp(), question.until.timestamp()
    step = max(1.0, (until - since) / _POINTS)
    form = {"query": asked.query, "start": str(since), "end": str(until), "step": f"{step:.3f}"}
    data = await ask(connection, "/api/v1/query_range", form)
    try:
        lines = [_line(each) for each in data["result"][:_LINES]]
    except (KeyError, TypeError, ValueError) as error:
        raise shaped("Prometheus", error) from error
    return Graph(title=asked.title, unit=asked.unit, series=lines, signal=asked.signal)


def _line(result: dict[str, Any]) -> Series:
    points = [(float(at), float(text)) for at, text in result.get("values", [])]
    labels = {k: v for k, v in result["metric"].items() if k != "__name__"}
    name = ", ".join(f"{k}={v}" for k, v in sorted(labels.items()))
    return Series(
        label=name or result["metric"].get("__name__", "value"),
        points=[(at, value) for at, value in points if math.isfinite(value)],
    )

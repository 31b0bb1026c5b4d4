"""What a metric says now. A metric that is not there is unknown, never zero and never healthy."""

import math
import re
import time
from collections.abc import Callable, Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from bot.contract import Connection, Frozen
from bot.contract.looking import Looking

from .api import ask

_PLACE = re.compile(r"\$(?:\{(?P<braced>\w+)\}|(?P<plain>\w+))")
_SHOWN = 50  # series of an answer that are kept
_REDUCE: dict[str, Callable[[list[float]], float]] = {
    "max": max,
    "min": min,
    "sum": sum,
    "avg": lambda values: sum(values) / len(values),
}

LabelName = Annotated[str, Field(pattern=r"^[a-zA-Z_][a-zA-Z0-9_]{0,63}$")]


class QueryParams(Frozen):
    """The question, and how its answer becomes one number."""

    server: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,63}$")] = Field(
        description="The Prometheus: `main` is the target `prometheus/main` of the catalog."
    )
    query: str = Field(
        min_length=1, max_length=4000,
        description="PromQL. `$name` stands for a value of `labels`, quoted: `{job=$job}`.",
    )  # fmt: skip
    labels: dict[LabelName, Annotated[str, Field(max_length=500)]] = Field(
        default={}, description="Values for the query; they are data, whatever they hold."
    )
    reduce: Literal["one", "max", "min", "sum", "avg"] = Field(
        default="one", description="What to make of several series; with `one` they are unknown."
    )
    max_age: Annotated[float, Field(gt=0, le=86_400)] = Field(
        default=60.0, description="Seconds: samples older than this are unknown."
    )

    @model_validator(mode="after")
    def _placed(self) -> "QueryParams":
        named = {m["braced"] or m["plain"] for m in _PLACE.finditer(self.query)}
        if missing := named - set(self.labels):
            raise ValueError(f"labels: no value for ${', $'.join(sorted(missing))}")
        if unused := set(self.labels) - named:
            raise ValueError(f"labels: the query has no ${', $'.join(sorted(unused))}")
        return self


class _Server:
    """What every verb here shares."""

    def target(self, params: QueryParams) -> str:
        return f"prometheus/{params.server}"


class Query(Looking, _Server):
    """Asks for the value at this moment: ``out.known`` and ``out.value``."""

    name: ClassVar[str] = "prometheus.query"
    Params: ClassVar[type[QueryParams]] = QueryParams

    async def apply(self, params: QueryParams, connection: Connection) -> dict[str, Any]:
        """``value`` is null where nobody can tell; ``why`` says what is missing then."""
        query = filled(params.query, params.labels)
        series = _series(await ask(connection, "/api/v1/query", {"query": query}))
        # An expression's sample bears the time of asking: how old the data is, only this tells.
        aged = f"max(timestamp({query}))"
        newest = _series(await ask(connection, "/api/v1/query", {"query": aged})) if series else []
        age = round(time.time() - newest[0]["value"], 3) if newest else None
        value, why = _one(params, [s["value"] for s in series], age)
        return {
            "known": value is not None,
            "value": value,
            "why": why,
            "age": age,
            "series": series[:_SHOWN],
            "count": len(series),
        }


def filled(query: str, labels: Mapping[str, str]) -> str:
    """The query with each ``$name`` as a quoted string, in which nothing is syntax."""
    return _PLACE.sub(lambda m: _quoted(labels[m["braced"] or m["plain"]]), query)


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _series(data: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - the API's own data
    """Labels and value of each series; those without a number of their own are left out."""
    kind = data.get("resultType") if isinstance(data, dict) else None
    if kind == "scalar":
        return [{"labels": {}, "value": float(data["result"][1])}]
    if kind != "vector":
        return []
    found = [(s["metric"], float(s["value"][1])) for s in data["result"] if "value" in s]
    return [{"labels": labels, "value": value} for labels, value in found if math.isfinite(value)]


def _one(params: QueryParams, values: list[float], age: float | None) -> tuple[float | None, str]:
    if not values:
        return None, "no series with a number"
    if age is not None and age > params.max_age:
        return None, f"the newest sample is {age:.0f} s old, older than {params.max_age:g} s"
    if params.reduce == "one":
        return (values[0], "") if len(values) == 1 else (None, f"{len(values)} series, not one")
    return float(_REDUCE[params.reduce](values)), ""

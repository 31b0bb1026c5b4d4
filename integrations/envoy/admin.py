"""Envoy's admin port: what takes effect now, what was configured, which hosts are healthy."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from bot.contract import Connection
from bot.contract.http import Api, an_object
from bot.errors import Rejected

_API = Api("Envoy's admin port", broken=())
_DEFAULT_KEY = "fault.http.abort.abort_percent"  # what a fault filter reads unless told otherwise
_PER = {"HUNDRED": 1.0, "TEN_THOUSAND": 0.01, "MILLION": 0.0001}
_FRACTION = re.compile(r"[0-9]+\.[0-9]+")
_BAD_FLAGS = frozenset(
    {
        "failed_active_health_check",
        "failed_outlier_check",
        "pending_dynamic_removal",
        "pending_active_hc",
        "excluded_via_immediate_hc_fail",
        "active_hc_timeout",
    }
)
_BAD_EDS = frozenset({"UNHEALTHY", "DRAINING", "TIMEOUT"})


@dataclass(frozen=True)
class Edge:
    """One reading of an Envoy."""

    values: Mapping[str, str]  # runtime key → what takes effect
    overrides: Mapping[str, str]  # the part of it that the admin port has set
    config: Any  # the whole /config_dump

    def weights(self, route: str) -> dict[str, int]:
        """The weights in force of the clusters that share a route; configured ones included."""
        split = next((s for s in _splits(self.config) if s["runtime_key_prefix"] == route), None)
        if split is None:
            known = sorted({s["runtime_key_prefix"] for s in _splits(self.config)})
            raise Rejected(
                f"No route of this Envoy takes its weights from {route}.",
                hint=f"It knows: {', '.join(known) or 'none'}.",
            )
        configured = {c["name"]: int(c.get("weight", 0)) for c in split["clusters"]}
        return {c: self.number(f"{route}.{c}", default) for c, default in configured.items()}

    def percent(self, key: str) -> int:
        """The percentage in force of a runtime key; refuses one that no route or filter reads."""
        configured = [p for node in _objects(self.config) for p in _percentages(node, key)]
        if not configured:
            raise Rejected(
                f"Nothing in this Envoy's configuration reads the runtime key {key}.",
                hint="Set abort_percent_runtime of its fault filter to that key.",
            )
        return self.number(key, configured[0])

    def number(self, key: str, default: int) -> int:
        """A runtime value as a whole number; anything else could not be put back."""
        text = self.values.get(key, str(default))
        if not text.isdecimal():
            raise Rejected(f"The runtime key {key} holds {text[:50]!r}, which is no whole number.")
        return int(text)

    def override(self, key: str) -> int | float | None:
        """What the admin port has set; None when it has set nothing."""
        return as_number(self.overrides.get(key, ""))

    def objects(self) -> Iterator[dict[str, Any]]:
        """Every object of the configuration."""
        return _objects(self.config)


def as_number(text: str) -> int | float | None:
    """A runtime value as Envoy reads it; None for what it does not take for a number."""
    if text.isdecimal():
        return int(text)
    return float(text) if _FRACTION.fullmatch(text) else None


async def read(connection: Connection) -> Edge:
    """Reads runtime and configuration; refuses an Envoy that could not be changed anyway."""
    config = await _get(connection, "/config_dump")
    runtime = await _get(connection, "/runtime")
    layers = [y for x in _objects(config) for y in x.get("layered_runtime", {}).get("layers", [])]
    names = runtime.get("layers", [])
    ours = next((n for n in names for y in layers if y["name"] == n and "admin_layer" in y), None)
    if ours is None:
        raise Rejected(
            "This Envoy's runtime cannot be changed.",
            hint="Add a layer with admin_layer: {} to its layered_runtime.",
        )
    entries: dict[str, Any] = runtime.get("entries", {})
    changed = {k: e["layer_values"][names.index(ours)] for k, e in entries.items()}
    return Edge(
        values={k: e["final_value"] for k, e in entries.items()},
        overrides={k: v for k, v in changed.items() if v},
        config=config,
    )


async def healthy_hosts(connection: Connection) -> dict[str, int]:
    """How many healthy hosts each cluster has."""
    answer = await _get(connection, "/clusters")
    return {
        cluster["name"]: sum(_is_healthy(h) for h in cluster.get("host_statuses", []))
        for cluster in answer.get("cluster_statuses", [])
    }


async def injected(connection: Connection) -> dict[str, int]:
    """How many faults have been injected since Envoy started, by the counter's name."""
    answer = await _get(connection, "/stats", filter=r"\.fault\.[a-z_]+_injected$")
    found: dict[str, int] = {}
    for each in answer.get("stats", []):
        if "name" in each:
            counter = str(each["name"]).rpartition(".")[2]
            found[counter] = found.get(counter, 0) + int(each["value"])
    return found


async def write(connection: Connection, values: Mapping[str, float | None]) -> None:
    """Sets all keys in one request, so that no half of a plan is ever in force; None removes."""
    wanted = {k: "" if v is None else str(v) for k, v in values.items()}
    await _send(connection, "POST", "/runtime_modify", wanted)


def _is_healthy(host: Mapping[str, Any]) -> bool:
    status: Mapping[str, Any] = host.get("health_status", {})
    return not (_BAD_FLAGS & status.keys()) and status.get("eds_health_status") not in _BAD_EDS


def _objects(node: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - any JSON
    """Every object in a JSON document: routes lie at different depths, inline or by RDS."""
    pending = [node]
    while pending:
        current = pending.pop()
        if isinstance(current, dict):
            yield current
            pending.extend(current.values())
        elif isinstance(current, list):
            pending.extend(current)


def _splits(config: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - any JSON
    return (x for x in _objects(config) if "runtime_key_prefix" in x and "clusters" in x)


def _percentages(node: Mapping[str, Any], key: str) -> Iterator[int]:
    """The configured default of a key: of a fault filter's abort, or of a runtime_fraction."""
    if "abort" in node and node.get("abort_percent_runtime", _DEFAULT_KEY) == key:
        yield round(percentage(node.get("abort", {}).get("percentage", {})))
    if node.get("runtime_key") == key and "default_value" in node:
        yield round(percentage(node["default_value"]))


def percentage(fraction: Mapping[str, Any]) -> float:
    """A configured fraction in percent."""
    scale = _PER.get(fraction.get("denominator", "HUNDRED"), 1.0)
    return int(fraction.get("numerator", 0)) * scale


async def _get(connection: Connection, path: str, **query: str) -> dict[str, Any]:
    found = an_object(await _send(connection, "GET", path, {"format": "json", **query}))
    if found is None:
        raise Rejected(f"{path} gave no JSON object.", hint="Is this Envoy's admin port?")
    return found


async def _send(
    connection: Connection, method: str, path: str, query: Mapping[str, str] | None = None
) -> httpx.Response:
    answer = await _API.call(connection, method, path, accept={503}, params=query)
    if answer.is_success:
        return answer
    if "admin layer" in answer.text:
        raise Rejected(f"Envoy answered 503: {_API.said(answer)}")
    raise _API.refusal(answer, once=method != "GET")

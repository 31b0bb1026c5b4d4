"""Fault injections, as chaos experiments use them: which are active, and an end to them.

Envoy's own keys are `fault.http.…`, for all requests or for those that name their
`<downstream cluster>`. A fault filter may read a key of another name: that is how load is shed, so
such a key is shown, and touched only when it is named.
"""
# ruff: noqa: ARG002 - the contract gives every verb the same arguments, and not all are needed

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from bot.contract import Change, Connection, Preview
from bot.contract.looking import Looking
from bot.errors import Rejected

from .actions import OnEnvoy
from .admin import Edge, as_number, injected, percentage, read, write
from .params import HUNDRED, EdgeParams, StopFaultsParams

# part of a fault filter → the field that names its runtime key, and the end of the key's name
_KINDS = {
    "abort": ("abort_percent_runtime", "abort.abort_percent"),
    "delay": ("delay_percent_runtime", "delay.fixed_delay_percent"),
    "response_rate_limit": ("response_rate_limit_percent_runtime", "rate_limit.response_percent"),
}
_OWN = "fault.http."


@dataclass(frozen=True)
class Fault:
    """One runtime key that faults are injected by, and the percentage in force."""

    key: str
    kind: str
    percent: float

    @property
    def shown(self) -> dict[str, Any]:
        """For `out`."""
        return {"key": self.key, "kind": self.kind, "percent": self.percent}


class Faults(Looking, OnEnvoy):
    """Which fault injections are active, and how many faults they have injected."""

    name: ClassVar[str] = "envoy.faults"
    Params: ClassVar[type[EdgeParams]] = EdgeParams

    async def apply(self, params: EdgeParams, connection: Connection) -> dict[str, Any]:
        edge = await read(connection)
        going = [f for f in faults(edge) if f.percent > 0]
        own = [f.shown for f in going if f.key.startswith(_OWN)]
        others = [f.shown for f in going if not f.key.startswith(_OWN)]
        counted = await injected(connection)
        return {
            "active": own,
            "count": len(own),
            "other_keys": others,
            "configured": _configured(edge),
            "aborts_injected": counted.get("aborts_injected"),
            "delays_injected": counted.get("delays_injected"),
        }


class StopFaults(OnEnvoy):
    """Sets every active fault injection to 0 percent, in one request."""

    name: ClassVar[str] = "envoy.stop_faults"
    Params: ClassVar[type[StopFaultsParams]] = StopFaultsParams

    async def preview(self, params: StopFaultsParams, connection: Connection) -> Preview:
        edge = await read(connection)
        going = self._going(params, edge)
        changes = [
            Change(
                target=self.target(params),
                what=f"{fault.kind} ({fault.key})",
                before=f"{fault.percent:g}% of requests",
                after="0%",
            )
            for fault in going
        ]
        restore = {fault.key: edge.override(fault.key) for fault in going}
        return Preview(changes=changes, state={"restore": restore})

    async def apply(self, params: StopFaultsParams, connection: Connection) -> dict[str, Any]:
        going = self._going(params, await read(connection))
        if going:
            await write(connection, {fault.key: 0 for fault in going})
        return {"stopped": {fault.key: fault.percent for fault in going}}

    async def verify(self, params: StopFaultsParams, connection: Connection) -> bool | None:
        """None where the configuration itself injects: requests that name their downstream cluster
        then follow it, whatever the key for all says."""
        edge = await read(connection)
        if self._going(params, edge):
            return False
        return None if _configured(edge) else True

    def _going(self, params: StopFaultsParams, edge: Edge) -> list[Fault]:
        """Those that are to be stopped. Raises `Rejected` for a named key that nothing reads."""
        known = faults(edge)
        if strange := sorted(set(params.keys) - {fault.key for fault in known}):
            others = sorted(f.key for f in known if not f.key.startswith(_OWN))
            raise Rejected(
                f"No fault filter of this Envoy reads {', '.join(strange)}.",
                hint=f"Keys of your own that it reads: {', '.join(others) or 'none'}.",
            )
        meant = [f for f in known if f.key.startswith(_OWN) or f.key in params.keys]
        return [fault for fault in meant if fault.percent > 0]


def faults(edge: Edge) -> list[Fault]:
    """Every key that a fault filter reads, whether it injects just now or not."""
    configured: dict[tuple[str, str], float] = {}
    for kind, key, share in _read_by_filters(edge):
        configured[kind, key] = max(share, configured.get((kind, key), 0))
    for kind in {kind for kind, _ in configured}:
        for_one = re.compile(rf"fault\.http\..+\.{re.escape(_KINDS[kind][1])}")
        for key in edge.values:
            if for_one.fullmatch(key):
                configured.setdefault((kind, key), 0)
    return [
        Fault(key, kind, _in_force(edge, key, share))
        for (kind, key), share in sorted(configured.items())
    ]


def _in_force(edge: Edge, key: str, configured: float) -> float:
    """Envoy goes by its configuration where a value is no number, and takes 150 for 100."""
    found = as_number(edge.values.get(key, ""))
    return min(HUNDRED, configured if found is None else found)


def _configured(edge: Edge) -> bool:
    """Whether the configuration itself injects, without any runtime key."""
    return any(share > 0 for _, key, share in _read_by_filters(edge) if key.startswith(_OWN))


def _read_by_filters(edge: Edge) -> Iterator[tuple[str, str, float]]:
    """What each fault filter may do: kind, runtime key, configured percentage."""
    for node in edge.objects():
        if not str(node.get("@type", "")).endswith(".HTTPFault"):
            continue
        for kind, (field, ending) in _KINDS.items():
            if kind in node:
                key = node.get(field) or f"{_OWN}{ending}"
                yield kind, key, percentage(node[kind].get("percentage", {}))

"""The verbs on an Envoy: all of them set runtime keys, so all of them can be repeated."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from bot.contract import Call, Change, Connection, Effect, Preview
from bot.errors import Rejected

from .admin import Edge, healthy_hosts, read, write
from .params import (
    HUNDRED,
    DrainParams,
    EdgeParams,
    RestoreRuntimeParams,
    SetWeightsParams,
    ShedParams,
)


@dataclass(frozen=True)
class _Split:
    """A route's weights, now and as wanted."""

    route: str
    before: Mapping[str, int]
    after: Mapping[str, int]

    @property
    def keys(self) -> dict[str, int]:
        return {f"{self.route}.{c}": w for c, w in self.after.items()}

    def lost(self, cluster: str) -> float | None:
        """The share of the route's traffic that this cluster gives away."""
        old, new = sum(self.before.values()) or 1, sum(self.after.values()) or 1
        share = self.before[cluster] / old - self.after[cluster] / new
        return round(share, 4) if share > 0 else None

    def preview(self, target: str, edge: Edge) -> Preview:
        moved = [c for c in self.after if self.before[c] != self.after[c]]
        return Preview(
            changes=[
                Change(
                    target=target,
                    what=f"weight {self.route}.{c}",
                    before=str(self.before[c]),
                    after=str(self.after[c]),
                    share=self.lost(c),
                )
                for c in moved
            ],
            state={
                "weights": dict(self.before),
                "moved": round(sum(self.lost(c) or 0 for c in moved), 4),
                "restore": {key: edge.override(key) for key in self.keys},
            },
        )


class OnEnvoy:
    """What every verb here shares."""

    effect: ClassVar[Effect] = Effect.IDEMPOTENT
    reverts: ClassVar[bool] = True

    def target(self, params: EdgeParams) -> str:
        return f"envoy/{params.edge}"

    def undo(self, params: EdgeParams, state: Mapping[str, Any]) -> Call | None:
        """Puts every key back, and takes away those that were not set: exactly as it was."""
        values = state.get("restore")
        if not values:
            return None
        restore = {"edge": params.edge, "values": dict(values)}
        return Call(action=RestoreRuntime.name, params=restore)


class SetWeights(OnEnvoy):
    """Sets the split of a route between its clusters."""

    name: ClassVar[str] = "envoy.set_weights"
    Params: ClassVar[type[SetWeightsParams]] = SetWeightsParams

    async def preview(self, params: SetWeightsParams, connection: Connection) -> Preview:
        edge = await read(connection)
        split = await self._split(params, edge, connection)
        return split.preview(self.target(params), edge)

    async def apply(self, params: SetWeightsParams, connection: Connection) -> dict[str, Any]:
        split = await self._split(params, await read(connection), connection)
        return await _apply(split, connection)

    async def verify(self, params: SetWeightsParams, connection: Connection) -> bool | None:
        return (await read(connection)).weights(params.route) == params.weights

    async def _split(self, params: SetWeightsParams, edge: Edge, connection: Connection) -> _Split:
        before = edge.weights(params.route)
        _same_clusters(params.route, before, params.weights)
        split = _Split(params.route, before, {c: params.weights[c] for c in before})
        _check_health(split, await healthy_hosts(connection), allow=params.allow_unhealthy)
        return split


class Drain(OnEnvoy):
    """Moves a cluster's weight to the healthy others of its route, in their proportion."""

    name: ClassVar[str] = "envoy.drain"
    Params: ClassVar[type[DrainParams]] = DrainParams

    async def preview(self, params: DrainParams, connection: Connection) -> Preview:
        edge = await read(connection)
        split = await self._split(params, edge, connection)
        return split.preview(self.target(params), edge)

    async def apply(self, params: DrainParams, connection: Connection) -> dict[str, Any]:
        split = await self._split(params, await read(connection), connection)
        return await _apply(split, connection)

    async def verify(self, params: DrainParams, connection: Connection) -> bool | None:
        weights = (await read(connection)).weights(params.route)
        return weights.get(params.cluster) == 0 and sum(weights.values()) > 0

    async def _split(self, params: DrainParams, edge: Edge, connection: Connection) -> _Split:
        before, hosts = edge.weights(params.route), await healthy_hosts(connection)
        if params.cluster not in before:
            raise _strange(params.route, before, [params.cluster])
        others = [c for c in before if c != params.cluster]
        if not others:
            raise Rejected(f"{params.cluster} is the only cluster of {params.route}.")
        healthy = [c for c in others if hosts.get(c)]
        split = _Split(params.route, before, without(params.cluster, before, healthy or others))
        _check_health(split, hosts, allow=params.allow_unhealthy)
        return split


class Shed(OnEnvoy):
    """Turns away a percentage of a service's requests with 503."""

    name: ClassVar[str] = "envoy.shed"
    Params: ClassVar[type[ShedParams]] = ShedParams

    async def preview(self, params: ShedParams, connection: Connection) -> Preview:
        edge, key = await read(connection), params.runtime_key
        before = edge.percent(key)
        change = Change(
            target=self.target(params),
            what=f"shed {params.service} ({key})",
            before=f"{before}%",
            after=f"{params.percent}%",
            share=(params.percent - before) / HUNDRED if params.percent > before else None,
        )
        return Preview(
            changes=[change] if before != params.percent else [],
            state={"percent": before, "restore": {key: edge.override(key)}},
        )

    async def apply(self, params: ShedParams, connection: Connection) -> dict[str, Any]:
        before = (await read(connection)).percent(params.runtime_key)
        await write(connection, {params.runtime_key: params.percent})
        return {"before": before, "after": params.percent, "key": params.runtime_key}

    async def verify(self, params: ShedParams, connection: Connection) -> bool | None:
        return (await read(connection)).percent(params.runtime_key) == params.percent


class RestoreRuntime(OnEnvoy):
    """Puts runtime keys back to given values: what the other verbs are undone with."""

    name: ClassVar[str] = "envoy.restore_runtime"
    Params: ClassVar[type[RestoreRuntimeParams]] = RestoreRuntimeParams

    async def preview(self, params: RestoreRuntimeParams, connection: Connection) -> Preview:
        edge = await read(connection)
        now = {key: edge.override(key) for key in params.values}
        return Preview(
            changes=[
                Change(
                    target=self.target(params),
                    what=f"runtime {key}",
                    before=_shown(now[key]),
                    after=_shown(value),
                )
                for key, value in params.values.items()
                if now[key] != value
            ],
            state={"restore": now},
        )

    async def apply(self, params: RestoreRuntimeParams, connection: Connection) -> dict[str, Any]:
        await write(connection, params.values)
        return {"values": dict(params.values)}

    async def verify(self, params: RestoreRuntimeParams, connection: Connection) -> bool | None:
        edge = await read(connection)
        return all(edge.override(key) == value for key, value in params.values.items())


def without(cluster: str, weights: Mapping[str, int], among: Sequence[str]) -> dict[str, int]:
    """The same total without one cluster; equal parts if those that take over had nothing."""
    parts = {c: weights[c] for c in among}
    shares = parts if any(parts.values()) else dict.fromkeys(among, 1)
    moved, total = weights[cluster], sum(shares.values())
    result = {**weights, cluster: 0}
    for name, share in shares.items():
        result[name] += moved * share // total
    rest = sum(weights.values()) - sum(result.values())
    for name in sorted(shares, key=lambda c: -(moved * shares[c] % total))[:rest]:
        result[name] += 1
    return result


async def _apply(split: _Split, connection: Connection) -> dict[str, Any]:
    await write(connection, split.keys)
    return {"before": dict(split.before), "after": dict(split.after)}


def _same_clusters(route: str, known: Mapping[str, int], named: Mapping[str, int]) -> None:
    """A key that no route reads would change nothing; a cluster left out would keep its part."""
    if strange := sorted(set(named) - set(known)):
        raise _strange(route, known, strange)
    if missing := sorted(set(known) - set(named)):
        raise Rejected(f"The plan leaves out {', '.join(missing)} of the route {route}.")


def _strange(route: str, known: Iterable[str], strange: Sequence[str]) -> Rejected:
    hint = f"It has {', '.join(known)}."
    return Rejected(f"The route {route} has no cluster {', '.join(strange)}.", hint=hint)


def _check_health(split: _Split, hosts: Mapping[str, int], *, allow: bool) -> None:
    """No traffic to where nobody would answer it."""
    if unknown := sorted(set(split.after) - set(hosts)):
        raise Rejected(f"This Envoy has no cluster {', '.join(unknown)}.")
    gains = [c for c in split.after if split.after[c] > split.before[c]]
    if (dead := [c for c in gains if not hosts[c]]) and not allow:
        raise Rejected(
            f"No healthy host in {', '.join(dead)}, which would get more traffic.",
            hint="Set allow_unhealthy: true if you know better than Envoy's health checks.",
        )


def _shown(value: float | None) -> str:
    return "not set" if value is None else str(value)

"""The verbs on an HAProxy: take servers out and bring them back, weigh them, shed load."""

from collections.abc import Mapping
from typing import Any, ClassVar

from bot.contract import Call, Change, Connection, Effect, Preview
from bot.errors import Rejected

from .params import (
    HUNDRED,
    BalancerParams,
    DrainServerParams,
    ReadyServerParams,
    ServersParams,
    SetWeightParams,
    ShedParams,
)
from .runtime import Server, map_entries, order, servers


class _Balancer:
    """What every verb here shares."""

    effect: ClassVar[Effect] = Effect.IDEMPOTENT
    reverts: ClassVar[bool] = True

    def target(self, params: BalancerParams) -> str:
        return f"haproxy/{params.balancer}"


class DrainServer(_Balancer):
    """Sends no new requests to a server and lets those under way finish."""

    name: ClassVar[str] = "haproxy.drain_server"
    Params: ClassVar[type[DrainServerParams]] = DrainServerParams

    async def preview(self, params: DrainServerParams, connection: Connection) -> Preview:
        backend = await servers(connection, params.backend)
        chosen = self._chosen(params, backend)
        changes = [
            Change(
                target=self.target(params),
                what=f"server {params.backend}/{s.name}",
                before=s.shown,
                after="drain",
                share=_share(s.capacity, backend),
            )
            for s in chosen
        ]
        going = {s.name for s in chosen}
        return Preview(
            changes=changes,
            state=_state(backend, [s.name for s in chosen]),
            healthy_after=sum(s.serving for s in backend.values() if s.name not in going),
        )

    async def apply(self, params: DrainServerParams, connection: Connection) -> dict[str, Any]:
        chosen = self._chosen(params, await servers(connection, params.backend))
        await _set_state(connection, params.backend, [s.name for s in chosen], "drain")
        return {"drained": [s.name for s in chosen]}

    async def verify(self, params: DrainServerParams, connection: Connection) -> bool | None:
        backend = await servers(connection, params.backend)
        return all(s.draining or s.maintenance for s in _named(params.names, backend))

    def undo(self, params: DrainServerParams, state: Mapping[str, Any]) -> Call | None:
        """Readies those that this drained; one that was drained before stays so."""
        return _back(ReadyServer.name, params, state, {})

    def _chosen(self, params: DrainServerParams, backend: Mapping[str, Server]) -> list[Server]:
        """Those that are in rotation now; a server in maintenance is out of it already."""
        named = _named(params.names, backend)
        chosen = [s for s in named if not s.draining and not s.maintenance]
        _keep_one(backend, {s.name for s in chosen}, allow=params.allow_last)
        return chosen


class ReadyServer(_Balancer):
    """Lets a server take requests again."""

    name: ClassVar[str] = "haproxy.ready_server"
    Params: ClassVar[type[ReadyServerParams]] = ReadyServerParams

    async def preview(self, params: ReadyServerParams, connection: Connection) -> Preview:
        backend = await servers(connection, params.backend)
        chosen = self._chosen(params, backend)
        changes = [
            Change(
                target=self.target(params),
                what=f"server {params.backend}/{s.name}",
                before=s.shown,
                after=f"ready, weight {s.weight}" + ("" if s.running else ", down"),
            )
            for s in chosen
        ]
        return Preview(changes=changes, state=_state(backend, [s.name for s in chosen]))

    async def apply(self, params: ReadyServerParams, connection: Connection) -> dict[str, Any]:
        chosen = self._chosen(params, await servers(connection, params.backend))
        await _set_state(connection, params.backend, [s.name for s in chosen], "ready")
        return {"readied": [s.name for s in chosen]}

    async def verify(self, params: ReadyServerParams, connection: Connection) -> bool | None:
        """Ready by order; whether it is healthy too is what its health checks decide."""
        backend = await servers(connection, params.backend)
        return not any(s.draining or s.maintenance for s in _named(params.names, backend))

    def undo(self, params: ReadyServerParams, state: Mapping[str, Any]) -> Call | None:
        """Drains those that this readied: putting back must not be stopped half-way."""
        return _back(DrainServer.name, params, state, {"allow_last": True})

    def _chosen(self, params: ReadyServerParams, backend: Mapping[str, Server]) -> list[Server]:
        named = _named(params.names, backend)
        kept = [s.name for s in named if s.maintenance]
        if kept and not params.allow_maint:
            raise Rejected(
                f"{', '.join(kept)} is in maintenance: somebody took it out on purpose.",
                hint="Set allow_maint: true to bring it back all the same.",
            )
        return [s for s in named if s.draining or s.maintenance]


class SetWeight(_Balancer):
    """Sets a server's weight, and so its part of the backend's requests."""

    name: ClassVar[str] = "haproxy.set_weight"
    Params: ClassVar[type[SetWeightParams]] = SetWeightParams

    async def preview(self, params: SetWeightParams, connection: Connection) -> Preview:
        backend = await servers(connection, params.backend)
        server = self._checked(params, backend)
        lost = server.capacity - params.weight
        change = Change(
            target=self.target(params),
            what=f"weight {params.backend}/{server.name}",
            before=str(server.weight),
            after=str(params.weight),
            share=_share(lost, backend),
        )
        return Preview(
            changes=[change] if server.weight != params.weight else [],
            state={**_state(backend, [server.name]), "weight": server.weight},
        )

    async def apply(self, params: SetWeightParams, connection: Connection) -> dict[str, Any]:
        server = self._checked(params, await servers(connection, params.backend))
        line = f"set server {params.backend}/{params.server} weight {params.weight}"
        await order(connection, [line])
        return {"before": server.weight, "after": params.weight}

    async def verify(self, params: SetWeightParams, connection: Connection) -> bool | None:
        backend = await servers(connection, params.backend)
        return _named([params.server], backend)[0].weight == params.weight

    def undo(self, params: SetWeightParams, state: Mapping[str, Any]) -> Call | None:
        before = {"weight": state["weight"], "allow_last": True}
        return Call(action=self.name, params={**params.model_dump(), **before})

    def _checked(self, params: SetWeightParams, backend: Mapping[str, Server]) -> Server:
        server = _named([params.server], backend)[0]
        if params.weight == 0:
            _keep_one(backend, {server.name}, allow=params.allow_last)
        return server


class Shed(_Balancer):
    """Turns away a percentage of the requests that match a key of a map."""

    name: ClassVar[str] = "haproxy.shed"
    Params: ClassVar[type[ShedParams]] = ShedParams

    async def preview(self, params: ShedParams, connection: Connection) -> Preview:
        before = await self._now(params, connection)
        more = (params.percent or 0) - (before or 0)
        change = Change(
            target=self.target(params),
            what=f"shed {params.key}",
            before=_percent(before),
            after=_percent(params.percent),
            share=more / HUNDRED if more > 0 else None,
        )
        return Preview(
            changes=[change] if before != params.percent else [], state={"percent": before}
        )

    async def apply(self, params: ShedParams, connection: Connection) -> dict[str, Any]:
        """HAProxy would add a second entry under the same key, so it reads before it writes."""
        before, entry = await self._now(params, connection), f"{params.map} {params.key}"
        if params.percent is None:
            command = [f"del map {entry}"] if before is not None else []
        else:
            command = [f"{'add' if before is None else 'set'} map {entry} {params.percent}"]
        await order(connection, command)
        return {"before": before, "after": params.percent}

    async def verify(self, params: ShedParams, connection: Connection) -> bool | None:
        return await self._now(params, connection) == params.percent

    def undo(self, params: ShedParams, state: Mapping[str, Any]) -> Call | None:
        return Call(action=self.name, params={**params.model_dump(), "percent": state["percent"]})

    async def _now(self, params: ShedParams, connection: Connection) -> int | None:
        value = (await map_entries(connection, params.map)).get(params.key)
        if value is not None and not value.isdecimal():
            raise Rejected(
                f"The map holds {value[:50]!r} for {params.key}, which is no percentage."
            )
        return None if value is None else int(value)


def _named(names: list[str], backend: Mapping[str, Server]) -> list[Server]:
    """The servers by their names; an unknown one is refused before anything is sent."""
    if unknown := [name for name in names if name not in backend]:
        raise Rejected(
            f"The backend has no server {', '.join(unknown)}.",
            hint=f"It has {', '.join(backend) or 'none at all'}.",
        )
    return [backend[name] for name in names]


def _keep_one(backend: Mapping[str, Server], going: set[str], *, allow: bool) -> None:
    """Refuses to take away the last server that takes requests."""
    serving = {s.name for s in backend.values() if s.serving}
    if serving and serving <= going and not allow:
        raise Rejected(
            f"No server of the backend would be left: {', '.join(sorted(serving))} is the last.",
            hint="Set allow_last: true to do it all the same.",
        )


def _share(lost: int, backend: Mapping[str, Server]) -> float | None:
    total = sum(s.capacity for s in backend.values())
    return round(lost / total, 4) if lost > 0 and total else None


def _state(backend: Mapping[str, Server], changed: list[str]) -> dict[str, Any]:
    serving = sum(s.serving for s in backend.values())
    shown = {s.name: s.shown for s in backend.values()}
    return {"servers": shown, "serving": serving, "changed": changed}


async def _set_state(connection: Connection, backend: str, names: list[str], state: str) -> None:
    await order(connection, [f"set server {backend}/{name} state {state}" for name in names])


def _back(
    action: str, params: ServersParams, state: Mapping[str, Any], more: Mapping[str, Any]
) -> Call | None:
    if not state.get("changed"):
        return None
    where = {"balancer": params.balancer, "backend": params.backend, "server": state["changed"]}
    return Call(action=action, params={**where, **more})


def _percent(value: int | None) -> str:
    return "not set" if value is None else f"{value}%"

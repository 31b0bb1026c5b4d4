"""Switches a host on or off."""

from collections.abc import Mapping
from typing import Any, ClassVar

from bot.contract import Call, Change, Connection, Effect, Preview
from bot.errors import Unknown

from .host import Host, host, tell, watch
from .params import PowerParams

_WORDS = {"On": "on", "Off": "off"}


class Power:
    """Brings a host on or off, and waits until the BMC says so."""

    name: ClassVar[str] = "redfish.power"
    effect: ClassVar[Effect] = Effect.IDEMPOTENT
    reverts: ClassVar[bool] = True
    Params: ClassVar[type[PowerParams]] = PowerParams

    def target(self, params: PowerParams) -> str:
        return f"redfish/{params.bmc}"

    async def preview(self, params: PowerParams, connection: Connection) -> Preview:
        now = await host(connection, params)
        state = {"power": now.settled}
        if _is(now, params.state):
            return Preview(state=state)
        change = Change(
            target=self.target(params),
            what=f"power of {now.raw.get('Name') or now.link}",
            before=_WORDS.get(now.power, now.power),
            after=f"{params.state} ({_order(now, params)})",
        )
        return Preview(changes=[change], state=state)

    async def apply(self, params: PowerParams, connection: Connection) -> dict[str, Any]:
        """Nothing is sent where it is so already: many a BMC calls that an error."""
        now = await host(connection, params)
        if _is(now, params.state):
            return {"power": params.state, "changed": False}
        if now.power != f"Powering{params.state.capitalize()}":
            await tell(connection, now, _order(now, params))
        there = await watch(
            connection, now.link, params.patience, lambda seen: _is(seen, params.state)
        )
        if not there:
            raise Unknown(
                f"The BMC took the order, and after {params.patience:g} s "
                f"does not say that the host is {params.state}."
            )
        return {"power": params.state, "changed": True}

    async def verify(self, params: PowerParams, connection: Connection) -> bool | None:
        return _is(await host(connection, params), params.state)

    def undo(self, params: PowerParams, state: Mapping[str, Any]) -> Call | None:
        """On or off as it was; what ran on it does not come back by that alone."""
        return Call(action=self.name, params={**params.model_dump(), "state": state["power"]})


def _is(now: Host, state: str) -> bool:
    """There, and not only on the way."""
    return _WORDS.get(now.power) == state


def _order(now: Host, params: PowerParams) -> str:
    if params.state == "on":
        return now.order("On", "ForceOn")
    return now.order("GracefulShutdown" if params.graceful else "ForceOff")

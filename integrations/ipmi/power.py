"""Switches a host on or off, and restarts it."""
# ruff: noqa: ARG002 - the contract gives every verb the same arguments, and not all are needed

import asyncio
import time
from collections.abc import Mapping
from typing import Any, ClassVar

from bot.contract import Call, Change, Connection, Effect, Preview
from bot.errors import Rejected, TargetError, Unknown

from .looks import power_of
from .params import BmcParams, PowerParams, ResetParams
from .tool import ipmitool

_EVERY = 0.5  # seconds between two looks
_RESETS = {"forced": "reset", "cycle": "cycle"}


class _Chassis:
    """What the verbs here share."""

    def target(self, params: BmcParams) -> str:
        return f"ipmi/{params.bmc}"


class Power(_Chassis):
    """Brings a host on or off, and waits until the BMC says so."""

    name: ClassVar[str] = "ipmi.power"
    effect: ClassVar[Effect] = Effect.IDEMPOTENT
    reverts: ClassVar[bool] = True
    Params: ClassVar[type[PowerParams]] = PowerParams

    async def preview(self, params: PowerParams, connection: Connection) -> Preview:
        now = await power_of(connection)
        after = f"{params.state} (chassis power {_order(params)})"
        change = Change(
            target=self.target(params), what=f"power of {params.bmc}", before=now, after=after
        )
        changes = [] if now == params.state else [change]
        return Preview(changes=changes, state={"power": now})

    async def apply(self, params: PowerParams, connection: Connection) -> dict[str, Any]:
        """Nothing is sent where it is so already."""
        if await power_of(connection) == params.state:
            return {"power": params.state, "changed": False}
        await ipmitool(connection, "chassis", "power", _order(params), reading=False)
        if not await _becomes(connection, params.state, params.patience):
            raise Unknown(
                f"The BMC took the order, and after {params.patience:g} s "
                f"does not say that the host is {params.state}."
            )
        return {"power": params.state, "changed": True}

    async def verify(self, params: PowerParams, connection: Connection) -> bool | None:
        return await power_of(connection) == params.state

    def undo(self, params: PowerParams, state: Mapping[str, Any]) -> Call | None:
        """On or off as it was; what ran on it does not come back by that alone."""
        return Call(action=self.name, params={**params.model_dump(), "state": state["power"]})


class Reset(_Chassis):
    """Restarts a host that is on. What was not written to disk is lost."""

    name: ClassVar[str] = "ipmi.reset"
    effect: ClassVar[Effect] = Effect.ONCE
    reverts: ClassVar[bool] = False
    Params: ClassVar[type[ResetParams]] = ResetParams

    async def preview(self, params: ResetParams, connection: Connection) -> Preview:
        await self._may(connection)
        change = Change(
            target=self.target(params),
            what=f"restart of {params.bmc}",
            before="on",
            after=f"restarted (chassis power {_RESETS[params.how]})",
        )
        return Preview(changes=[change], state={"power": "on"})

    async def apply(self, params: ResetParams, connection: Connection) -> dict[str, Any]:
        """One order. That the host came back, only its own health check shows."""
        await self._may(connection)
        await ipmitool(connection, "chassis", "power", _RESETS[params.how], reading=False)
        return {"ordered": _RESETS[params.how]}

    async def verify(self, params: ResetParams, connection: Connection) -> bool | None:
        """A host that is on may have been restarted, or not: IPMI keeps no time of it."""
        return None

    def undo(self, params: ResetParams, state: Mapping[str, Any]) -> Call | None:
        """A restart stays a restart."""
        return None

    async def _may(self, connection: Connection) -> None:
        if await power_of(connection) == "off":
            raise Rejected("The host is off: there is nothing to restart.", hint="Use ipmi.power.")


def _order(params: PowerParams) -> str:
    return "soft" if params.graceful and params.state == "off" else params.state


async def _becomes(connection: Connection, state: str, patience: float) -> bool:
    """Looks until it is so. A look that fails says nothing about the order: look again."""
    deadline = time.monotonic() + patience
    while True:
        try:
            if await power_of(connection) == state:
                return True
        except TargetError:
            pass
        if time.monotonic() + _EVERY > deadline:
            return False
        await asyncio.sleep(_EVERY)

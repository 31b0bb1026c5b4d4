"""Looks at a host through its BMC."""
# ruff: noqa: ARG002 - the contract gives every verb the same arguments, and not all are needed

from collections.abc import Mapping
from typing import Any, ClassVar

from bot.contract import Call, Connection, Effect, Preview

from .api import at
from .host import Host, host
from .log import newest
from .params import LookParams


class System:
    """Power, health, boot override, serial console and the newest entries of the event log."""

    name: ClassVar[str] = "redfish.system"
    effect: ClassVar[Effect] = Effect.READ
    reverts: ClassVar[bool] = False
    Params: ClassVar[type[LookParams]] = LookParams

    def target(self, params: LookParams) -> str:
        return f"redfish/{params.bmc}"

    async def preview(self, params: LookParams, connection: Connection) -> Preview:
        """Looking changes nothing."""
        return Preview()

    async def apply(self, params: LookParams, connection: Connection) -> dict[str, Any]:
        found = await host(connection, params)
        entries = await newest(connection, found.raw, params.log) if params.log else None
        return {**_facts(found), "log": entries or [], "log_served": entries is not None}

    async def verify(self, params: LookParams, connection: Connection) -> bool | None:
        """There is nothing that could have failed to take effect."""
        return True

    def undo(self, params: LookParams, state: Mapping[str, Any]) -> Call | None:
        return None


def _facts(found: Host) -> dict[str, Any]:
    raw = found.raw
    return {
        "system": found.link.rpartition("/")[2],
        "name": raw.get("Name"),
        "maker": raw.get("Manufacturer"),
        "model": raw.get("Model"),
        "serial": raw.get("SerialNumber"),
        "power": found.power,
        "health": at(raw, "Status", "HealthRollup") or at(raw, "Status", "Health"),
        "last_reset": found.last_reset,
        "progress": at(raw, "BootProgress", "LastState"),
        "boot": at(raw, "Boot", "BootSourceOverrideTarget"),
        "boot_enabled": at(raw, "Boot", "BootSourceOverrideEnabled"),
        "consoles": _consoles(raw),
    }


def _consoles(raw: dict[str, Any]) -> list[str]:
    """The ways to the serial console that are switched on, such as ``SSH:2200``."""
    ways = at(raw, "SerialConsole")
    if not isinstance(ways, dict):
        return []
    return [
        f"{kind}:{way['Port']}" if at(way, "Port") else kind
        for kind, way in ways.items()
        if at(way, "ServiceEnabled")
    ]

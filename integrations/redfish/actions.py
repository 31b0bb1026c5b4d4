"""Looks at a host through its BMC."""

from typing import Any, ClassVar

from bot.contract import Connection
from bot.contract.looking import Looking

from .api import at
from .host import Host, host
from .log import newest
from .params import LookParams


class System(Looking):
    """Power, health, boot override, serial console and the newest entries of the event log."""

    name: ClassVar[str] = "redfish.system"
    Params: ClassVar[type[LookParams]] = LookParams

    def target(self, params: LookParams) -> str:
        return f"redfish/{params.bmc}"

    async def apply(self, params: LookParams, connection: Connection) -> dict[str, Any]:
        found = await host(connection, params)
        entries = await newest(connection, found.raw, params.log) if params.log else None
        return {**_facts(found), "log": entries or [], "log_served": entries is not None}


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

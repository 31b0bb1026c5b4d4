"""Looks at a host through its BMC: its power, and what the BMC wrote down."""
# ruff: noqa: ARG002 - the contract gives every verb the same arguments, and not all are needed

from typing import Any, ClassVar

from bot.contract import Connection
from bot.contract.looking import Looking
from bot.errors import Rejected

from .params import BmcParams, LogParams
from .tool import ipmitool

_COLUMNS = 6  # number, day, time, sensor, event, whether it came or went


class Look(Looking):
    """What looking shares; each verb adds its name, its `Params` and `apply`."""

    def target(self, params: BmcParams) -> str:
        return f"ipmi/{params.bmc}"


class Status(Look):
    """Whether the host is on, why it last changed, and which faults the chassis reports."""

    name: ClassVar[str] = "ipmi.status"
    Params: ClassVar[type[BmcParams]] = BmcParams

    async def apply(self, params: BmcParams, connection: Connection) -> dict[str, Any]:
        said = await _chassis(connection)
        return {
            "power": said["System Power"],
            "last_event": said.get("Last Power Event", ""),
            "restore_policy": said.get("Power Restore Policy", ""),
            "faults": sorted(
                name for name, value in said.items() if "Fault" in name and value == "true"
            ),
        }


class EventLog(Look):
    """The newest entries of the system event log."""

    name: ClassVar[str] = "ipmi.sel"
    Params: ClassVar[type[LogParams]] = LogParams

    async def apply(self, params: LogParams, connection: Connection) -> dict[str, Any]:
        said = await ipmitool(connection, "sel", "list", "last", str(params.log), chatty=False)
        return {"log": [_entry(line) for line in reversed(said.splitlines()) if line.strip()]}


def _entry(line: str) -> dict[str, str]:
    """An entry of a form that is not known is shown as it is: it may be the one that tells."""
    row = line.split(",", _COLUMNS - 1)
    if len(row) != _COLUMNS:
        return {"at": "", "sensor": "", "words": line.strip()}
    _, day, time, sensor, event, way = row
    return {"at": f"{day} {time}", "sensor": sensor, "words": f"{event} {way}".strip()}


async def power_of(connection: Connection) -> str:
    """``on`` or ``off``."""
    return (await _chassis(connection))["System Power"]


async def _chassis(connection: Connection) -> dict[str, str]:
    lines = (await ipmitool(connection, "chassis", "status")).splitlines()
    parts = [line.partition(":") for line in lines]
    said = {name.strip(): value.strip() for name, _, value in parts}
    if said.get("System Power") not in {"on", "off"}:
        raise Rejected("The BMC does not say whether the host is on.")
    return said

"""Says what a host starts from next."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from bot.contract import Call, Change, Connection, Effect, Preview
from bot.errors import Rejected

from .params import BootParams
from .tool import ipmitool

_FLAGS = re.compile(r"Boot parameter data: ([0-9a-fA-F]{4,})")
# The boot flags of IPMI 2.0, table 28-14: bits of the first byte, a number in the second.
_VALID, _PERSISTENT, _EFI = 0x80, 0x40, 0x20
_DEVICES = {
    0: "none", 1: "pxe", 2: "disk", 3: "safe", 4: "diag", 5: "cdrom", 6: "bios", 15: "floppy",
}  # fmt: skip


@dataclass(frozen=True)
class Override:
    """What the BMC is set to start the host from; without a device the rest means nothing."""

    device: str
    persistent: bool = False
    efi: bool = False

    @property
    def shown(self) -> str:
        """For a person."""
        if self.device == "none":
            return "no override"
        how = "every start" if self.persistent else "the next start"
        return f"{self.device} ({how}{', EFI' if self.efi else ''})"


class Boot:
    """Overrides what a host starts from: for the next start, or for every one."""

    name: ClassVar[str] = "ipmi.boot"
    effect: ClassVar[Effect] = Effect.IDEMPOTENT
    reverts: ClassVar[bool] = True
    Params: ClassVar[type[BootParams]] = BootParams

    def target(self, params: BootParams) -> str:
        return f"ipmi/{params.bmc}"

    async def preview(self, params: BootParams, connection: Connection) -> Preview:
        now, wanted = await _now(connection), _wanted(params)
        change = Change(
            target=self.target(params),
            what=f"start of {params.bmc}",
            before=now.shown,
            after=wanted.shown,
        )
        state = {"device": now.device, "persistent": now.persistent, "efi": now.efi}
        return Preview(changes=[] if now == wanted else [change], state=state)

    async def apply(self, params: BootParams, connection: Connection) -> dict[str, Any]:
        wanted = _wanted(params)
        options = [name for name, on in (("persistent", wanted.persistent), ("efiboot", wanted.efi))
                   if on]  # fmt: skip
        more = [f"options={','.join(options)}"] if options else []
        await ipmitool(connection, "chassis", "bootdev", params.device, *more, reading=False)
        return {"boot": wanted.shown}

    async def verify(self, params: BootParams, connection: Connection) -> bool | None:
        return await _now(connection) == _wanted(params)

    def undo(self, params: BootParams, state: Mapping[str, Any]) -> Call | None:
        return Call(action=self.name, params={**params.model_dump(), **state})


def _wanted(params: BootParams) -> Override:
    if params.device == "none":
        return Override("none")
    return Override(params.device, params.persistent, params.efi)


async def _now(connection: Connection) -> Override:
    """Raises `Rejected` for a device that could not be set again by its name."""
    said = await ipmitool(connection, "chassis", "bootparam", "get", "5")
    found = _FLAGS.search(said)
    if found is None:
        raise Rejected("The BMC does not say what the host starts from.")
    first, second = bytes.fromhex(found[1][:4])
    device = _DEVICES.get((second >> 2) & 0xF)
    if device is None:
        raise Rejected("The host starts from a device that ipmitool cannot name: leave it.")
    if not first & _VALID or device == "none":
        return Override("none")
    return Override(device, bool(first & _PERSISTENT), bool(first & _EFI))

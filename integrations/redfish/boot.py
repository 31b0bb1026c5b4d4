"""Says what a host starts from next."""

from collections.abc import Mapping
from typing import Any, ClassVar

from bot.contract import Call, Change, Connection, Effect, Preview
from bot.errors import Rejected

from .api import at, send
from .host import Host, host
from .params import BootParams


class Boot:
    """Overrides what a host starts from: for the next start, or for every one."""

    name: ClassVar[str] = "redfish.boot"
    effect: ClassVar[Effect] = Effect.IDEMPOTENT
    reverts: ClassVar[bool] = True
    Params: ClassVar[type[BootParams]] = BootParams

    def target(self, params: BootParams) -> str:
        return f"redfish/{params.bmc}"

    async def preview(self, params: BootParams, connection: Connection) -> Preview:
        now = await host(connection, params)
        _may(now, params.device)
        device, enabled = _override(now)
        change = Change(
            target=self.target(params),
            what=f"start of {now.raw.get('Name') or now.link}",
            before=f"{device} ({enabled})",
            after=f"{params.device} ({params.enabled})",
        )
        changes = [] if _is(now, params) else [change]
        return Preview(changes=changes, state={"device": device, "enabled": enabled})

    async def apply(self, params: BootParams, connection: Connection) -> dict[str, Any]:
        now = await host(connection, params)
        _may(now, params.device)
        boot = {
            "BootSourceOverrideTarget": params.device,
            "BootSourceOverrideEnabled": params.enabled,
        }
        # Some makers insist on the version that was read; the others do not look at it.
        headers = {"If-Match": now.tag} if now.tag else {}
        await send(connection, "PATCH", now.link, json={"Boot": boot}, headers=headers)
        return {"device": params.device, "enabled": params.enabled}

    async def verify(self, params: BootParams, connection: Connection) -> bool | None:
        """A BMC that makes every start of one start did not do what it was told."""
        return _is(await host(connection, params), params)

    def undo(self, params: BootParams, state: Mapping[str, Any]) -> Call | None:
        return Call(action=self.name, params={**params.model_dump(), **state})


def _override(now: Host) -> tuple[str, str]:
    device = str(at(now.raw, "Boot", "BootSourceOverrideTarget") or "None")
    return device, str(at(now.raw, "Boot", "BootSourceOverrideEnabled") or "Disabled")


def _is(now: Host, params: BootParams) -> bool:
    return _plain(*_override(now)) == _plain(params.device, params.enabled)


def _plain(device: str, enabled: str) -> tuple[str, str]:
    """There are two ways to say that nothing is overridden."""
    absent = device == "None" or enabled == "Disabled"
    return ("None", "Disabled") if absent else (device, enabled)


def _may(now: Host, device: str) -> None:
    """Raises `Rejected` where the BMC says that it cannot start from there."""
    known = at(now.raw, "Boot", "BootSourceOverrideTarget@Redfish.AllowableValues")
    if isinstance(known, list) and device not in (*known, "None"):
        raise Rejected(
            f"The BMC cannot start it from {device}.",
            hint=f"It knows {', '.join(map(str, known))}.",
        )

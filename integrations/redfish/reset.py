"""Restarts a host, once."""

from collections.abc import Mapping
from typing import Any, ClassVar

from bot.contract import Call, Change, Connection, Effect, Preview
from bot.errors import Rejected

from .host import Host, host, tell, watch
from .params import ResetParams

_KINDS = {"forced": "ForceRestart", "graceful": "GracefulRestart", "cycle": "PowerCycle"}


class Reset:
    """Restarts a host that is on. What was not written to disk is lost, unless it is graceful."""

    name: ClassVar[str] = "redfish.reset"
    effect: ClassVar[Effect] = Effect.ONCE
    reverts: ClassVar[bool] = False
    Params: ClassVar[type[ResetParams]] = ResetParams

    def target(self, params: ResetParams) -> str:
        return f"redfish/{params.bmc}"

    async def preview(self, params: ResetParams, connection: Connection) -> Preview:
        now = await host(connection, params)
        kind = _may(now, params)
        since = f", last reset {now.last_reset}" if now.last_reset else ""
        change = Change(
            target=self.target(params),
            what=f"restart of {now.raw.get('Name') or now.link}",
            before=f"on{since}",
            after=f"restarted ({kind})",
        )
        return Preview(changes=[change], state={"last_reset": now.last_reset})

    async def apply(self, params: ResetParams, connection: Connection) -> dict[str, Any]:
        """Sends one order and watches; ``seen`` is whether the BMC showed that it happened.

        Where it shows nothing, that proves nothing: many resets never show as off.
        """
        before = await host(connection, params)
        await tell(connection, before, _may(before, params))
        was_off = False

        def seen(now: Host) -> bool:
            nonlocal was_off
            was_off = was_off or now.power in {"Off", "PoweringOff", "PoweringOn"}
            return now.power == "On" and (was_off or now.last_reset != before.last_reset)

        return {"seen": await watch(connection, before.link, params.patience, seen)}

    async def verify(self, params: ResetParams, connection: Connection) -> bool | None:
        """True if the BMC tells another last reset than before; else nobody can tell."""
        now = await host(connection, params)
        changed = params.last_reset and now.last_reset and now.last_reset != params.last_reset
        return True if changed and now.power == "On" else None

    def undo(self, params: ResetParams, state: Mapping[str, Any]) -> Call | None:  # noqa: ARG002
        """A restart stays a restart."""
        return None


def _may(now: Host, params: ResetParams) -> str:
    """The kind of reset. Raises `Rejected` where it makes no sense any more."""
    if now.settled == "off":
        raise Rejected("The host is off: there is nothing to restart.", hint="Use redfish.power.")
    if params.last_reset and now.last_reset not in {"", params.last_reset}:
        raise Rejected(
            f"The host was reset at {now.last_reset}, after it was looked at.",
            hint="Look again before you restart it once more.",
        )
    return now.order(_KINDS[params.how])

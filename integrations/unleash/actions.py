"""Looks at a feature flag, as Unleash has it and as applications hear of it, and switches it."""

from collections.abc import Mapping
from typing import Any, ClassVar

from bot.contract import Call, Change, Connection, Effect, Preview
from bot.contract.looking import Looking
from bot.errors import Rejected

from .api import Found, archived, flag, served, switch
from .params import FlagParams, SetFlagParams


class _Unleash:
    """What every verb here shares."""

    def target(self, params: FlagParams) -> str:
        return f"unleash/{params.server}"


class _Look(Looking, _Unleash):
    """What the reading verbs share."""

    Params: ClassVar[type[FlagParams]] = FlagParams


class Flag(_Look):
    """A flag as Unleash has it: on or off, for whom, stale, archived, what depends on it."""

    name: ClassVar[str] = "unleash.flag"

    async def apply(self, params: FlagParams, connection: Connection) -> dict[str, Any]:
        now = await flag(connection, params)
        gone = now is None and await archived(connection, params)
        now = now or Found(enabled=False, stale=False, type="", strategies=(), children=())
        return {
            "found": bool(now.type),
            "archived": gone,
            "enabled": now.enabled,
            "stale": now.stale,
            "type": now.type,
            "strategies": list(now.strategies),
            "children": list(now.children),
        }


class Served(_Look):
    """A flag as applications are told: by the list that they poll, with an application's token."""

    name: ClassVar[str] = "unleash.served"

    async def apply(self, params: FlagParams, connection: Connection) -> dict[str, Any]:
        told = await served(connection, params)
        return {"found": told is not None, "enabled": bool(told and told["enabled"])}


class SetFlag(_Unleash):
    """Switches a flag on or off in one environment; its strategies stay as they are."""

    name: ClassVar[str] = "unleash.set_flag"
    effect: ClassVar[Effect] = Effect.IDEMPOTENT
    reverts: ClassVar[bool] = True
    Params: ClassVar[type[SetFlagParams]] = SetFlagParams

    async def preview(self, params: SetFlagParams, connection: Connection) -> Preview:
        """Names what goes with it: flags that depend on it, a strategy that Unleash would add."""
        now = await self._there(params, connection)
        change = Change(
            target=self.target(params),
            what=f"flag {params.flag} in {params.environment}",
            before=now.shown,
            after=_after(params, now),
        )
        state = {"enabled": now.enabled, "children": list(now.children)}
        return Preview(changes=[] if now.enabled == params.enabled else [change], state=state)

    async def apply(self, params: SetFlagParams, connection: Connection) -> dict[str, Any]:
        await switch(connection, params, on=params.enabled)
        return {"enabled": params.enabled}

    async def verify(self, params: SetFlagParams, connection: Connection) -> bool | None:
        """By what Unleash has; applications hear of it later, which `unleash.served` tells."""
        return (await self._there(params, connection)).enabled == params.enabled

    def undo(self, params: SetFlagParams, state: Mapping[str, Any]) -> Call | None:
        """As it was."""
        return Call(
            action=self.name, params={**params.model_dump(), "enabled": bool(state["enabled"])}
        )

    async def _there(self, params: FlagParams, connection: Connection) -> Found:
        now = await flag(connection, params)
        if now is None:
            hint = "The project's archive has it." if await archived(connection, params) else ""
            raise Rejected(f"The project {params.project} has no flag {params.flag}.", hint=hint)
        return now


def _after(params: SetFlagParams, now: Found) -> str:
    if not params.enabled:
        along = f"; with it those that depend on it: {', '.join(now.children)}"
        return f"off{along if now.children else ''}"
    if now.strategies:
        return f"on, {', '.join(now.strategies)}"
    return "on, by a strategy that Unleash adds, as none is active: usually for everybody"

"""Does with one call what the engine does: preview, apply, verify, undo."""

import json
from dataclasses import dataclass
from typing import Any

from bot.contract import Action, Call, Connection, Preview
from bot.registry import Registry
from tests.servers.http_app import HttpApp


@dataclass
class Doing:
    """Does what the engine does with one call: preview, apply, verify, then the undo's call."""

    registry: Registry
    connection: Connection

    def action(self, name: str) -> Action:
        return self.registry.action(name)

    def params(self, call: Call) -> Any:
        return self.action(call.action).Params.model_validate(call.params)

    async def preview(self, name: str, /, **params: Any) -> Preview:
        call = Call(action=name, params=params)
        preview = await self.action(name).preview(self.params(call), self.connection)
        assert json.loads(preview.model_dump_json())  # the plan and its state can be stored
        return preview

    async def apply(self, name: str, /, **params: Any) -> dict[str, Any]:
        call = Call(action=name, params=params)
        out = await self.action(name).apply(self.params(call), self.connection)
        assert json.loads(json.dumps(out)) == out
        return out

    async def verify(self, name: str, /, **params: Any) -> bool | None:
        call = Call(action=name, params=params)
        return await self.action(name).verify(self.params(call), self.connection)

    def undo(self, preview: Preview, name: str, /, **params: Any) -> Call | None:
        state = json.loads(json.dumps(preview.state))  # as it comes back from the journal
        action = self.action(name)
        return action.undo(self.params(Call(action=name, params=params)), state)

    async def take_back(self, preview: Preview, name: str, /, **params: Any) -> None:
        call = self.undo(preview, name, **params)
        assert call is not None
        await self.apply(call.action, **call.params)
        assert await self.verify(call.action, **call.params) is True


@dataclass
class PracticeEdge:
    """Envoy with the practice platform's own configuration, health checks included."""

    url: str
    admin_url: str
    primary: HttpApp
    standby: HttpApp

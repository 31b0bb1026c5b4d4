"""Looks records up and switches them."""

from collections.abc import Mapping
from typing import Any, ClassVar

from bot.contract import Call, Change, Connection, Effect, Preview
from bot.contract.looking import Looking

from .api import Records, records, replace
from .params import LookupParams, RecordParams, SetRecordParams


class _Zone:
    """What every verb here shares."""

    def target(self, params: RecordParams) -> str:
        return f"powerdns/{params.server}"

    async def _now(self, params: RecordParams, connection: Connection) -> Records:
        return await records(connection, params.zone_id, params.full, params.type)


class Lookup(Looking, _Zone):
    """What the authoritative server has for a name."""

    name: ClassVar[str] = "powerdns.lookup"
    Params: ClassVar[type[LookupParams]] = LookupParams

    async def apply(self, params: LookupParams, connection: Connection) -> dict[str, Any]:
        now = await self._now(params, connection)
        return {"found": bool(now.values), "values": list(now.values), "ttl": now.ttl}


class SetRecord(_Zone):
    """Makes these all the values of a name."""

    name: ClassVar[str] = "powerdns.set_record"
    effect: ClassVar[Effect] = Effect.IDEMPOTENT
    reverts: ClassVar[bool] = True
    Params: ClassVar[type[SetRecordParams]] = SetRecordParams

    async def preview(self, params: SetRecordParams, connection: Connection) -> Preview:
        """Says how long resolvers may go on giving the old answer."""
        now = await self._now(params, connection)
        wanted = self._wanted(params)
        kept = f"; resolvers may keep the old answer for {now.ttl} s" if now.ttl else ""
        change = Change(
            target=self.target(params),
            what=f"{params.type} {params.full}",
            before=now.shown,
            after=f"{wanted.shown}{kept}",
        )
        state = {"values": list(now.values), "ttl": now.ttl}
        return Preview(changes=[] if now == wanted else [change], state=state)

    async def apply(self, params: SetRecordParams, connection: Connection) -> dict[str, Any]:
        await replace(
            connection, params.zone_id, params.full, params.type, params.contents, params.ttl
        )
        return {"values": params.contents, "ttl": params.ttl}

    async def verify(self, params: SetRecordParams, connection: Connection) -> bool | None:
        return await self._now(params, connection) == self._wanted(params)

    def undo(self, params: SetRecordParams, state: Mapping[str, Any]) -> Call | None:
        """All the values that were there, with their TTL; or none, if there was none."""
        before = {"values": state["values"], "ttl": max(5, state["ttl"] or params.ttl)}
        return Call(action=self.name, params={**params.model_dump(), **before})

    def _wanted(self, params: SetRecordParams) -> Records:
        return Records(tuple(params.contents), params.ttl if params.values else None)

"""Looks records up at the primary and switches them there."""

from collections.abc import Mapping
from typing import Any, ClassVar

from bot.contract import Call, Change, Connection, Effect, Preview
from bot.contract.looking import Looking

from .messages import Records, records, replace, serves
from .params import LookupParams, RecordParams, SetRecordParams


class _Zone:
    """What every verb here shares."""

    def target(self, params: RecordParams) -> str:
        return f"dns_update/{params.server}"


class Lookup(Looking, _Zone):
    """What the primary has for a name."""

    name: ClassVar[str] = "dns_update.lookup"
    Params: ClassVar[type[LookupParams]] = LookupParams

    async def apply(self, params: LookupParams, connection: Connection) -> dict[str, Any]:
        now = await records(connection, params)
        return {"found": bool(now.values), "values": list(now.values), "ttl": now.ttl}


class SetRecord(_Zone):
    """Makes these all the values of a name, unless somebody else changes it at the same moment."""

    name: ClassVar[str] = "dns_update.set_record"
    effect: ClassVar[Effect] = Effect.IDEMPOTENT
    reverts: ClassVar[bool] = True
    Params: ClassVar[type[SetRecordParams]] = SetRecordParams

    async def preview(self, params: SetRecordParams, connection: Connection) -> Preview:
        """Says how long resolvers may go on giving the old answer."""
        await serves(connection, params)
        now = await records(connection, params)
        wanted = self._wanted(params)
        kept = f"; resolvers may keep the old answer for {now.ttl} s" if now.ttl else ""
        change = Change(
            target=self.target(params),
            what=f"{params.type} {params.owner}",
            before=now.shown,
            after=f"{wanted.shown}{kept}",
        )
        state = {"values": list(now.values), "ttl": now.ttl}
        return Preview(changes=[] if now == wanted else [change], state=state)

    async def apply(self, params: SetRecordParams, connection: Connection) -> dict[str, Any]:
        """Reads, and sends the change on the condition that this is what is still there."""
        now, wanted = await records(connection, params), self._wanted(params)
        if now != wanted:
            await replace(connection, params, now, wanted)
        return {"values": list(wanted.values), "ttl": wanted.ttl}

    async def verify(self, params: SetRecordParams, connection: Connection) -> bool | None:
        return await records(connection, params) == self._wanted(params)

    def undo(self, params: SetRecordParams, state: Mapping[str, Any]) -> Call | None:
        """All the values that were there, with their TTL; or none, if there was none."""
        ttl = params.ttl if state["ttl"] is None else state["ttl"]
        before = {"values": state["values"], "ttl": ttl}
        return Call(action=self.name, params={**params.model_dump(), **before})

    def _wanted(self, params: SetRecordParams) -> Records:
        return Records(tuple(params.contents), params.ttl if params.values else None)

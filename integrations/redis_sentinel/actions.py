"""Looks at a Redis through its Sentinels, and has them fail it over."""
# ruff: noqa: ARG002 - the contract gives every verb the same arguments, and not all are needed

import asyncio
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field

from bot.contract import Call, Change, Connection, Effect, Frozen, Preview
from bot.contract.looking import Looking
from bot.errors import Rejected, Retryable, Unknown

from .client import sentinel, server
from .view import primary_of, view

_LOOK = 0.2  # seconds between two looks whether the primary has moved
_ADDRESS = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,252}:[0-9]{1,5}$"


class ClusterParams(Frozen):
    """Which Redis."""

    cluster: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,63}$")] = Field(
        description="The Redis: `sessions` is the target `redis/sessions` of the catalog."
    )
    master: Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$")] | None = Field(
        default=None, description="Its name at the Sentinels; that of the cluster if left out."
    )

    @property
    def named(self) -> str:
        """Its name at the Sentinels."""
        return self.master or self.cluster


class FailoverParams(ClusterParams):
    """Which primary is to be replaced."""

    from_primary: Annotated[str, Field(pattern=_ADDRESS)] = Field(
        description="host:port of the primary that is to be replaced, as the survey names it: "
        "where it is not the primary any more, nothing is done."
    )
    patience: Annotated[float, Field(gt=0, le=300)] = Field(
        default=30.0, description="Seconds for the Sentinels to bring it about."
    )


class _Cluster:
    """What every verb here shares."""

    def target(self, params: ClusterParams) -> str:
        return f"redis/{params.cluster}"


class _Look(Looking, _Cluster):
    """What the reading verbs share."""

    Params: ClassVar[type[ClusterParams]] = ClusterParams


class Survey(_Look):
    """Asks every Sentinel who is primary, whether they could fail over, and to whom."""

    name: ClassVar[str] = "redis_sentinel.survey"

    async def apply(self, params: ClusterParams, connection: Connection) -> dict[str, Any]:
        return await view(connection, params.named)


class Primary(_Look):
    """Asks the primary itself, whom the Sentinels name, over the same path."""

    name: ClassVar[str] = "redis_sentinel.primary"

    async def apply(self, params: ClusterParams, connection: Connection) -> dict[str, Any]:
        async with sentinel(connection) as first:
            address, _ = await primary_of(first, params.named)
        host, _, port = address.rpartition(":")
        async with server(connection, (host, int(port))) as node:
            role, offset, replicas = (await node.ask("ROLE"))[:3]
        following = len(replicas) if role == "master" else 0
        return {"primary": address, "role": role, "offset": offset, "replicas": following}


class Failover(_Cluster):
    """Has the Sentinels promote a replica, also while the primary still answers."""

    name: ClassVar[str] = "redis_sentinel.failover"
    effect: ClassVar[Effect] = Effect.ONCE
    reverts: ClassVar[bool] = False
    Params: ClassVar[type[FailoverParams]] = FailoverParams

    async def preview(self, params: FailoverParams, connection: Connection) -> Preview:
        seen = await view(connection, params.named)
        good = [r["address"] for r in seen["replicas"] if r["good"]]
        self._may(params, seen["primary"], good)
        change = Change(
            target=self.target(params),
            what=f"primary of {params.named}",
            before=seen["primary"],
            after=f"the one that Sentinel chooses of {', '.join(good)}; writes that no replica "
            "has yet are lost",
        )
        return Preview(
            changes=[change], state={"primary": seen["primary"]}, healthy_after=len(good)
        )

    async def apply(self, params: FailoverParams, connection: Connection) -> dict[str, Any]:
        """Asks once, then waits until the Sentinel names another primary."""
        async with sentinel(connection) as first:
            before, _ = await primary_of(first, params.named)
            self._may(params, before, ["unknown"])
            await first.ask("SENTINEL", "FAILOVER", params.named, read=False)
            try:
                async with asyncio.timeout(params.patience):
                    now = before
                    while now == before:
                        await asyncio.sleep(_LOOK)
                        now, _ = await primary_of(first, params.named)
            except (TimeoutError, Retryable) as error:
                raise Unknown(
                    f"The Sentinel took the order, and {before} is still the primary."
                ) from error
        return {"from": before, "to": now}

    async def verify(self, params: FailoverParams, connection: Connection) -> bool | None:
        """Another primary: yes. The same one: no, unless they are at it."""
        async with sentinel(connection) as first:
            now, in_progress = await primary_of(first, params.named)
        if now != params.from_primary:
            return True
        return None if in_progress else False

    def undo(self, params: FailoverParams, state: Mapping[str, Any]) -> Call | None:
        """Sentinel has no way to name who is promoted, so none to go back to the same one."""
        return None

    def _may(self, params: FailoverParams, primary: str, good: list[str]) -> None:
        if primary != params.from_primary:
            raise Rejected(
                f"The primary is {primary}, no longer {params.from_primary}.",
                hint="Somebody or Sentinel itself has failed over already: survey again.",
            )
        if not good:
            raise Rejected("No replica is good enough to be promoted.", hint="Survey again.")

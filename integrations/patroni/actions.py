"""Looks at a Patroni cluster member by member, and moves its primary."""
# ruff: noqa: ARG002 - the contract gives every verb the same arguments, and not all are needed

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Annotated, Any, ClassVar

import httpx
from pydantic import Field

from bot.contract import Call, Change, Connection, Effect, Frozen, Preview
from bot.contract.http import Api
from bot.contract.looking import Looking
from bot.errors import AuthFailed, Rejected, Retryable, Unknown

from .view import member, url_of, view

_LOOK = 0.5  # seconds between two looks at who was promoted
_Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,63}$")]


class ClusterParams(Frozen):
    """Which PostgreSQL."""

    cluster: _Name = Field(
        description="The cluster: `orders` is the target `patroni/orders` of the catalog."
    )


class FailoverParams(ClusterParams):
    """Who is to be primary, where there is none."""

    candidate: _Name = Field(description="The member that is to be promoted.")
    patience: Annotated[float, Field(gt=0, le=300)] = Field(
        default=60.0, description="Seconds for Patroni to bring it about."
    )


class SwitchoverParams(FailoverParams):
    """Who hands over to whom."""

    leader: _Name = Field(
        description="The primary that hands over: where it is not primary, nothing is done."
    )


class _Cluster:
    """What every verb here shares."""

    def target(self, params: ClusterParams) -> str:
        return f"patroni/{params.cluster}"


class Survey(Looking, _Cluster):
    """Asks every member for itself: who is primary, who is behind, who cannot be reached."""

    name: ClassVar[str] = "patroni.survey"
    Params: ClassVar[type[ClusterParams]] = ClusterParams

    async def apply(self, params: ClusterParams, connection: Connection) -> dict[str, Any]:
        return await view(connection)


class _Promotion(_Cluster):
    """What moving the primary shares."""

    effect: ClassVar[Effect] = Effect.ONCE
    reverts: ClassVar[bool] = False

    async def verify(self, params: FailoverParams, connection: Connection) -> bool | None:
        """By the candidate's own word; None where it does not give it."""
        try:
            return bool((await member(connection, params.candidate))["primary"])
        except Retryable:
            return None


class Switchover(_Promotion):
    """A healthy primary hands over to a named replica; no acknowledged write is lost."""

    name: ClassVar[str] = "patroni.switchover"
    Params: ClassVar[type[SwitchoverParams]] = SwitchoverParams

    async def preview(self, params: SwitchoverParams, connection: Connection) -> Preview:
        seen = await view(connection)
        self._may(params, seen)
        return _preview(params, seen, f"{params.candidate}; writes stop for a few seconds")

    async def apply(self, params: SwitchoverParams, connection: Connection) -> dict[str, Any]:
        self._may(params, await view(connection))
        words = {"leader": params.leader, "candidate": params.candidate}
        return await _order(connection, params.leader, "switchover", words, params.patience)

    def undo(self, params: SwitchoverParams, state: Mapping[str, Any]) -> Call | None:
        """The other way round."""
        back = {**params.model_dump(), "leader": params.candidate, "candidate": params.leader}
        return Call(action=self.name, params=back)

    def _may(self, params: SwitchoverParams, seen: dict[str, Any]) -> None:
        if seen["primaries"] != [params.leader]:
            raise Rejected(
                f"The primary is {_names(seen['primaries'])}, not {params.leader}.",
                hint="Survey again. Where there is none, this is a failover.",
            )
        _fit(params.candidate, seen)


class Failover(_Promotion):
    """Promotes a named replica where no primary answers. It does not fence: do that before."""

    name: ClassVar[str] = "patroni.failover"
    Params: ClassVar[type[FailoverParams]] = FailoverParams

    async def preview(self, params: FailoverParams, connection: Connection) -> Preview:
        """While the primary still answers the plan says who it is, and `apply` would refuse."""
        seen = await view(connection)
        _fit(params.candidate, seen)
        lag = seen["members"][params.candidate]["lag_mb"]
        behind = "an unknown amount" if lag is None else f"up to {lag:g} MB"
        return _preview(params, seen, f"{params.candidate}; {behind} of writes are lost")

    async def apply(self, params: FailoverParams, connection: Connection) -> dict[str, Any]:
        """Asks the candidate's own Patroni, once."""
        seen = await view(connection)
        if seen["primaries"]:
            raise Rejected(
                f"{_names(seen['primaries'])} answers as primary: nobody is promoted beside it.",
                hint="Use patroni.switchover, or fence it first.",
            )
        _fit(params.candidate, seen)
        words = {"candidate": params.candidate}
        return await _order(connection, params.candidate, "failover", words, params.patience)

    def undo(self, params: FailoverParams, state: Mapping[str, Any]) -> Call | None:
        """Who was primary has lost that for good: his writes would be another history."""
        return None


def _preview(params: FailoverParams, seen: dict[str, Any], after: str) -> Preview:
    before = _names(seen["primaries"])
    if seen["unreached"]:
        before += f"; not reached: {_names(seen['unreached'])}"
    change = Change(
        target=f"patroni/{params.cluster}",
        what=f"primary of {params.cluster}",
        before=before,
        after=after,
    )
    healthy = sum(each["primary"] or each["replica"] for each in seen["members"].values())
    return Preview(changes=[change], state={"primaries": seen["primaries"]}, healthy_after=healthy)


def _fit(candidate: str, seen: dict[str, Any]) -> None:
    """Raises `Rejected` unless the candidate is a replica that runs."""
    found = seen["members"].get(candidate)
    if found is None:
        raise Rejected(f"There is no member {candidate}: there are {_names(seen['members'])}.")
    if not found["replica"]:
        said = f"{found['role']}, {found['state']}" if found["reached"] else "not reached"
        raise Rejected(
            f"{candidate} cannot be promoted: {said}.", hint="Survey, and choose a running replica."
        )


async def _order(
    connection: Connection, name: str, what: str, words: dict[str, str], patience: float
) -> dict[str, Any]:
    """One POST, which Patroni answers when the candidate has the leader's key; it is promoted then."""
    ends = asyncio.get_running_loop().time() + patience
    url = f"{url_of(connection, name)}/{what}"
    with Api(name).reaching(once=True):
        response = await connection.http.post(url, json=words, timeout=patience)
    said = response.text.strip()[:300]
    if response.status_code in (401, 403):
        raise AuthFailed(f"{name} refused the credential: {said}")
    if response.status_code == httpx.codes.OK:
        await _promoted(connection, words["candidate"], ends)
        return {"primary": words["candidate"], "said": said}
    if response.status_code in (400, 409, 412):
        raise Rejected(f"{name} refused: {said}")
    raise Unknown(f"{name} answered {response.status_code}: {said}")


async def _promoted(connection: Connection, candidate: str, ends: float) -> None:
    """Waits until it says so itself, and no longer than until then: `verify` tells what came of it."""
    while asyncio.get_running_loop().time() < ends:
        with suppress(Retryable):
            if (await member(connection, candidate))["primary"]:
                return
        await asyncio.sleep(_LOOK)


def _names(names: Any) -> str:  # noqa: ANN401 - a list or a mapping, for their names
    return ", ".join(names) or "nobody"

"""RDS: who writes in a cluster, and a failover to a named reader."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from pydantic import Field

from bot.contract import Call, Change, Connection, Effect, Preview
from bot.contract.looking import Looking
from bot.errors import Rejected

from .api import change, look
from .params import AccountParams

_Id = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=63)]
_READY = "available"


class ClusterParams(AccountParams):
    """Which cluster."""

    cluster: _Id = Field(description="The cluster's identifier.")


class FailoverParams(ClusterParams):
    """Who is to write."""

    to: _Id = Field(description="The reader that is to become the writer.")


@dataclass(frozen=True)
class Cluster:
    """One reading of a cluster: its status, and member → status."""

    body: Mapping[str, Any]
    members: Mapping[str, str]

    @property
    def status(self) -> str:
        """Such as ``available`` or ``failing-over``."""
        return str(self.body.get("Status", ""))

    @property
    def writer(self) -> str | None:
        """The member that writes."""
        rows = self.body.get("DBClusterMembers", [])
        return next((str(r["DBInstanceIdentifier"]) for r in rows if r["IsClusterWriter"]), None)


class _Cluster:
    """What every verb here shares."""

    def target(self, params: ClusterParams) -> str:
        return f"aws/{params.account}.rds"


class Look(Looking, _Cluster):
    """Who writes in a cluster, who reads, and how each of them is."""

    name: ClassVar[str] = "aws.rds_cluster"
    Params: ClassVar[type[ClusterParams]] = ClusterParams

    async def apply(self, params: ClusterParams, connection: Connection) -> dict[str, Any]:
        now = await _read(params, connection)
        return {
            "status": now.status,
            "engine": now.body.get("Engine", ""),
            "writer": now.writer,
            "readers": sorted(m for m in now.members if m != now.writer),
            "members": dict(now.members),
            "available": sorted(m for m, status in now.members.items() if status == _READY),
            "endpoint": now.body.get("Endpoint", ""),
        }


class Failover(_Cluster):
    """Has RDS make a reader the writer. Once: each failover cuts the connections of all clients."""

    name: ClassVar[str] = "aws.rds_failover"
    effect: ClassVar[Effect] = Effect.ONCE
    reverts: ClassVar[bool] = False
    Params: ClassVar[type[FailoverParams]] = FailoverParams

    async def preview(self, params: FailoverParams, connection: Connection) -> Preview:
        now = await self._checked(params, connection)
        line = Change(
            target=self.target(params),
            what=f"writer of {params.cluster}",
            before=now.writer or "nobody",
            after=f"{params.to}; every connection is cut",
        )
        ready = sum(status == _READY for status in now.members.values())
        return Preview(changes=[line], state={"writer": now.writer}, healthy_after=ready)

    async def apply(self, params: FailoverParams, connection: Connection) -> dict[str, Any]:
        """Returns when RDS has begun: read `aws.rds_cluster` until the writer is another."""
        before = (await self._checked(params, connection)).writer
        await change(
            connection, "rds", "FailoverDBCluster",
            DBClusterIdentifier=params.cluster, TargetDBInstanceIdentifier=params.to,
        )  # fmt: skip
        return {"before": before, "to": params.to}

    async def verify(self, params: FailoverParams, connection: Connection) -> bool | None:
        """True when it writes. Never False: a failover that has begun reads as none for a while."""
        now = await _read(params, connection)
        return True if now.writer == params.to and now.status == _READY else None

    def undo(self, params: FailoverParams, state: Mapping[str, Any]) -> Call | None:
        """Another failover, to the one that wrote before, if there was one."""
        if not state.get("writer"):
            return None
        return Call(action=self.name, params={**params.model_dump(), "to": state["writer"]})

    async def _checked(self, params: FailoverParams, connection: Connection) -> Cluster:
        now = await _read(params, connection)
        if params.to not in now.members:
            known = ", ".join(sorted(now.members)) or "none"
            raise Rejected(f"{params.cluster} has no member {params.to}.", hint=f"It has: {known}.")
        if now.writer == params.to:
            raise Rejected(f"{params.to} is the writer of {params.cluster} already.")
        if (status := now.members[params.to]) != _READY:
            raise Rejected(f"{params.to} cannot take over: it is {status}.")
        return now


async def _read(params: ClusterParams, connection: Connection) -> Cluster:
    found = await look(connection, "rds", "DescribeDBClusters", DBClusterIdentifier=params.cluster)
    body = found["DBClusters"][0]
    listed = await look(
        connection, "rds", "DescribeDBInstances",
        Filters=[{"Name": "db-cluster-id", "Values": [params.cluster]}],
    )  # fmt: skip
    status = {
        i["DBInstanceIdentifier"]: i.get("DBInstanceStatus", "") for i in listed["DBInstances"]
    }
    names = [row["DBInstanceIdentifier"] for row in body.get("DBClusterMembers", [])]
    return Cluster(body, {name: status.get(name, "not listed") for name in names})

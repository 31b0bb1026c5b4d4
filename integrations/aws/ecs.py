"""ECS: which task definition a service runs, and back to an earlier one."""

import math
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field

from bot.contract import Call, Change, Connection, Effect, Preview
from bot.contract.looking import Looking
from bot.errors import Rejected

from .api import change, look
from .params import AccountParams, Name

_EVENTS = 5
_REVISIONS = 20


class ServiceParams(AccountParams):
    """Which service."""

    cluster: Name = Field(description="The ECS cluster's name.")
    service: Name = Field(description="The service's name.")


class RollbackParams(ServiceParams):
    """Which revision it is to run."""

    revision: Annotated[int, Field(ge=1)] = Field(
        description="The revision of the task definition, of the family that it runs now."
    )


class _Service:
    """What every verb here shares."""

    def target(self, params: ServiceParams) -> str:
        return f"aws/{params.account}.ecs"


class Look(Looking, _Service):
    """Which revision a service runs, how many tasks, how its deployments are, and its last events."""

    name: ClassVar[str] = "aws.ecs_service"
    Params: ClassVar[type[ServiceParams]] = ServiceParams

    async def apply(self, params: ServiceParams, connection: Connection) -> dict[str, Any]:
        now = await _service(params, connection)
        family, revision = _revision(now["taskDefinition"])
        listed = await look(
            connection, "ecs", "ListTaskDefinitions",
            familyPrefix=family, status="ACTIVE", sort="DESC", maxResults=_REVISIONS,
        )  # fmt: skip
        found = [_revision(arn) for arn in listed["taskDefinitionArns"]]
        kept = sorted((number for name, number in found if name == family), reverse=True)
        return {
            "status": now["status"],
            "family": family,
            "revision": revision,
            "revisions": kept,
            "previous": next((number for number in kept if number < revision), None),
            **{of: now[f"{of}Count"] for of in ("desired", "running", "pending")},
            "rolled_out": _rolled_out(now),
            "failed": _failed(now),
            "deployments": [_row(d) for d in now.get("deployments", [])],
            "events": [e.get("message", "") for e in now.get("events", [])[:_EVENTS]],
        }


class Rollback(_Service):
    """Has a service run an earlier revision of its task definition; ECS replaces the tasks.

    Idempotent: a revision is never rewritten, so its number means the same each time.
    """

    name: ClassVar[str] = "aws.ecs_rollback"
    effect: ClassVar[Effect] = Effect.IDEMPOTENT
    reverts: ClassVar[bool] = True
    Params: ClassVar[type[RollbackParams]] = RollbackParams

    async def preview(self, params: RollbackParams, connection: Connection) -> Preview:
        now = await self._checked(params, connection)
        family, revision = _revision(now["taskDefinition"])
        line = Change(
            target=self.target(params),
            what=f"task definition of {params.cluster}/{params.service}",
            before=f"{family}:{revision}",
            after=f"{family}:{params.revision}",
        )
        return Preview(
            changes=[] if revision == params.revision else [line],
            state={"revision": revision, "family": family},
            healthy_after=_left(now),
        )

    async def apply(self, params: RollbackParams, connection: Connection) -> dict[str, Any]:
        now = await self._checked(params, connection)
        family, before = _revision(now["taskDefinition"])
        if before != params.revision:
            await change(
                connection, "ecs", "UpdateService", cluster=params.cluster, service=params.service,
                taskDefinition=_arn(now, params.revision),
            )  # fmt: skip
        return {"family": family, "before": before, "after": params.revision}

    async def verify(self, params: RollbackParams, connection: Connection) -> bool | None:
        """None while tasks are being replaced; False for another revision or a failed deployment."""
        now = await _service(params, connection)
        if _revision(now["taskDefinition"])[1] != params.revision or _failed(now):
            return False
        return True if _rolled_out(now) else None

    def undo(self, params: RollbackParams, state: Mapping[str, Any]) -> Call | None:
        return Call(action=self.name, params={**params.model_dump(), "revision": state["revision"]})

    async def _checked(self, params: RollbackParams, connection: Connection) -> Any:  # noqa: ANN401 - the API's own data
        """The service, if it can be rolled back by ECS to a revision that can still be run."""
        now = await _service(params, connection)
        kind = now.get("deploymentController", {}).get("type", "ECS")
        if kind != "ECS":
            raise Rejected(
                f"{params.service} is deployed by {kind}, so ECS does not change its revision."
            )
        wanted = await look(
            connection, "ecs", "DescribeTaskDefinition", taskDefinition=_arn(now, params.revision)
        )
        if (status := wanted["taskDefinition"].get("status", "ACTIVE")) != "ACTIVE":
            raise Rejected(f"Revision {params.revision} is {status}: no task can be started of it.")
        return now


async def _service(params: ServiceParams, connection: Connection) -> Any:  # noqa: ANN401 - the API's own data
    answer = await look(
        connection, "ecs", "DescribeServices", cluster=params.cluster, services=[params.service]
    )
    found = next((s for s in answer["services"] if s["status"] == "ACTIVE"), None)
    if found is None:
        why = next((f.get("reason", "") for f in answer.get("failures", [])), "") or "not active"
        raise Rejected(f"There is no service {params.service} in {params.cluster}: {why}.")
    return found


def _revision(arn: str) -> tuple[str, int]:
    family, _, number = arn.rpartition("/")[2].rpartition(":")
    return family, int(number)


def _arn(service: Mapping[str, Any], revision: int) -> str:
    head: str = service["taskDefinition"].rpartition(":")[0]
    return f"{head}:{revision}"


def _rolled_out(service: Mapping[str, Any]) -> bool:
    """Whether one deployment is left, it is complete, and all its tasks run."""
    states = [d.get("rolloutState") for d in service.get("deployments", [])]
    return states == ["COMPLETED"] and service["runningCount"] == service["desiredCount"]


def _left(service: Mapping[str, Any]) -> int:
    """How many tasks its deployment leaves while others are replaced; AWS rounds up."""
    least = int(service.get("deploymentConfiguration", {}).get("minimumHealthyPercent", 100))
    desired, running = int(service["desiredCount"]), int(service["runningCount"])
    return min(running, math.ceil(desired * least / 100))


def _failed(service: Mapping[str, Any]) -> bool:
    return any(
        (d.get("status"), d.get("rolloutState")) == ("PRIMARY", "FAILED")
        for d in service.get("deployments", [])
    )


def _row(deployment: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "status": deployment.get("status", ""),
        "state": deployment.get("rolloutState", ""),
        "reason": deployment.get("rolloutStateReason", ""),
        "revision": _revision(deployment["taskDefinition"])[1],
        "running": deployment.get("runningCount", 0),
        "failed_tasks": deployment.get("failedTasks", 0),
    }

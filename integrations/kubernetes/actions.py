"""Looks at a Deployment, takes it back to an earlier revision, scales it."""

from collections.abc import Mapping
from typing import Any, ClassVar

from bot.contract import Call, Change, Connection, Effect, Preview
from bot.contract.looking import Looking
from bot.errors import Rejected

from .api import patch
from .params import DeploymentParams, RollbackParams, ScaleParams
from .view import CAUSE, Deployment, Revision, images, path_of, read


class _Deployment:
    """What every verb here shares."""

    def target(self, params: DeploymentParams) -> str:
        return f"kubernetes/{params.cluster}"


class Look(Looking, _Deployment):
    """What a Deployment is at: images, revision, replicas, conditions, and its history."""

    name: ClassVar[str] = "kubernetes.deployment"
    Params: ClassVar[type[DeploymentParams]] = DeploymentParams

    async def apply(self, params: DeploymentParams, connection: Connection) -> dict[str, Any]:
        now = await read(connection, params)
        before = now.previous
        return {
            "images": images(now.template),
            "revision": now.number,
            "replica_set": now.current.replica_set if now.current else None,
            "previous": before.numbers[-1] if before else None,
            "previous_replica_set": before.replica_set if before else None,
            "desired": now.desired,
            **{of: now.count(of) for of in ("ready", "updated", "available")},
            "paused": now.paused,
            "rolled_out": now.rolled_out,
            "stuck": now.stuck,
            "conditions": now.conditions,
            "history": [_row(revision) for revision in now.revisions],
        }


class Rollback(_Deployment):
    """Gives a Deployment the pod template of an earlier revision; its controller does the rest.

    Idempotent: each way to name the revision names the same one after the rollback as before it.
    A ReplicaSet keeps its name; a number that moved is found by the numbers it had; and "the one
    before the newest release" looks at releases, and a rollback is none. So a repeat after a
    crash finds its work done, and never swings back.
    """

    name: ClassVar[str] = "kubernetes.rollback"
    effect: ClassVar[Effect] = Effect.IDEMPOTENT
    reverts: ClassVar[bool] = True
    Params: ClassVar[type[RollbackParams]] = RollbackParams

    async def preview(self, params: RollbackParams, connection: Connection) -> Preview:
        """The share is what its strategy takes of those that serve while pods are replaced."""
        now = await read(connection, params)
        wanted = self._checked(params, now)
        change = Change(
            target=self.target(params),
            what=f"pod template of {params.shown}",
            before=now.current.shown if now.current else _unnumbered(now),
            after=wanted.shown,
            share=round(now.taken / now.desired, 4) if now.taken else None,
        )
        return Preview(
            changes=[] if wanted == now.current else [change],
            state={
                "replica_set": now.current.replica_set if now.current else None,
                "revision": now.number,
                "to": wanted.replica_set,
                "images": images(now.template),
            },
            healthy_after=now.left,
        )

    async def apply(self, params: RollbackParams, connection: Connection) -> dict[str, Any]:
        """Refused by the server if anybody has changed the template since it was read here."""
        now = await read(connection, params)
        wanted = self._checked(params, now)
        changed = wanted != now.current
        if changed:
            await patch(connection, path_of(params), _steps(now, wanted))
        return {
            "changed": changed,
            "replica_set": wanted.replica_set,
            "images": images(wanted.template),
        }

    async def verify(self, params: RollbackParams, connection: Connection) -> bool | None:
        """None while the pods are still being replaced; False when they never will be."""
        now = await read(connection, params)
        if now.wanted(params) != now.current or now.stuck:
            return False
        return True if now.rolled_out else None

    def undo(self, params: RollbackParams, state: Mapping[str, Any]) -> Call | None:
        """By the ReplicaSet's name: the number of the revision to go back to has moved."""
        if not state.get("replica_set"):
            return None
        where = params.model_dump(include={"cluster", "namespace", "deployment"})
        return Call(action=self.name, params={**where, "replica_set": state["replica_set"]})

    def _checked(self, params: RollbackParams, now: Deployment) -> Revision:
        if now.paused:
            raise Rejected(
                f"{params.shown} is paused: a change of its template would wait.",
                hint="Resume it first, or find out who paused it and why.",
            )
        wanted = now.wanted(params)
        if wanted == now.current and params.revision == now.number:
            raise Rejected(f"Revision {params.revision} is what {params.shown} is at.")
        return wanted


class Scale(_Deployment):
    """Sets how many replicas a Deployment has."""

    name: ClassVar[str] = "kubernetes.scale"
    effect: ClassVar[Effect] = Effect.IDEMPOTENT
    reverts: ClassVar[bool] = True
    Params: ClassVar[type[ScaleParams]] = ScaleParams

    async def preview(self, params: ScaleParams, connection: Connection) -> Preview:
        """New replicas count as healthy only once they are; of those there are, fewer are left."""
        now = await read(connection, params)
        taken = now.desired - params.replicas
        change = Change(
            target=self.target(params),
            what=f"replicas of {params.shown}",
            before=f"{now.desired} ({now.count('ready')} ready)",
            after=str(params.replicas),
            share=round(taken / now.desired, 4) if taken > 0 else None,
        )
        return Preview(
            changes=[change] if taken else [],
            state={"replicas": now.desired, "ready": now.count("ready")},
            healthy_after=min(now.count("ready"), params.replicas),
        )

    async def apply(self, params: ScaleParams, connection: Connection) -> dict[str, Any]:
        """Refused by the server if anybody has changed the number since it was read here."""
        before = (await read(connection, params)).desired
        if before != params.replicas:
            await patch(
                connection, path_of(params), _swap("/spec/replicas", before, params.replicas)
            )
        return {"before": before, "after": params.replicas}

    async def verify(self, params: ScaleParams, connection: Connection) -> bool | None:
        """None until there are so many, and all of them ready."""
        now = await read(connection, params)
        if now.desired != params.replicas:
            return False
        there = now.seen and now.count("") == now.count("ready") == params.replicas
        return True if there else None

    def undo(self, params: ScaleParams, state: Mapping[str, Any]) -> Call | None:
        before = state["replicas"]
        bounds = {"at_least": min(before, params.at_least), "at_most": max(before, params.at_most)}
        return Call(action=self.name, params={**params.model_dump(), **bounds, "replicas": before})


def _row(revision: Revision) -> dict[str, Any]:
    return {
        "revision": revision.numbers[-1],
        "was": list(revision.numbers[:-1]),
        "replica_set": revision.replica_set,
        "images": images(revision.template),
        "created": revision.created,
        "cause": revision.cause,
    }


def _unnumbered(now: Deployment) -> str:
    return f"not rolled out yet: {', '.join(images(now.template).values())}"


def _swap(path: str, before: Any, after: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - any JSON
    return [
        {"op": "test", "path": path, "value": before},
        {"op": "replace", "path": path, "value": after},
    ]


def _steps(now: Deployment, wanted: Revision) -> list[dict[str, Any]]:
    """The template, and the note on why it came to be: the present one speaks of the other."""
    steps = _swap("/spec/template", now.template, wanted.template)
    note = f"/metadata/annotations/{CAUSE.replace('/', '~1')}"
    if wanted.cause is not None and now.body["metadata"].get("annotations"):
        steps.append({"op": "add", "path": note, "value": wanted.cause})
    elif wanted.cause is None and now.annotation(CAUSE) is not None:
        steps.append({"op": "remove", "path": note})
    return steps

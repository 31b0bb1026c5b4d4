"""One reading of a Deployment with its revisions. Pure, but for `read`.

A revision is a ReplicaSet, and its number moves: rolled back to, it becomes the newest number,
and keeps the old ones in an annotation. So what is in force is told by the pod template, as the
deployment controller tells it, and a revision is also found by a number that it had.
"""

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from bot.contract import Connection
from bot.errors import Rejected, Retryable

from .api import get
from .params import DeploymentParams, RollbackParams

CAUSE = "kubernetes.io/change-cause"
_REVISION = "deployment.kubernetes.io/revision"
_MOVED = "deployment.kubernetes.io/revision-history"
_HASH = "pod-template-hash"

Json = dict[str, Any]


@dataclass(frozen=True)
class Revision:
    """A ReplicaSet of the Deployment; the last of its ``numbers`` is its number now."""

    replica_set: str
    numbers: tuple[int, ...]
    template: Json
    created: str
    cause: str | None

    @property
    def shown(self) -> str:
        """For a person."""
        return f"revision {self.numbers[-1]}: {', '.join(images(self.template).values())}"

    def before(self, number: int) -> int:
        """The highest number that it had below this one; 0 if none."""
        return max((n for n in self.numbers if n < number), default=0)


@dataclass(frozen=True)
class Deployment:
    """The object as the server gave it, and its revisions, the newest number first."""

    body: Json
    revisions: tuple[Revision, ...]

    @property
    def template(self) -> Json:
        """The pod template that is wanted now."""
        template: Json = self.body["spec"]["template"]
        return template

    @property
    def number(self) -> int:
        """The revision's number as the controller last wrote it."""
        return int(self.annotation(_REVISION) or 0)

    @property
    def paused(self) -> bool:
        """Whether changes of the template wait for somebody to resume it."""
        return bool(self.body["spec"].get("paused"))

    @property
    def desired(self) -> int:
        """How many replicas are wanted."""
        return int(self.body["spec"].get("replicas", 1))

    def count(self, of: str) -> int:
        """A number of the status: ``ready``, ``updated``, ``available``; absent means 0."""
        return int(self.body.get("status", {}).get(f"{of}Replicas" if of else "replicas", 0))

    def annotation(self, name: str) -> str | None:
        """One of its annotations."""
        value = self.body["metadata"].get("annotations", {}).get(name)
        return None if value is None else str(value)

    @property
    def conditions(self) -> Json:
        """Type → status and reason."""
        listed = self.body.get("status", {}).get("conditions", [])
        return {c["type"]: {"status": c["status"], "reason": c.get("reason", "")} for c in listed}

    @cached_property
    def current(self) -> Revision | None:
        """The revision that holds the template; None until the controller has made it."""
        return next((r for r in self.revisions if r.template == self.template), None)

    @property
    def seen(self) -> bool:
        """Whether the controller has seen the last change, so that the status speaks of it."""
        seen = self.body.get("status", {}).get("observedGeneration", 0)
        return bool(seen >= self.body["metadata"].get("generation", 0))

    @property
    def stuck(self) -> bool:
        """Whether the controller has given up waiting for progress."""
        reason = self.conditions.get("Progressing", {}).get("reason")
        return self.seen and reason == "ProgressDeadlineExceeded"

    @property
    def rolled_out(self) -> bool:
        """Whether all replicas are of the template in force, are available, and no other is left."""
        counts = {self.count(of) for of in ("", "updated", "available")}
        return self.seen and counts == {self.desired}

    @property
    def left(self) -> int:
        """How many ready ones its strategy leaves while pods are replaced; 0 if it stops them all.

        As the server does, a share is rounded down; 25 % is what it takes where nothing is said.
        """
        strategy = self.body["spec"].get("strategy", {})
        if strategy.get("type", "RollingUpdate") != "RollingUpdate":
            return 0
        most = str(strategy.get("rollingUpdate", {}).get("maxUnavailable", "25%"))
        number = int(most.rstrip("%"))
        gone = self.desired * number // 100 if most.endswith("%") else number
        return max(0, min(self.count("ready"), self.desired - gone))

    @property
    def taken(self) -> int:
        """How many of the ready ones it stops meanwhile; pods that do not serve are no loss."""
        return min(self.count("ready"), self.desired) - self.left

    @property
    def previous(self) -> Revision | None:
        """What was in force before the newest release.

        The newest release is the revision whose *first* number is the highest: a revision that
        was only gone back to is none. So this stays the same when the rollback has happened.
        """
        if not self.revisions:
            return None
        newest = max(self.revisions, key=lambda r: min(r.numbers))
        release = min(newest.numbers)
        earlier = max(self.revisions, key=lambda r: r.before(release))
        return earlier if earlier.before(release) else None

    def wanted(self, params: RollbackParams) -> Revision:
        """The revision that is meant. Raises `Rejected`, or `Retryable` while it cannot be told."""
        if params.replica_set or params.revision:
            named = [
                r for r in self.revisions
                if r.replica_set == params.replica_set or params.revision in r.numbers
            ]  # fmt: skip
            if not named:
                known = ", ".join(str(r.numbers[-1]) for r in self.revisions) or "none"
                what = params.replica_set or f"revision {params.revision}"
                raise Rejected(f"{params.shown} has no {what}.", hint=f"Kept are: {known}.")
            return named[0]
        if self.current is None:
            raise Retryable(f"No ReplicaSet holds the template of {params.shown} yet.")
        if (before := self.previous) is None:
            raise Rejected(f"{params.shown} has no earlier revision to go back to.")
        return before


def images(template: Mapping[str, Any]) -> dict[str, str]:
    """Container → image."""
    return {c["name"]: c.get("image", "") for c in template["spec"]["containers"]}


def path_of(params: DeploymentParams) -> str:
    """Where the Deployment is."""
    return f"/apis/apps/v1/namespaces/{params.namespace}/deployments/{params.deployment}"


async def read(connection: Connection, params: DeploymentParams) -> Deployment:
    """The Deployment and the ReplicaSets that belong to it."""
    body = await get(connection, path_of(params))
    listed = await get(
        connection,
        f"/apis/apps/v1/namespaces/{params.namespace}/replicasets",
        labelSelector=_selector(body["spec"]["selector"]),
    )
    uid = body["metadata"]["uid"]
    found = [_revision(item) for item in listed["items"] if _owner(item) == uid]
    kept = [r for r in found if r is not None]
    return Deployment(body, tuple(sorted(kept, key=lambda r: r.numbers[-1], reverse=True)))


def _owner(item: Json) -> str | None:
    owners = item["metadata"].get("ownerReferences", [])
    return next((o["uid"] for o in owners if o.get("controller")), None)


def _revision(item: Json) -> Revision | None:
    """None for a ReplicaSet that the controller has not numbered yet."""
    meta = item["metadata"]
    notes = meta.get("annotations", {})
    if not str(notes.get(_REVISION, "")).isdecimal():
        return None
    moved = [int(n) for n in notes.get(_MOVED, "").split(",") if n.isdecimal()]
    template = copy.deepcopy(item["spec"]["template"])
    template["metadata"].get("labels", {}).pop(_HASH, None)
    return Revision(
        meta["name"], (*moved, int(notes[_REVISION])), template,
        meta.get("creationTimestamp", ""), notes.get(CAUSE),
    )  # fmt: skip


def _selector(selector: Json) -> str:
    parts = [f"{key}={value}" for key, value in selector.get("matchLabels", {}).items()]
    for rule in selector.get("matchExpressions", []):
        key, values = rule["key"], ",".join(rule.get("values") or [])
        words = {"In": f"{key} in ({values})", "NotIn": f"{key} notin ({values})",
                 "Exists": key, "DoesNotExist": f"!{key}"}  # fmt: skip
        parts.append(words[rule["operator"]])
    return ",".join(parts)

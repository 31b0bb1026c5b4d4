"""Rollouts of a Deployment in the last hours, told from its revisions."""

from typing import Any

from pydantic import ValidationError

from bot.contract import Connection, Finding, Findings, Question
from bot.contract.evidence import instant, shaped
from bot.errors import BadInput

from .params import DeploymentParams
from .view import Deployment, read


class Rollouts:
    """A revision is as old as its ReplicaSet; one that was gone back to, as the last progress."""

    async def collect(self, question: Question, connection: Connection) -> list[Findings]:
        """One list, the newest first."""
        about = question.about
        name = about.get("deployment", question.service)
        try:
            params = DeploymentParams(cluster="main", namespace=about["namespace"], deployment=name)
        except ValidationError as error:
            raise BadInput(f"{about['namespace']}/{name} is no Deployment's name.") from error
        deployment = await read(connection, params)
        try:
            found = _rollouts(f"{about['namespace']}/{name}", deployment)
        except (KeyError, TypeError, AttributeError) as error:
            raise shaped("Kubernetes", error) from error
        recent = [f for f in found if f.at and f.at >= question.changes_since]
        return [Findings(kind="changes", title=f"Rollouts of {name}", items=recent)]


def _rollouts(where: str, deployment: Deployment) -> list[Finding]:
    found = []
    for revision in deployment.revisions:
        number = min(revision.numbers)
        cause = f" ({revision.cause})" if revision.cause else ""
        found.append(
            Finding(
                text=f"{where}: rolled out {revision.shown}{cause}",
                at=instant(revision.created),
                key=f"rollout:{revision.replica_set}:{number}",
            )
        )
    now = deployment.current
    if now is not None and len(now.numbers) > 1:
        key = f"rollout:{now.replica_set}:{now.numbers[-1]}"
        text = f"{where}: went back to what revision {now.numbers[0]} was, now {now.shown}"
        found.append(Finding(text=text, at=instant(_progressed(deployment.body)), key=key))
    return found


def _progressed(body: dict[str, Any]) -> str:
    conditions = body.get("status", {}).get("conditions", [])
    times = (c.get("lastUpdateTime", "") for c in conditions if c["type"] == "Progressing")
    return str(next(times, ""))

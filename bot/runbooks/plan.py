"""What a run would do: read-only, over the real access path, before → after.

The plan's digest covers the runbook's version, the resolved inputs, every target and every
change; an approval is bound to it, so any difference voids the approval.
"""

import asyncio
import hashlib
from typing import Any

import rfc8785
from pydantic import BaseModel, ValidationError

from bot.access import Dialer
from bot.contract import Action, Effect, Preview
from bot.errors import BadInput, JacklineError, NotSent
from bot.registry import Registry
from bot.runbooks.expressions import render
from bot.runbooks.model import NoUndo, Runbook, Step, Undo


class Planner:
    """Previews steps. Nothing here changes anything."""

    def __init__(self, registry: Registry, dialer: Dialer) -> None:
        self.registry = registry
        self.dialer = dialer

    async def plan(self, runbook: Runbook, inputs: dict[str, Any]) -> dict[str, Any]:
        """The whole plan, JSON-able. Raises `BadInput` where arguments or limits forbid the run."""
        names = {"inputs": inputs, "steps": {}}
        rows = await asyncio.gather(*(self._row(w.step, w.heading, names) for w in runbook.steps))
        for row in rows:
            check_blast_radius(runbook, row["id"], row["changes"])
        return {
            "runbook": runbook.id,
            "title": runbook.front.title,
            "inputs": inputs,
            "approvals": {
                "count": runbook.front.approvals.count,
                "role": runbook.front.approvals.role,
                "ttl": runbook.front.approvals.ttl,
            },
            "steps": rows,
            "targets": sorted(
                {r["target"] for r in rows if r["target"] and r["effect"] != Effect.READ}
            ),
        }

    async def _row(self, step: Step, heading: str, names: dict[str, Any]) -> dict[str, Any]:
        action = self.registry.action(step.action)
        row: dict[str, Any] = {
            "id": step.id,
            "heading": heading,
            "action": step.action,
            "effect": action.effect.value,
            "target": "",
            "paths": [],
            "changes": [],
            "undo": undo_words(step, action),
            "note": "",
        }
        try:
            params = arguments(action, step, names)
        except BadInput as error:
            if "steps." not in str(step.with_):
                raise
            row["note"] = f"Known only during the run: {error.message}"
            return row
        row["target"] = action.target(params)
        row["paths"] = self.dialer.paths(row["target"], step.via)
        if action.effect is Effect.READ:
            return row
        preview = await self.preview(action, params, row["paths"])
        row["changes"] = [change.model_dump() for change in preview.changes]
        if not preview.changes:
            row["note"] = "Nothing would change: it is already so."
        return row

    async def preview(self, action: Action, params: BaseModel, paths: list[str]) -> Preview:
        """Reads over the first path that gets through. Raises the last path's error."""
        problem: JacklineError = NotSent("there is no access path to try")
        for path in paths:
            try:
                async with self.dialer.connect(action.target(params), path) as connection:
                    return await action.preview(params, connection)
            except NotSent as error:
                problem = error
        raise problem


def arguments(action: Action, step: Step | Undo, names: dict[str, Any]) -> Any:  # noqa: ANN401 - the action's own Params
    """The step's arguments, rendered and validated. Raises `BadInput` naming the field."""
    return validated(action, render(step.with_, names), getattr(step, "id", "undo"))


def validated(action: Action, params: dict[str, Any], step_id: str) -> Any:  # noqa: ANN401 - the action's own Params
    """Raises `BadInput` naming step and field."""
    try:
        return action.Params.model_validate(params)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(p) for p in first["loc"])
        raise BadInput(f"step {step_id}: {field}: {first['msg']}", field=field) from None


def check_blast_radius(runbook: Runbook, step_id: str, changes: list[dict[str, Any]]) -> None:
    """Raises `BadInput` with the numbers when a step would take more than the runbook allows."""
    limit = runbook.front.blast_radius
    targets = {change["target"] for change in changes}
    if len(targets) > limit.max_targets:
        raise BadInput(
            f"step {step_id} would change {len(targets)} targets; "
            f"blast_radius.max_targets is {limit.max_targets}."
        )
    share = sum(change["share"] or 0 for change in changes)
    if share > limit.max_share + 1e-9:
        raise BadInput(
            f"step {step_id} would take {share:.0%} of the capacity; "
            f"blast_radius.max_share is {limit.max_share:.0%}."
        )


def undo_words(step: Step, action: Action) -> str:
    """How the step is taken back, for the person who approves."""
    if action.effect is Effect.READ:
        return "nothing to undo"
    if isinstance(step.undo, NoUndo):
        return f"cannot be undone: {step.undo.none}"
    return step.undo.action if isinstance(step.undo, Undo) else "back to what it was"


def digest(plan: dict[str, Any], runbook_digest: str) -> str:
    """SHA-256 over the plan and the runbook's version."""
    body: dict[str, Any] = {"plan": plan, "runbook": runbook_digest}
    return hashlib.sha256(rfc8785.dumps(body)).hexdigest()

"""What a run would do: read-only, over the real access path, before → after.

The plan's digest covers the runbook's version, the resolved inputs, every target and every
change; an approval is bound to it. Just before the run begins the plan is made again: where it
would do more than what people saw, their approval is void.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import rfc8785
from purgatory import AsyncCircuitBreakerFactory
from purgatory.domain.model import OpenedState
from pydantic import BaseModel, ValidationError

from bot.access import Dialer, PathProof
from bot.contract import Action, Connection, Effect, Preview
from bot.errors import BadInput, NotSent, Retryable, TargetError, Unknown
from bot.log import redact_text, redacted
from bot.registry import Registry
from bot.runbooks.expressions import render
from bot.runbooks.model import NoUndo, Runbook, Step, Undo, Written, listed
from bot.runbooks.units import Unit, batches

_FAILURES, _CLOSED = 5, 10.0  # in a row, and then seconds in which a path is passed over
_ROUNDED = 0.005  # shares are shown in whole percent

T = TypeVar("T")
Proofs = Callable[[], Awaitable[Sequence[PathProof]]]


class Planner:
    """Previews steps. Nothing here changes anything."""

    def __init__(self, registry: Registry, dialer: Dialer, proofs: Proofs | None = None) -> None:
        self.registry = registry
        self.dialer = dialer
        self._proofs = proofs
        self._breakers = AsyncCircuitBreakerFactory(
            _FAILURES, _CLOSED, [(Exception, _is_no_trouble)]
        )

    async def plan(self, runbook: Runbook, inputs: dict[str, Any]) -> dict[str, Any]:
        """The whole plan, JSON-able. Raises `BadInput` where arguments or limits forbid the run."""
        names = {"inputs": inputs, "steps": {}}
        found = await asyncio.gather(*(self._rows(runbook, w, names) for w in runbook.steps))
        rows = [row for each in found for row in each]
        own = render(runbook.front.target, names)
        locked = {r["target"] for r in rows if r["target"] and r["effect"] != Effect.READ}
        return {
            "runbook": runbook.id,
            "title": runbook.front.title,
            "inputs": inputs,
            "approvals": {
                "count": runbook.front.approvals.count,
                "from": runbook.front.approvals.from_,
                "ttl": runbook.front.approvals.ttl,
            },
            "freeze": runbook.front.freeze.model_dump(),
            "steps": rows,
            "targets": sorted(locked | set([own] if isinstance(own, str) else own)),
        }

    async def unproven(self, target: str, paths: Sequence[str]) -> dict[str, str]:
        """Those of the paths that no probe has shown to work lately, and why; nothing is tried."""
        if self._proofs is None:
            return {}
        known = {p.path: p for p in await self._proofs() if p.target == target}
        return {
            path: known[path].words for path in paths
            if path in known and known[path].standing != "proven"
        }  # fmt: skip

    async def _rows(
        self, runbook: Runbook, written: Written, names: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """A row for each unit of the step; one, where the units are known only during the run."""
        step = written.step
        try:
            units = [u for batch in batches(step, names) for u in batch.units]
        except BadInput as error:
            if "steps." not in str(step.foreach):
                raise
            row = self._row(step, step.id, written.heading)
            return [_noted(row, f"Known only during the run: {error.message}")]
        each = (self._unit(u, written.heading, {**names, **u.names}) for u in units)
        found = list(await asyncio.gather(*each))
        if step.stages and step.foreach is None:  # a ramp: its stages replace each other
            for unit, (_, preview) in zip(units, found, strict=True):
                check_blast_radius(runbook, unit.id, [preview])
        else:
            check_blast_radius(runbook, step.id, [preview for _, preview in found])
        return [row for row, _ in found]

    def _row(self, step: Step, unit_id: str, heading: str) -> dict[str, Any]:
        action = self.registry.action(step.action) if step.action else None
        needed = step.approval.model_dump(by_alias=True) if step.approval else None
        return {
            "id": unit_id,
            "heading": heading,
            "action": step.action or step.kind,
            "effect": action.effect.value if action else Effect.READ.value,
            "target": "",
            "paths": [],
            "changes": [],
            "undo": undo_words(step, action),
            "approval": needed,
            "note": _note(step),
            "unread": False,
        }

    async def _unit(
        self, unit: Unit, heading: str, names: dict[str, Any]
    ) -> tuple[dict[str, Any], Preview]:
        step, row, nothing = unit.step, self._row(unit.step, unit.id, heading), Preview()
        if step.kind == "notify":
            return _noted(row, self._foretold(step, names)), nothing
        if not step.action:
            return row, nothing
        action = self.registry.action(step.action)
        try:
            params = arguments(action, step.with_, names, step.id)
        except BadInput as error:
            if "steps." not in str(step.with_):
                raise
            return _noted(row, f"Known only during the run: {error.message}"), nothing
        row["target"] = action.target(params)
        row["paths"] = self.dialer.paths(row["target"], listed(step.via))
        unproven = await self.unproven(row["target"], row["paths"])
        if unproven and len(unproven) == len(set(row["paths"])):
            said = ", ".join(f"{path} {why}" for path, why in unproven.items())
            row = _noted(row, f"No path to {row['target']} is proven: {said}")
        if action.effect is Effect.READ:
            return row, nothing
        try:
            preview = await self.preview(action, params, row["paths"], step.timeout)
        except TargetError as error:
            # What is down may be what the run repairs: the step looks again when its time comes.
            return {
                **_noted(row, redact_text(f"Cannot be read now: {error}")),
                "unread": True,
            }, nothing
        row["changes"] = [redacted(change.model_dump()) for change in preview.changes]
        if not preview.changes:
            row["note"] = "Nothing would change: it is already so."
        elif step.undo in ("auto", None) and action.undo(params, preview.state) is None:
            row["undo"] = f"cannot be undone: {step.action} has no way back"
        return row, preview

    async def check_all(
        self, runbook: Runbook, units: Sequence[Unit], names: Mapping[str, Any]
    ) -> None:
        """The blast radius of all items together, just before the first. Raises as `preview`."""

        async def one(unit: Unit) -> Preview:
            step, action = unit.step, self.registry.action(unit.step.action)
            if action.effect is Effect.READ:
                return Preview()
            params = arguments(action, step.with_, {**names, **unit.names}, unit.id)
            paths = self.dialer.paths(action.target(params), listed(step.via))
            return await self.preview(action, params, paths, step.timeout)

        found = await asyncio.gather(*(one(unit) for unit in units))
        check_blast_radius(runbook, units[0].step.id, found)

    def _foretold(self, step: Step, names: dict[str, Any]) -> str:
        try:
            return self.words(step.notify, names)
        except BadInput:
            return step.notify

    def words(self, template: str, names: Mapping[str, Any]) -> str:
        """A text for people with its values filled in. Raises `BadInput`."""
        return str(render(template, names))

    def rendered(self, params: dict[str, Any], names: Mapping[str, Any]) -> dict[str, Any]:
        """Arguments with their values filled in. Raises `BadInput`."""
        filled: dict[str, Any] = render(params, names)
        return filled

    @asynccontextmanager
    async def reach(self, target: str, path: str) -> AsyncIterator[Connection]:
        """A connection to send over, unless the last ones over this path failed one by one.

        Raises `NotSent` then: the next path is tried at once.
        """
        breaker = await self._breakers.get_breaker(f"{target} over {path}")
        try:
            async with breaker, self.dialer.connect(target, path) as connection:
                yield connection
        except OpenedState:
            raise NotSent(
                f"{path} to {target} is passed over: it failed {_FAILURES} times in a row.",
                hint=f"It is tried again {_CLOSED:.0f} s after the last failure.",
            ) from None

    async def preview(
        self, action: Action, params: BaseModel, paths: list[str], limit: float
    ) -> Preview:
        """What the action would do, by `over`."""
        target = action.target(params)
        return await self.over(
            target, paths, limit, action.name, lambda line: action.preview(params, line)
        )

    async def over(
        self, target: str, paths: Sequence[str], limit: float, what: str,
        read: Callable[[Connection], Awaitable[T]],
    ) -> T:  # fmt: skip
        """What ``read`` gives over the first path that brings an answer within ``limit`` seconds.

        Raises the last path's error.
        """
        problem: TargetError = NotSent(f"{target} cannot be reached: it has no access path")
        for path in paths:
            try:
                async with (
                    asyncio.timeout(limit) as clock,
                    self.dialer.connect(target, path) as connection,
                ):
                    return await read(connection)
            except (NotSent, Retryable, Unknown) as error:  # nothing but reading was lost
                problem = error
            except TimeoutError:  # ours, or one that a library gave up with
                why = f"within {limit:g} s" if clock.expired() else "in time"
                problem = Unknown(f"{what} had no answer over {path} {why}")
        raise problem


def arguments(action: Action, with_: dict[str, Any], names: Mapping[str, Any], where: str) -> Any:  # noqa: ANN401 - the action's own Params
    """The arguments, rendered and validated. Raises `BadInput` naming the field."""
    return validated(action, render(with_, names), where)


def validated(action: Action, params: dict[str, Any], step_id: str) -> Any:  # noqa: ANN401 - the action's own Params
    """Raises `BadInput` naming step and field."""
    try:
        return action.Params.model_validate(params)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(p) for p in first["loc"])
        raise BadInput(f"step {step_id}: {field}: {first['msg']}", field=field) from None


def check_blast_radius(runbook: Runbook, where: str, previews: Sequence[Preview]) -> None:
    """Raises `BadInput` with the numbers when a step would take more than the runbook allows.

    ``previews`` are those of all its units: the items of a foreach add up.
    """
    limit = runbook.front.blast_radius
    changing = [p for p in previews if p.changes]
    changes = [change for p in changing for change in p.changes]
    targets = len({change.target for change in changes})
    share = sum(change.share or 0 for change in changes)
    for name, found, most in (
        ("max_targets", f"change {targets} targets", targets > limit.max_targets),
        ("max_changes", f"make {len(changes)} changes", len(changes) > limit.max_changes),
        ("max_share", f"take {share:.0%} of the capacity", share > limit.max_share + 1e-9),
    ):
        if most:
            said = getattr(limit, name)
            shown = f"{said:.0%}" if name == "max_share" else said
            raise BadInput(f"step {where} would {found}; blast_radius.{name} is {shown}.")
    known = [p.healthy_after for p in changing if p.healthy_after is not None]
    if not limit.min_healthy or not changing:
        return
    # Each unit was read on its own, so what the others take away comes on top.
    left = min(known) - len(changing) + 1 if len(known) == len(changing) else None
    if left is None or left < limit.min_healthy:
        found = "nobody can tell how many" if left is None else str(left)
        raise BadInput(
            f"step {where} would leave {found} healthy; "
            f"blast_radius.min_healthy is {limit.min_healthy}."
        )


def undo_words(step: Step, action: Action | None) -> str:
    """How the step is taken back, for the person who approves."""
    if step.kind == "runbook":
        return "the called run is taken back"
    if action is None or action.effect is Effect.READ:
        return "nothing to undo"
    if isinstance(step.undo, NoUndo):
        return f"cannot be undone: {step.undo.none}"
    return step.undo.action if isinstance(step.undo, Undo) else "back to what it was"


def exceeds(approved: dict[str, Any], now: dict[str, Any]) -> str:
    """What a plan would do that is not in the approved one, or ''. Doing less is no difference.

    What is there before is not compared: it may change by itself, such as how many are ready.
    """
    if more := set(now["targets"]) - set(approved["targets"]):
        return f"also {', '.join(sorted(more))}"
    seen = {row["id"]: row for row in approved["steps"]}
    for row in now["steps"]:
        before = seen.get(row["id"])
        if before is None or before["target"] != row["target"]:
            return f"step {row['id']} acts on {row['target'] or 'something else'}"
        if before["unread"]:
            continue  # nobody saw its changes; its guards stand, as they did at the approval
        known = {_key(change): change.get("share") or 0 for change in before["changes"]}
        for change in row["changes"]:
            said = f"{change['what']} → {change['after']}"
            if _key(change) not in known:
                return said
            share, agreed = change.get("share") or 0, known[_key(change)]
            if share > agreed + _ROUNDED:
                return f"{said} takes {share:.0%} of the capacity, not {agreed:.0%}"
    return ""


def _key(change: dict[str, Any]) -> tuple[str, str, str]:
    return change["target"], change["what"], change["after"]


def _note(step: Step) -> str:
    return "; ".join(
        part for part in (f"Only if {step.when}" if step.when else "", _what(step)) if part
    )


def _noted(row: dict[str, Any], text: str) -> dict[str, Any]:
    return {**row, "note": f"{row['note']}; {text}" if row["note"] else text}


def _what(step: Step) -> str:
    match step.kind:
        case "manual" if step.manual:
            return "By hand: " + "; ".join(step.manual.checklist)
        case "wait":
            return f"Waits {step.wait:g} s"
        case "runbook":
            return f"Runs {step.runbook}, with a plan and approvals of its own"
    return ""


def _is_no_trouble(error: Exception) -> bool:
    """Whether an error says nothing about the path: a refusal is an answer."""
    return not isinstance(error, NotSent | Unknown | Retryable | TimeoutError)


def digest(plan: dict[str, Any], runbook_digest: str) -> str:
    """SHA-256 over the plan and the runbook's version."""
    body: dict[str, Any] = {"plan": plan, "runbook": runbook_digest}
    return hashlib.sha256(rfc8785.dumps(body)).hexdigest()

"""Looks whether a condition holds: guards, verifies and gates; and what a call left behind.

Reads only, over access paths.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from bot.contract import Action, Effect, Preview
from bot.errors import BadInput, JacklineError, Rejected
from bot.log import get
from bot.runbooks.expressions import evaluate
from bot.runbooks.model import AllPaths, Expect, Step, Verify, listed
from bot.runbooks.plan import Planner, arguments, validated

log = get("runbooks")
Names = Mapping[str, Any]
Paths = Callable[[str, Sequence[str]], Awaitable[list[str]]]  # a target's, in the order to try


class Looks:
    """Asks the targets; what cannot be told is unknown, and unknown never passes."""

    def __init__(self, planner: Planner, paths: Paths) -> None:
        self.planner = planner
        self.paths = paths

    async def guards(self, step: Step, names: Names) -> str:
        """Why the step must not begin now, or ''."""
        for guard in step.guards:
            if reason := await self.reason(guard, names, step.timeout):
                return reason
        return ""

    async def wait_for(self, verify: Verify, names: Names, limit: float) -> str:
        """'' once the condition holds (and held for ``hold``); else why not, after ``within``."""
        deadline = time.monotonic() + verify.within
        reason = await self.reason(verify, names, limit)
        while reason:
            if not verify.action or time.monotonic() + verify.every > deadline:
                return reason
            await asyncio.sleep(verify.every)
            reason = await self.reason(verify, names, limit)
        return await self._holds(verify, names, limit) if verify.hold and verify.action else ""

    async def reason(self, condition: Expect, names: Names, limit: float) -> str:
        """Why the condition does not hold at this moment, or ''.

        ``limit`` is the step's timeout: what has not answered by then is unknown.
        """
        try:
            seen = await self._seen(condition, names, limit)
        except JacklineError as error:
            return _said(condition, f"unknown: {error.message}")
        for each in seen:
            found, why = evaluate(condition.expect, each)
            if not found:
                return _said(condition, why)
        return ""

    async def left_behind(
        self, action: Action, params: BaseModel, before: Mapping[str, Any], step: Step
    ) -> bool | None:
        """Whether a call that did not work has changed something all the same, such as a part.

        It has if what is read is not what was read ``before``, and the action's own way back to
        that would change something. None if nobody can tell.
        """
        if action.effect is Effect.READ:
            return False
        try:
            back = action.undo(params, before)
            if back is None:
                return None
            now = await self._now(action, params, step)
            if now is not None and (now.state == before or not now.told):
                return False if now.told else None
            undo = self.planner.registry.action(back.action)
            again = validated(undo, back.params, "undo")
            return bool((await self._preview(undo, again, step)).changes)
        except JacklineError:
            return None
        except Exception:  # a fault of the integration tells nothing
            log.exception("left_behind_broke", action=action.name)
            return None

    async def preview(self, action: Action, params: BaseModel, step: Step) -> Preview | None:
        """What the action would change now; None where that cannot be told."""
        try:
            return await self._preview(action, params, step)
        except JacklineError:
            return None
        except Exception:  # a fault of the integration tells nothing
            log.exception("preview_broke", action=action.name)
            return None

    async def _now(self, action: Action, params: BaseModel, step: Step) -> Preview | None:
        """What is read now; None where the target refuses what it allowed just before the call."""
        try:
            return await self._preview(action, params, step)
        except Rejected:
            return None

    async def _preview(self, action: Action, params: BaseModel, step: Step) -> Preview:
        paths = await self.paths(action.target(params), listed(step.via))
        return await self.planner.preview(action, params, paths, step.timeout)

    async def _holds(self, verify: Verify, names: Names, limit: float) -> str:
        until = time.monotonic() + (verify.hold or 0)
        while time.monotonic() < until:
            await asyncio.sleep(min(verify.every, max(0.0, until - time.monotonic())))
            if reason := await self.reason(verify, names, limit):
                return f"did not go on holding: {reason}"
        return ""

    async def _seen(self, condition: Expect, names: Names, limit: float) -> list[Names]:
        """What the expression may name: once, or once for each of several paths."""
        if not condition.action:
            return [names]
        action = self.planner.registry.action(condition.action)
        if action.effect is not Effect.READ:
            raise BadInput(f"a condition may only read; {condition.action} changes things")
        params = arguments(action, condition.with_, names, "condition")
        target, via = action.target(params), condition.via
        if isinstance(via, AllPaths):
            found = await asyncio.gather(
                *(self._read(action, params, [path], limit) for path in via.all)
            )
            return [{**names, "out": out} for out in found]
        paths = await self.paths(target, via)
        return [{**names, "out": await self._read(action, params, paths, limit)}]

    async def _read(
        self, action: Action, params: BaseModel, paths: Sequence[str], limit: float
    ) -> dict[str, Any]:
        target = action.target(params)
        return await self.planner.over(
            target, paths, limit, action.name, lambda line: action.apply(params, line)
        )


def _said(condition: Expect, why: str) -> str:
    return f"{condition.otherwise} ({why})" if condition.otherwise else why

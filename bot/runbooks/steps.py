"""Does one step: guards just before, the action over the first path that works, verify after.

What a lost answer or a crash means is decided here by the action's effect class: reading and
idempotent actions are repeated; for ``once``, verify decides, and if verify cannot tell, a
person does. Nothing is ever sent twice over another path.
"""

import asyncio
import random
import time
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from bot.contract import Action, Effect, Preview
from bot.errors import BadInput, JacklineError, NotSent, Retryable, TargetError, Unknown
from bot.log import get
from bot.runbooks.expressions import evaluate
from bot.runbooks.journal import Journal
from bot.runbooks.model import Runbook, Step, Verify
from bot.runbooks.plan import Planner, arguments, check_blast_radius
from bot.runbooks.tables import StepAttempt

log = get("runbooks")
_LOOK = 1.0  # seconds between two looks for an abort


@dataclass(frozen=True)
class Outcome:
    """``done``, ``failed`` or ``unknown``; ``out`` is what later expressions see.

    ``final``: it did take effect, and sending it again is not a retry but a second time.
    """

    state: str
    out: dict[str, Any]
    error: str = ""
    final: bool = False


class StepRunner:
    """Runs steps of one run under one epoch."""

    def __init__(self, journal: Journal, planner: Planner, run_id: int, epoch: int) -> None:
        self.journal = journal
        self.planner = planner
        self.run_id = run_id
        self.epoch = epoch

    async def do(
        self, runbook: Runbook, step: Step, names: dict[str, Any], earlier: list[StepAttempt]
    ) -> Outcome:
        """One step with its retries; ``earlier`` are the attempts found in the journal.

        An outcome that is already there stands: a crash after it is no reason to send again.
        """
        action = self.planner.registry.action(step.action)
        try:
            params = arguments(action, step, names)
        except BadInput as error:
            return Outcome("failed", {}, error.message)
        last = earlier[-1] if earlier else None
        tried = sum(a.state == "failed" for a in earlier)
        if last is not None and last.state == "unknown":
            return Outcome("unknown", {}, last.error)
        limit = 1 if action.effect is Effect.ONCE else step.retry.attempts
        if last is not None and tried >= limit:
            return Outcome("failed", last.output, last.error)
        if last is not None and last.state == "intent":
            resumed = await self._resume(action, step, params, last, names)
            if resumed is not None:
                return resumed
        pause = step.retry.backoff
        outcome = Outcome("failed", {}, "not tried")
        for number in range(tried, step.retry.attempts):
            if number > tried:
                if not await self._pause(pause):
                    break
                pause *= 2
            outcome = await self._once(runbook, action, step, params, names)
            if outcome.state != "failed" or outcome.final:
                break
        return outcome

    async def _pause(self, seconds: float) -> bool:
        """Waits before a retry; False as soon as a person has aborted the run."""
        left = seconds * random.uniform(0.8, 1.2)  # noqa: S311 - jitter
        while not await self.journal.aborted(self.run_id):
            if left <= 0:
                return True
            await asyncio.sleep(min(left, _LOOK))
            left -= _LOOK
        return False

    async def _resume(
        self,
        action: Action,
        step: Step,
        params: BaseModel,
        last: StepAttempt,
        names: dict[str, Any],
    ) -> Outcome | None:
        """After a crash between intent and outcome; None means: do it (again)."""
        if action.effect is not Effect.ONCE:
            await self.journal.settle(last, self.epoch, "interrupted", error="repeated")
            return None
        took = await self.took_effect(action, params, step)
        if took:
            return await self._verified(last, step, {}, names)
        if took is False:
            await self.journal.settle(
                last, self.epoch, "interrupted", error="it had not taken effect"
            )
            return None
        return await self._park(last, "Jackline stopped while this was being sent")

    async def _once(
        self, runbook: Runbook, action: Action, step: Step, params: BaseModel, names: dict[str, Any]
    ) -> Outcome:
        target = action.target(params)
        paths = self.planner.dialer.paths(target, step.via)
        try:
            before = (
                await self.planner.preview(action, params, paths)
                if action.effect is not Effect.READ
                else Preview()
            )
            check_blast_radius(runbook, step.id, [c.model_dump() for c in before.changes])
        except JacklineError as error:
            return await self._held_back(step, error.message)
        if reason := _guards(step, {**names, "state": before.state}):
            return await self._held_back(step, reason)
        for path in paths:
            attempt = await self.journal.intend(
                self.run_id, self.epoch, step.id, "do", action=action.name, target=target,
                access_path=path, before=before.state,
            )  # fmt: skip
            outcome = await self._send(action, step, params, attempt, names)
            if outcome is not None:
                return outcome
        return Outcome("failed", {}, f"no access path to {target} works: {', '.join(paths)}")

    async def _held_back(self, step: Step, reason: str) -> Outcome:
        async with self.journal.fenced(self.run_id, self.epoch) as (session, run):
            data = {"step": step.id, "reason": reason}
            text = f"{step.id} held back: {reason}"
            await self.journal.record(session, run, "guard_failed", text, data)
        return Outcome("failed", {}, reason)

    async def _send(
        self,
        action: Action,
        step: Step,
        params: BaseModel,
        attempt: StepAttempt,
        names: dict[str, Any],
    ) -> Outcome | None:
        """Over one path. None: nothing was sent, so the next path may be tried."""
        try:
            async with (
                asyncio.timeout(step.timeout),
                self.planner.dialer.connect(attempt.target, attempt.access_path) as connection,
            ):
                out = await action.apply(params, connection)
        except NotSent as error:
            await self.journal.settle(attempt, self.epoch, "not_sent", error=error.message)
            return None
        except (Unknown, TimeoutError) as error:
            return await self._reconcile(
                action, step, params, attempt, str(error) or "no answer in time", names
            )
        except (TargetError, BadInput) as error:
            if isinstance(error, Retryable) and error.retry_after:
                await asyncio.sleep(min(error.retry_after, step.timeout))
            await self.journal.settle(attempt, self.epoch, "failed", error=str(error))
            return Outcome("failed", {}, str(error))
        except Exception as error:
            log.exception("action_broke", action=action.name, run_id=self.run_id)
            reason = f"{action.name} broke: {type(error).__name__}: {error}"
            return await self._reconcile(action, step, params, attempt, reason, names)
        return await self._verified(attempt, step, out, names, action, params)

    async def _reconcile(
        self, action: Action, step: Step, params: BaseModel, attempt: StepAttempt, error: str,
        names: dict[str, Any],
    ) -> Outcome:  # fmt: skip
        """Sent, no answer: read over any path what became of it."""
        took = await self.took_effect(action, params, step)
        if took:
            return await self._verified(attempt, step, {}, names, action, params)
        if took is False or action.effect is not Effect.ONCE:
            await self.journal.settle(attempt, self.epoch, "failed", error=error)
            return Outcome("failed", {}, error)
        return await self._park(attempt, error)

    async def took_effect(self, action: Action, params: BaseModel, step: Step) -> bool | None:
        """What the action itself reads over any path; None if nobody can tell."""
        target = action.target(params)
        for path in self.planner.dialer.paths(target, step.via):
            try:
                async with asyncio.timeout(10), self.planner.dialer.connect(target, path) as link:
                    return await action.verify(params, link)
            except (TargetError, TimeoutError):
                continue
            except Exception:  # a fault of the integration tells nothing
                log.exception("verify_broke", action=action.name, run_id=self.run_id)
        return None

    async def _park(self, attempt: StepAttempt, error: str) -> Outcome:
        await self.journal.settle(attempt, self.epoch, "unknown", error=error)
        return Outcome("unknown", {}, error)

    async def _verified(
        self, attempt: StepAttempt, step: Step, out: dict[str, Any], names: dict[str, Any],
        action: Action | None = None, params: BaseModel | None = None,
    ) -> Outcome:  # fmt: skip
        """Waits until the step's own verify and its expectations hold, then commits."""
        reason, took = "", None
        if action is not None and action.effect is not Effect.READ and params is not None:
            took = await self.took_effect(action, params, step)
            reason = (
                "" if took is not False else f"{action.name} reports that it did not take effect"
            )
        for verify in step.verify:
            reason = reason or await self._wait_for(verify, {**names, "out": out})
        if reason:
            await self.journal.settle(attempt, self.epoch, "failed", output=out, error=reason)
            once = action is None or action.effect is Effect.ONCE
            return Outcome("failed", out, reason, final=once and took is not False)
        await self.journal.settle(attempt, self.epoch, "done", output=out)
        return Outcome("done", out)

    async def _wait_for(self, verify: Verify, names: dict[str, Any]) -> str:
        """'' once the condition holds; else why it does not, after ``within`` seconds."""
        deadline = time.monotonic() + verify.within
        while True:
            try:
                seen = await self._look(verify, names) if verify.action else names
                found, why = evaluate(verify.expect, seen)
            except JacklineError as error:
                found, why = None, error.message
            if found:
                return ""
            if not verify.action or time.monotonic() + verify.every > deadline:
                return f"{verify.otherwise} ({why})" if verify.otherwise else why
            await asyncio.sleep(verify.every)

    async def _look(self, verify: Verify, names: dict[str, Any]) -> dict[str, Any]:
        action = self.planner.registry.action(verify.action)
        if action.effect is not Effect.READ:
            raise BadInput(f"verify may only read; {verify.action} changes things")
        params = arguments(
            action, Step(id="verify", action=verify.action, **{"with": verify.with_}), names
        )
        target = action.target(params)
        for path in self.planner.dialer.paths(target):
            try:
                async with self.planner.dialer.connect(target, path) as connection:
                    return {**names, "out": await action.apply(params, connection)}
            except NotSent:
                continue
        raise NotSent(f"{target} cannot be reached")


def _guards(step: Step, names: dict[str, Any]) -> str:
    """Why the step must not begin now, or ''."""
    for guard in step.guards:
        found, why = evaluate(guard.expect, names)
        if not found:
            return f"{guard.otherwise} ({why})" if guard.otherwise else why
    return ""

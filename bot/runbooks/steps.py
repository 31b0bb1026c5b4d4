"""Does one unit: guards just before, the action over the first path that works, verify after.

What a lost answer or a crash means is decided here by the action's effect class: reading and
idempotent actions are repeated; for ``once``, verify decides, and if verify cannot tell, a
person does. Nothing is ever sent twice over another path.
"""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from pydantic import BaseModel

from bot.contract import Action, Effect, Preview
from bot.errors import BadInput, JacklineError, NotSent, Rejected, Retryable, TargetError, Unknown
from bot.log import get, redacted
from bot.runbooks.journal import Journal, TargetTaken
from bot.runbooks.looks import Looks
from bot.runbooks.model import AllPaths, Runbook, listed
from bot.runbooks.plan import Planner, arguments, check_blast_radius
from bot.runbooks.tables import StepAttempt
from bot.runbooks.units import Unit
from bot.runbooks.waiting import Waiting
from bot.store import now

log = get("runbooks")
_LOOK = 1.0  # seconds between two looks for an abort
_READS = "reads what there is now"
_GUARDS = "asks whether it may begin"
_MAY_COME = "; it may yet come: not sent again."  # of what is done once
_IN_PART = ". Reading shows that it changed something all the same."
_EFFECT = {"took_effect": True}  # what an attempt gave that failed and is to be taken back
_PARTLY = {"took_effect": None}  # the same, of what is done once: nobody can tell, so it stays


@dataclass(frozen=True)
class Outcome:
    """``done``, ``failed``, ``unknown`` or ``waiting``; ``out`` is what later expressions see.

    ``final``: it did take effect, or may yet: to send it again is no retry but a second time.
    """

    state: str
    out: dict[str, Any]
    error: str = ""
    final: bool = False


@dataclass(frozen=True)
class _Call:
    """A unit's action with its arguments and what expressions may name."""

    unit: Unit
    action: Action
    params: BaseModel
    names: dict[str, Any]
    last: bool = True  # no further try follows

    @property
    def target(self) -> str:
        return self.action.target(self.params)


class StepRunner:
    """Runs units of one run under one epoch."""

    def __init__(self, journal: Journal, planner: Planner, run_id: int, epoch: int) -> None:
        self.journal = journal
        self.planner = planner
        self.looks = Looks(planner, self.paths)
        self.waiting = Waiting(journal, run_id, epoch)
        self.run_id = run_id
        self.epoch = epoch
        self._failed: set[tuple[str, str]] = set()  # targets and the paths that failed to them

    async def do(
        self, runbook: Runbook, unit: Unit, names: dict[str, Any], earlier: list[StepAttempt]
    ) -> Outcome:
        """One unit with its retries; ``earlier`` are the attempts found in the journal.

        An outcome that is already there stands: a crash after it is no reason to send again.
        """
        step, names = unit.step, {**names, **unit.names}
        action = self.planner.registry.action(step.action)
        try:
            params = arguments(action, step.with_, names, step.id)
        except BadInput as error:
            return Outcome("failed", {}, error.message)
        call = _Call(unit, action, params, names)
        last = earlier[-1] if earlier else None
        tried = sum(a.state == "failed" for a in earlier)
        if last is not None and last.state == "unknown":
            return Outcome("unknown", {}, last.error)
        limit = 1 if action.effect is Effect.ONCE else step.retry.attempts
        if last is not None and tried >= limit:
            return Outcome("failed", last.output, last.error)
        if last is not None and last.state == "intent":
            resumed = await self._resume(call, last)
            if resumed is not None:
                return resumed
        return await self._tries(runbook, call, tried)

    async def _tries(self, runbook: Runbook, call: _Call, tried: int) -> Outcome:
        retry = call.unit.step.retry
        pause = retry.backoff
        outcome = Outcome("failed", {}, "not tried")
        for number in range(tried, retry.attempts):
            if number > tried:
                if not await self.pause(pause * random.uniform(0.8, 1.2)):  # noqa: S311 - jitter
                    break
                pause = min(pause * 2, retry.max)
            last = number + 1 == retry.attempts
            outcome = await self._in_turn(runbook, replace(call, last=last))
            if outcome.state != "failed" or outcome.final:
                break
        return outcome

    async def _in_turn(self, runbook: Runbook, call: _Call) -> Outcome:
        """Once no other run has the target: guards are asked only then."""
        said = False
        while True:
            try:
                return await self._once(runbook, call)
            except TargetTaken as taken:
                reason = f"{call.target} is held by run {taken.run_id}"
            if not said:
                words = f"{reason}; this waits for its end"
                await self.journal.held_back(self.run_id, self.epoch, call.unit.id, words)
                await self.waiting.show(call.unit.id, words)
            said = True
            if not await self.pause(_LOOK):
                return Outcome("failed", {}, f"aborted; {reason}")

    async def pause(self, seconds: float) -> bool:
        """Waits before a retry; False as soon as a person has aborted the run."""
        left = seconds
        while not await self.journal.aborted(self.run_id):
            if left <= 0:
                return True
            await asyncio.sleep(min(left, _LOOK))
            left -= _LOOK
        return False

    async def _resume(self, call: _Call, last: StepAttempt) -> Outcome | None:
        """After a crash between intent and outcome; None means: do it (again)."""
        if call.action.effect is not Effect.ONCE:
            left = await self._left(call.action, call.params, call.unit, last)
            effect = {} if left is False else _EFFECT  # should it not come to the repetition
            await self.journal.settle(
                last, self.epoch, "interrupted", output=effect, error="repeated"
            )
            return None
        took = await self._late(call, last)
        if took:
            return await self._verified(call, last, None)
        if took is False:
            await self.journal.settle(
                last, self.epoch, "interrupted", error="it had not taken effect"
            )
            return None
        return await self._park(last, "Jackline stopped while this was being sent")

    async def look_back(
        self, unit: Unit, names: dict[str, Any], cut: StepAttempt
    ) -> Outcome | None:
        """What a crash cut off, in a run that goes on no further: nothing is sent, reading tells.

        None where it does; else a person is asked before the run ends.
        """
        action = self.planner.registry.action(cut.action)
        took: bool | None = False
        effect = {}
        if action.effect is not Effect.READ:
            params = arguments(action, unit.step.with_, {**names, **unit.names}, unit.id)
            took = await self.took_effect(action, params, unit)
            if took is False and await self._left(action, params, unit, cut):
                effect = _EFFECT
            if took is False and now() < cut.started_at + timedelta(seconds=unit.step.timeout):
                took = None  # it may still be under way
        if took is None:
            return await self._park(cut, "Jackline stopped while this was being sent")
        state, error = ("done", "") if took else ("interrupted", "it is not made again")
        await self.journal.settle(cut, self.epoch, state, output=effect, error=error)
        return None

    async def _late(self, call: _Call, last: StepAttempt) -> bool | None:
        """Whether what was sent before a crash took effect: it may still be under way.

        A "no" counts once the step's timeout has passed since it was sent; a person who aborts
        before that leaves it open.
        """
        ends = last.started_at + timedelta(seconds=call.unit.step.timeout)
        said = False
        while (took := await self.took_effect(call.action, call.params, call.unit)) is False:
            if now() >= ends:
                return False
            if not said:
                reason = (
                    "it was being sent when Jackline stopped; no effect so far, it may yet come"
                )
                await self.journal.held_back(self.run_id, self.epoch, call.unit.id, reason)
            said = True
            if not await self.pause(_LOOK):
                return None
        return took

    async def _once(self, runbook: Runbook, call: _Call) -> Outcome:
        via = call.unit.step.via
        try:
            paths = await self.paths(call.target, listed(via))
            before = await self.waiting.over(call.unit.id, _READS, self._before(call, paths))
            check_blast_radius(runbook, call.unit.id, [before])
        except JacklineError as error:
            return await self._held_back(call.unit, error.message)
        names = {**call.names, "state": before.state}
        asked = self.looks.guards(call.unit.step, names)
        if reason := await self.waiting.over(call.unit.id, _GUARDS, asked):
            return await self._held_back(call.unit, reason)
        if isinstance(via, AllPaths):
            return await self._over_all(call, via.all)
        for path in paths:
            attempt = await self._intend(call, path, before)
            outcome = await self._send(call, attempt)
            if outcome is not None:
                return outcome
        return Outcome("failed", {}, f"no access path to {call.target} works: {', '.join(paths)}")

    async def paths(self, target: str, via: Sequence[str]) -> list[str]:
        """In order; unproven ones later, those that let nothing through in this incident last."""
        paths = self.planner.dialer.paths(target, via)
        if len(paths) == 1:
            return paths
        dead = await self.journal.dead_paths(self.run_id)
        unproven = await self.planner.unproven(target, paths)
        return sorted(
            paths,
            key=lambda path: (path in dead or (target, path) in self._failed, path in unproven),
        )

    async def _before(self, call: _Call, paths: list[str]) -> Preview:
        if call.action.effect is Effect.READ:
            return Preview()
        limit = call.unit.step.timeout
        return await self.planner.preview(call.action, call.params, paths, limit)

    async def _intend(self, call: _Call, path: str, before: Preview) -> StepAttempt:
        return await self.journal.intend(
            self.run_id, self.epoch, call.unit.id, "do",
            lock=call.action.effect is not Effect.READ, action=call.action.name, target=call.target, access_path=path,
            before=before.state,
        )  # fmt: skip

    async def _held_back(self, unit: Unit, reason: str) -> Outcome:
        await self.journal.held_back(self.run_id, self.epoch, unit.id, reason)
        return Outcome("failed", {}, reason)

    async def _over_all(self, call: _Call, paths: list[str]) -> Outcome:
        """Reads over every path: ``out`` is the first answer, with whether all agree."""
        attempt = await self._intend(call, " and ".join(paths), Preview())
        found: dict[str, Any] = {}
        for path in paths:
            try:
                async with (
                    asyncio.timeout(call.unit.step.timeout),
                    self.planner.dialer.connect(call.target, path) as connection,
                ):
                    found[path] = redacted(await call.action.apply(call.params, connection))
            except (TargetError, TimeoutError) as error:
                reason = f"over {path}: {str(error) or 'no answer in time'}"
                await self.journal.settle(attempt, self.epoch, "failed", error=reason)
                return Outcome("failed", {}, reason)
        first, *others = found.values()
        agree = all(other == first for other in others)
        out = {**first, "paths_agree": agree, "paths": found}
        return await self._verified(call, attempt, out)

    async def _send(self, call: _Call, attempt: StepAttempt) -> Outcome | None:
        """Over one path. None: nothing was sent, so the next path may be tried."""
        try:
            async with (
                asyncio.timeout(call.unit.step.timeout),
                self.planner.reach(attempt.target, attempt.access_path) as connection,
            ):
                out = redacted(await call.action.apply(call.params, connection))
        except NotSent as error:
            self._failed.add((attempt.target, attempt.access_path))
            await self.journal.settle(attempt, self.epoch, "not_sent", error=error.message)
            return None
        except (Unknown, TimeoutError) as error:
            self._failed.add((attempt.target, attempt.access_path))
            reason = str(error) or "no answer in time"
            if call.action.effect is Effect.READ:
                return await self._refused(call, attempt, Retryable(reason))
            return await self._reconcile(call, attempt, reason)
        except (TargetError, BadInput) as error:
            if isinstance(error, Retryable):
                self._failed.add((attempt.target, attempt.access_path))
            return await self._refused(call, attempt, error)
        except Exception as error:
            log.exception("action_broke", action=call.action.name, run_id=self.run_id)
            reason = f"{call.action.name} broke: {type(error).__name__}: {error}"
            return await self._reconcile(call, attempt, reason)
        return await self._verified(call, attempt, out)

    async def _refused(
        self, call: _Call, attempt: StepAttempt, error: TargetError | BadInput
    ) -> Outcome:
        """It did not take effect, or in part; a lost answer to a reading has none to have taken.

        Where nobody can tell, what is idempotent goes back all the same, which does no harm. What
        is done once is neither sent again nor taken back: both might do more than was done.
        """
        left = await self._left(call.action, call.params, call.unit, attempt)
        partly = left is None and isinstance(error, Rejected) and error.partly
        once = call.action.effect is Effect.ONCE
        final = once and (bool(left) or partly)
        again = isinstance(error, Retryable) and not call.last and not final
        reason = f"{str(error).rstrip('.')}{_IN_PART}" if left else str(error)
        effect = _EFFECT if left or (partly and not once) else _PARTLY if partly else {}
        await self.journal.settle(
            attempt, self.epoch, "failed", output=effect, error=reason, again=again
        )
        if isinstance(error, Retryable) and error.retry_after and again:
            await self.pause(min(error.retry_after, call.unit.step.timeout))
        return Outcome("failed", {}, reason, final=final)

    async def _left(
        self, action: Action, params: BaseModel, unit: Unit, attempt: StepAttempt
    ) -> bool | None:
        """Whether the attempt, which did not do what it should, changed something: undo goes by it."""
        return await self.looks.left_behind(action, params, attempt.before, unit.step)

    async def _reconcile(self, call: _Call, attempt: StepAttempt, error: str) -> Outcome:
        """Sent, no answer: read over any path what became of it."""
        took = await self.took_effect(call.action, call.params, call.unit)
        if took:
            return await self._verified(call, attempt, None)
        once = call.action.effect is Effect.ONCE
        if once and took is None:
            return await self._park(attempt, error)
        if once:  # the order may still be under way: a second one would do it twice
            error = f"{error.rstrip('.')}. Reading shows no effect{_MAY_COME}"
        left = await self._left(call.action, call.params, call.unit, attempt)
        if left is None and took is None and call.action.effect is not Effect.READ:
            left = True  # nobody can tell: to go back to what was before does no harm
        await self.journal.settle(
            attempt, self.epoch, "failed", output=_EFFECT if left else {}, error=error
        )
        return Outcome("failed", {}, error, final=once)

    async def took_effect(self, action: Action, params: BaseModel, unit: Unit) -> bool | None:
        """What the action itself reads over any path; None if nobody can tell."""
        target = action.target(params)
        for path in await self.paths(target, listed(unit.step.via)):
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
        self, call: _Call, attempt: StepAttempt, out: dict[str, Any] | None
    ) -> Outcome:
        """Waits until the action's own verify and the step's conditions hold, then commits.

        No ``out``: the answer is lost, and the action's own verify has just said that it took
        effect. A condition on the lost answer is for a person then: it did happen, or it did not
        do what it should. A failed attempt has an output where it did take effect: undo goes by it.
        """
        reason, took = "", None
        if out is not None and call.action.effect is not Effect.READ:
            took = await self.took_effect(call.action, call.params, call.unit)
            if took is False:
                reason = f"{call.action.name} reports that it did not take effect"
        names = call.names if out is None else {**call.names, "out": out}
        for verify in call.unit.step.verify:
            reason = reason or await self.looks.wait_for(verify, names, call.unit.step.timeout)
            if reason and out is None and not verify.action:
                return await self._park(attempt, f"it took effect, its answer is lost: {reason}")
        if reason:
            once = out is None or call.action.effect is Effect.ONCE
            if once and took is False:
                reason = f"{reason}{_MAY_COME}"
            effect = out or _EFFECT
            if took is False and not await self._left(call.action, call.params, call.unit, attempt):
                effect = {}
            await self.journal.settle(attempt, self.epoch, "failed", output=effect, error=reason)
            return Outcome("failed", out or {}, reason, final=once)
        await self.journal.settle(attempt, self.epoch, "done", output=out)
        return Outcome("done", out or {})

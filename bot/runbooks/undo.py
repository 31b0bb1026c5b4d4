"""Takes done steps back, last one first: the action's own way, or the one the runbook gives.

Each failure is reported on its own, and does not keep the others from being taken back.
"""

import asyncio
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel

from bot.contract import Action, Effect, Preview
from bot.errors import BadInput, JacklineError, NotSent, Retryable, Unknown
from bot.log import get, redact_text, redacted
from bot.runbooks.journal import Journal, TargetTaken
from bot.runbooks.model import AllPaths, NoUndo, Runbook, Step, Undo
from bot.runbooks.plan import Planner, arguments, validated
from bot.runbooks.steps import StepRunner
from bot.runbooks.tables import CHANGED, ENDED, Run, StepAttempt
from bot.runbooks.units import Unit, step_of, unit_of

log = get("runbooks")
_SHOWN = 3  # changes of one step, in an error
_LOOK = 0.5  # seconds between two looks at a called run that is taking itself back
_NOBODY_KNOWS = "nobody said whether it happened"
_PARTLY = "it failed once it had begun, and nobody can tell what it did until then"


class RunUndoer:
    """Takes a run back under one epoch."""

    def __init__(
        self, journal: Journal, planner: Planner, runbook: Runbook, run: Run, epoch: int
    ) -> None:
        self.journal = journal
        self.runbook = runbook
        self.run = run
        self.epoch = epoch
        self.steps = StepUndoer(journal, planner, run.number, epoch)

    async def undo(self, failed: str = "") -> None:
        """Takes the done units back and ends the run; ``failed`` is why, if it is for a failure."""
        attempts = await self.journal.attempts(self.run.number, "do")
        last = {a.step: a for a in attempts}
        done = {a.step: a for a in attempts if _took_effect(a)}
        # An attempt whose answer was lost may have taken effect: what a later one read before
        # itself is then this step's own doing, so the first reading is the one to go back to.
        before = {a.step: a.before for a in reversed(attempts) if a.state != "not_sent"}
        undone = {
            a.step
            for a in await self.journal.attempts(self.run.number, "undo")
            if a.state == "done"
        }
        names = {"inputs": self.run.inputs, "steps": outputs(self.runbook, last.values())}
        left = [a for a in reversed(done.values()) if a.step not in undone]
        said = [(a.step, await self._in_turn(a, before[a.step], names)) for a in left]
        said += [(a.step, _NOBODY_KNOWS) for a in last.values() if a.state == "unknown"]
        said += [(a.step, _PARTLY) for a in last.values() if _in_doubt(a)]
        problems = [f"{step}: {problem}" for step, problem in said if problem]
        error = "; ".join([failed, *problems] if failed else problems)
        if problems:
            error = f"not taken back: {error}"
        state = "failed" if error else "aborted"
        await self.journal.end(self.run.number, self.epoch, state, error)

    async def _in_turn(
        self, attempt: StepAttempt, before: dict[str, Any], names: dict[str, Any]
    ) -> str:
        """As `_one`, unless a person has ended the undo: what is left then stays as it is."""
        if await self.journal.aborted(self.run.number):
            return "left as it is, as the undo was aborted"
        return await self._one(attempt, before, names)

    async def _one(
        self, attempt: StepAttempt, before: dict[str, Any], names: dict[str, Any]
    ) -> str:
        step = self.runbook.step(step_of(attempt.step))
        if step.kind == "runbook":
            return await self._called(int(attempt.output["run"]))
        if step.kind != "action":
            return ""
        try:
            unit = unit_of(attempt.step, step, names)
        except BadInput as error:
            return error.message
        whole = attempt.state == "done"
        return await self.steps.take_back(unit, before, {**names, **unit.names}, whole=whole)

    async def _called(self, run_id: int) -> str:
        """Has a called run taken back by whoever works, and waits for its end."""
        called = await self._ended(run_id)
        if called.started_at is None:
            return ""
        async with self.journal.fenced(self.run.number, self.epoch) as (session, run):
            await self.journal.runs.take_back(session, run_id, f"run:{run.id}")
        called = await self._ended(run_id)
        return "" if called.state == "aborted" else called.error

    async def _ended(self, run_id: int) -> Run:
        called = await self.journal.fresh(run_id)
        while called.state not in ENDED:
            await asyncio.sleep(_LOOK)
            called = await self.journal.fresh(run_id)
        return called


def changed_since(found: Preview) -> str:
    """In words: what it is now, and what the way back would make of it."""
    shown = [f"{c.what} is {c.before} now, not {c.after}" for c in found.changes[:_SHOWN]]
    more = len(found.changes) - len(shown)
    return (
        "somebody changed it after this step: "
        + "; ".join(shown)
        + (f" and {more} more" if more else "")
        + ". To go back all the same, ask for the undo again"
    )


def _took_effect(attempt: StepAttempt) -> bool:
    """Done, or not to its end: its verify did not hold, it did a part, a called run ended half-way."""
    if attempt.action == "runbook":
        return "run" in attempt.output
    half = attempt.state in ("failed", "interrupted") and bool(attempt.output)
    return attempt.state == "done" or (half and not _in_doubt(attempt))


def _in_doubt(attempt: StepAttempt) -> bool:
    """Done once, and failed after it had begun."""
    return attempt.state == "failed" and attempt.output.get("took_effect", True) is None


def outputs(runbook: Runbook, last: Iterable[StepAttempt]) -> dict[str, Any]:
    """What the steps gave, as expressions saw it; of what was skipped or failed, nothing."""
    found: dict[str, Any] = {w.step.id: {} for w in runbook.steps}
    for attempt in last:
        step, _, label = attempt.step.partition("[")
        if not label:
            found[step] = attempt.output
            continue
        of = found[step] or {"items": {}, "failed": []}
        if attempt.state == "done":
            of["items"][label.rstrip("]")] = attempt.output
        else:
            of["failed"].append(label.rstrip("]"))
        found[step] = of
    return found


class StepUndoer:
    """Undoes steps of one run under one epoch."""

    def __init__(self, journal: Journal, planner: Planner, run_id: int, epoch: int) -> None:
        self.journal = journal
        self.planner = planner
        self.run_id = run_id
        self.epoch = epoch
        self.runner = StepRunner(journal, planner, run_id, epoch)

    async def take_back(
        self, unit: Unit, before: dict[str, Any], names: dict[str, Any], *, whole: bool = True
    ) -> str:
        """'' when the unit is taken back or has nothing to take back; else what is wrong.

        ``whole``: it was done to its end, so what is read now tells whether it was changed since.
        """
        step = unit.step
        if isinstance(step.undo, NoUndo):
            return step.undo.none
        try:
            name, params = self._call(step, before, names)
            if not name:
                return ""
            action = self.planner.registry.action(name)
            cut = await self._cut(unit.id)
            if cut is not None:
                settled = await self._settle_cut(cut, action, params, unit)
                if settled is not None:
                    return settled
            elif whole and (changed := await self._changed_since(unit, names, action, params)):
                return changed
            return await self._send(action, params, unit)
        except JacklineError as error:
            return error.message

    async def _send(self, action: Action, params: BaseModel, unit: Unit) -> str:
        """As often as the step may be tried, while the target asks to come back."""
        retry = unit.step.retry
        pause = retry.backoff
        for left in reversed(range(retry.attempts)):
            reason, later = await self._once(action, params, unit)
            if later is None or not left or not await self.runner.pause(max(pause, later)):
                break
            pause = min(pause * 2, retry.max)
        return reason

    async def _once(
        self, action: Action, params: BaseModel, unit: Unit
    ) -> tuple[str, float | None]:
        """'' or what is wrong, and after how many seconds it may be tried again."""
        target, last, step = action.target(params), "no access path works", unit.step
        via = [] if isinstance(step.via, AllPaths) else step.via
        for path in await self.runner.paths(target, via):
            try:
                intent = await self.journal.intend(
                    self.run_id, self.epoch, unit.id, "undo", lock=True, action=action.name,
                    target=target, access_path=path,
                )  # fmt: skip
            except TargetTaken as taken:
                return f"{target} is held by run {taken.run_id}", None
            try:
                async with (
                    asyncio.timeout(step.timeout),
                    self.planner.dialer.connect(target, path) as link,
                ):
                    out = redacted(await action.apply(params, link))
            except NotSent as error:
                last = error.message
                await self.journal.settle(intent, self.epoch, "not_sent", error=last)
                continue
            except (JacklineError, TimeoutError) as error:
                lost = isinstance(error, Unknown | TimeoutError)
                if lost and await self.runner.took_effect(action, params, unit):
                    await self.journal.settle(intent, self.epoch, "done")
                    return "", None
                reason = str(error) or "no answer in time"
                await self.journal.settle(intent, self.epoch, "failed", error=reason)
                later = (error.retry_after or 0.0) if isinstance(error, Retryable) else None
                return reason, None if later is None else min(later, step.timeout)
            except Exception as error:  # the other steps are to be taken back all the same
                log.exception("undo_broke", action=action.name, run_id=self.run_id)
                reason = f"{action.name} broke: {type(error).__name__}: {error}"
                await self.journal.settle(intent, self.epoch, "failed", error=reason)
                return reason, None
            await self.journal.settle(intent, self.epoch, "done", output=out)
            return "", None
        return last, None

    async def _changed_since(
        self, unit: Unit, names: dict[str, Any], back: Action, params: BaseModel
    ) -> str:
        """Why the way back is not taken: it would end somebody's later change, and nobody knows yet.

        Whoever asks for the undo again has read it: what was told is done, unless the target has
        been changed once more.
        """
        did = self.planner.registry.action(unit.step.action)
        if not await self._overtaken(did, arguments(did, unit.step.with_, names, unit.id), unit):
            return ""
        found = await self.runner.looks.preview(back, params, unit.step)
        if found is None or not found.changes:
            return ""  # as it was before: there is nothing left to end
        said = await self.journal.attempts(self.run_id, CHANGED)
        mine = [a for a in said if a.step == unit.id and a.before == found.state]
        if any(a.state == "told" for a in mine):
            return ""
        if mine:  # a crash ended the undo before anybody was told
            return mine[-1].error
        reason = redact_text(changed_since(found))
        async with self.journal.noting(
            self.run_id, self.epoch, unit.id, CHANGED, kind="guard_failed", state="held",
            text=f"Undo of {unit.id} held back: {reason}", action=back.name,
            target=back.target(params), before=found.state, error=reason,
        ):  # fmt: skip
            pass
        return reason

    async def _overtaken(self, action: Action, params: BaseModel, unit: Unit) -> bool:
        """Whether a step that was done has been changed since: both of its readings must say so.

        The preview alone may show what can always be done again, the action's verify alone that
        something is not well. What cannot be told is no change.
        """
        if await self.runner.took_effect(action, params, unit) is not False:
            return False
        now = await self.runner.looks.preview(action, params, unit.step)
        return now is not None and now.told and any(c.before != c.after for c in now.changes)

    async def _cut(self, step: str) -> StepAttempt | None:
        """The step's undo that a crash ended between intent and outcome."""
        mine = [a for a in await self.journal.attempts(self.run_id, "undo") if a.step == step]
        return mine[-1] if mine and mine[-1].state == "intent" else None

    async def _settle_cut(
        self, cut: StepAttempt, action: Action, params: BaseModel, unit: Unit
    ) -> str | None:
        """What `take_back` says of an undo that was cut off; None: it may be sent (again)."""
        took: bool | None = False
        if action.effect is Effect.ONCE:
            took = await self.runner.took_effect(action, params, unit)
        if took:
            await self.journal.settle(cut, self.epoch, "done")
            return ""
        reason = "interrupted; repeated" if took is False else "interrupted; outcome unknown"
        await self.journal.settle(cut, self.epoch, "failed", error=reason)
        return None if took is False else reason

    def _call(self, step: Step, before: dict[str, Any], names: dict[str, Any]) -> tuple[str, Any]:
        if isinstance(step.undo, Undo):
            action = self.planner.registry.action(step.undo.action)
            return step.undo.action, arguments(action, step.undo.with_, names, "undo")
        action = self.planner.registry.action(step.action)
        if action.effect is Effect.READ:
            return "", None
        params = arguments(action, step.with_, names, step.id)
        try:
            call = action.undo(params, before)
        except Exception as error:  # as in `_send`
            log.exception("undo_broke", action=action.name, run_id=self.run_id)
            raise BadInput(f"{action.name} broke: {type(error).__name__}: {error}") from error
        if call is None:
            return "", None
        return call.action, validated(
            self.planner.registry.action(call.action), call.params, step.id
        )

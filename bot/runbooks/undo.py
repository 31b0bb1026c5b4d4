"""Takes done steps back, last one first: the action's own way, or the one the runbook gives.

Each failure is reported on its own, and does not keep the others from being taken back.
"""

import asyncio
from typing import Any

from pydantic import BaseModel

from bot.contract import Action, Effect
from bot.errors import BadInput, NotFound, NotSent, TargetError
from bot.runbooks.journal import Journal, TargetTaken
from bot.runbooks.model import AllPaths, NoUndo, Runbook, Step, Undo
from bot.runbooks.plan import Planner, arguments, validated
from bot.runbooks.steps import StepRunner
from bot.runbooks.tables import Run, StepAttempt
from bot.runbooks.units import Unit, step_of, unit_of

_LOOK = 0.5  # seconds between two looks at a called run that is taking itself back


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
        done = [a for a in attempts if a.state == "done"]
        # An attempt whose answer was lost may have taken effect: what a later one read before
        # itself is then this step's own doing, so the first reading is the one to go back to.
        before = {a.step: a.before for a in reversed(attempts) if a.state != "not_sent"}
        undone = {
            a.step
            for a in await self.journal.attempts(self.run.number, "undo")
            if a.state == "done"
        }
        names = {"inputs": self.run.inputs, "steps": _outputs(done)}
        left = [a for a in reversed(done) if a.step not in undone]
        said = [(a.step, await self._one(a, before[a.step], names)) for a in left]
        problems = [f"{step}: {problem}" for step, problem in said if problem]
        error = "; ".join([failed, *problems] if failed else problems)
        if problems:
            error = f"not taken back: {error}"
        state = "failed" if error else "aborted"
        await self.journal.end(self.run.number, self.epoch, state, error)

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
        return await self.steps.take_back(unit, before, {**names, **unit.names})

    async def _called(self, run_id: int) -> str:
        """Has a called run taken back by whoever works, and waits for its end."""
        async with self.journal.fenced(self.run.number, self.epoch) as (session, run):
            await self.journal.runs.take_back(session, run_id, f"run:{run.id}")
        called = await self.journal.fresh(run_id)
        while called.undo_requested:
            await asyncio.sleep(_LOOK)
            called = await self.journal.fresh(run_id)
        return "" if called.state == "aborted" else called.error


def _outputs(done: list[StepAttempt]) -> dict[str, Any]:
    """What the steps gave, as expressions saw it when they were done."""
    found: dict[str, Any] = {}
    for attempt in done:
        step, _, label = attempt.step.partition("[")
        if label:
            found.setdefault(step, {"items": {}})["items"][label.rstrip("]")] = attempt.output
        else:
            found[step] = attempt.output
    return found


class StepUndoer:
    """Undoes steps of one run under one epoch."""

    def __init__(self, journal: Journal, planner: Planner, run_id: int, epoch: int) -> None:
        self.journal = journal
        self.planner = planner
        self.run_id = run_id
        self.epoch = epoch
        self.runner = StepRunner(journal, planner, run_id, epoch)

    async def take_back(self, unit: Unit, before: dict[str, Any], names: dict[str, Any]) -> str:
        """'' when the unit is taken back or has nothing to take back; else what is wrong."""
        step = unit.step
        if isinstance(step.undo, NoUndo):
            return step.undo.none
        try:
            name, params = self._call(step, before, names)
        except (BadInput, NotFound) as error:
            return error.message
        if not name:
            return ""
        action = self.planner.registry.action(name)
        cut = await self._cut(unit.id)
        if cut is not None:
            settled = await self._settle_cut(cut, action, params, unit)
            if settled is not None:
                return settled
        return await self._send(action, params, unit)

    async def _send(self, action: Action, params: BaseModel, unit: Unit) -> str:
        target, last, step = action.target(params), "no access path works", unit.step
        via = [] if isinstance(step.via, AllPaths) else step.via
        for path in await self.runner.paths(target, via):
            try:
                intent = await self.journal.intend(
                    self.run_id, self.epoch, unit.id, "undo", lock=True, action=action.name,
                    target=target, access_path=path,
                )  # fmt: skip
            except TargetTaken as taken:
                return f"{target} is held by run {taken.run_id}"
            try:
                async with (
                    asyncio.timeout(step.timeout),
                    self.planner.dialer.connect(target, path) as link,
                ):
                    out = await action.apply(params, link)
            except NotSent as error:
                last = error.message
                await self.journal.settle(intent, self.epoch, "not_sent", error=last)
                continue
            except (TargetError, TimeoutError) as error:
                reason = str(error) or "no answer in time"
                await self.journal.settle(intent, self.epoch, "failed", error=reason)
                return reason
            await self.journal.settle(intent, self.epoch, "done", output=out)
            return ""
        return last

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
        params = arguments(action, step.with_, names, step.id)
        call = action.undo(params, before)
        if call is None:
            return "", None
        return call.action, validated(
            self.planner.registry.action(call.action), call.params, step.id
        )

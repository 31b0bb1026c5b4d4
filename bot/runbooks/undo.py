"""Takes one done step back: the action's own way, or the one that the runbook gives."""

import asyncio
from typing import Any

from pydantic import BaseModel

from bot.contract import Action, Effect
from bot.errors import BadInput, NotFound, NotSent, TargetError
from bot.runbooks.journal import Journal
from bot.runbooks.model import NoUndo, Step, Undo
from bot.runbooks.plan import Planner, arguments, validated
from bot.runbooks.steps import StepRunner
from bot.runbooks.tables import StepAttempt


class StepUndoer:
    """Undoes steps of one run under one epoch."""

    def __init__(self, journal: Journal, planner: Planner, run_id: int, epoch: int) -> None:
        self.journal = journal
        self.planner = planner
        self.run_id = run_id
        self.epoch = epoch

    async def take_back(self, step: Step, before: dict[str, Any], names: dict[str, Any]) -> str:
        """'' when the step is taken back or has nothing to take back; else what is wrong."""
        if isinstance(step.undo, NoUndo):
            return step.undo.none
        try:
            name, params = self._call(step, before, names)
        except (BadInput, NotFound) as error:
            return error.message
        if not name:
            return ""
        action = self.planner.registry.action(name)
        cut = await self._cut(step.id)
        if cut is not None:
            settled = await self._settle_cut(cut, action, params, step)
            if settled is not None:
                return settled
        return await self._send(action, params, step)

    async def _send(self, action: Action, params: BaseModel, step: Step) -> str:
        target, last = action.target(params), "no access path works"
        for path in self.planner.dialer.paths(target, step.via):
            intent = await self.journal.intend(
                self.run_id, self.epoch, step.id, "undo", action=action.name, target=target,
                access_path=path,
            )  # fmt: skip
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
        self, cut: StepAttempt, action: Action, params: BaseModel, step: Step
    ) -> str | None:
        """What `take_back` says of an undo that was cut off; None: it may be sent (again)."""
        took: bool | None = False
        if action.effect is Effect.ONCE:
            runner = StepRunner(self.journal, self.planner, self.run_id, self.epoch)
            took = await runner.took_effect(action, params, step)
        if took:
            await self.journal.settle(cut, self.epoch, "done")
            return ""
        reason = "interrupted; repeated" if took is False else "interrupted; outcome unknown"
        await self.journal.settle(cut, self.epoch, "failed", error=reason)
        return None if took is False else reason

    def _call(self, step: Step, before: dict[str, Any], names: dict[str, Any]) -> tuple[str, Any]:
        if isinstance(step.undo, Undo):
            action = self.planner.registry.action(step.undo.action)
            return step.undo.action, arguments(action, step.undo, names)
        action = self.planner.registry.action(step.action)
        params = arguments(action, step, names)
        call = action.undo(params, before)
        if call is None:
            return "", None
        return call.action, validated(
            self.planner.registry.action(call.action), call.params, step.id
        )

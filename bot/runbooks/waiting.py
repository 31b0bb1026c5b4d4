"""What a step waits for before it begins: on the run's card, while it does."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from sqlalchemy import delete
from sqlmodel import col

from bot.log import redact_text
from bot.runbooks.journal import Journal, added
from bot.runbooks.tables import LOOK, StepAttempt

T = TypeVar("T")
_SOON = 2.0  # seconds without a word


class Waiting:
    """Of one run under one epoch. Its rows are for the card alone: nothing goes by them."""

    def __init__(self, journal: Journal, run_id: int, epoch: int) -> None:
        self.journal = journal
        self.run_id = run_id
        self.epoch = epoch

    async def show(self, step: str, what: str) -> StepAttempt:
        """Until the step begins. Raises `Fenced`."""
        facts = {"state": "looking", "action": "", "error": redact_text(what)}
        async with self.journal.fenced(self.run_id, self.epoch) as (session, run):
            row = await added(session, run, self.epoch, step, LOOK, facts)
            await self.journal.runs.show(session, run)
        return row

    async def over(self, step: str, what: str, work: Coroutine[Any, Any, T]) -> T:
        """What the work gives; from its third second on it is shown until it ends. Raises `Fenced`."""
        task = asyncio.ensure_future(work)
        try:
            done, _ = await asyncio.wait({task}, timeout=_SOON)
            if not done:
                row = await self.show(step, what)
                await asyncio.wait({task})
                await self._hide(row)
            return await task
        finally:
            task.cancel()

    async def _hide(self, row: StepAttempt) -> None:
        async with self.journal.fenced(self.run_id, self.epoch) as (session, run):
            await session.execute(delete(StepAttempt).where(col(StepAttempt.id) == row.id))
            await self.journal.runs.show(session, run)

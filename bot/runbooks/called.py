"""What becomes of the runs that a run called, when it ends: none of them outlives it."""

import asyncio

from bot.runbooks.journal import Fenced, Journal

_LOOK = 0.5  # seconds between two looks whether a called run has come to its end


async def called_stop(journal: Journal, run_id: int, epoch: int) -> None:
    """Ends those that wait or have not begun; waits for those that act. Raises `Fenced`.

    One that acts is a step in flight, on targets that the caller holds. Of one whose outcome is
    unknown a person is asked all the same; it only goes on no further.
    """
    while going := await journal.calls(run_id):
        if going != {"running"}:
            await _end_waiting(journal, run_id, epoch)
            going = await journal.calls(run_id)
        if not going - {"unknown"}:
            return
        await asyncio.sleep(_LOOK)


async def _end_waiting(journal: Journal, run_id: int, epoch: int) -> None:
    async with journal.store.write() as session:
        run = await journal.runs.get(session, run_id)
        if run.epoch != epoch:
            raise Fenced
        await journal.runs.end_called(session, run)

"""What open pages look at, looked at once for all that show the same."""

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic

from sqlalchemy.ext.asyncio import AsyncSession

from bot.store import Store

Stamp = Callable[[AsyncSession], Awaitable[str]]
PATIENCE = 5.0  # seconds for one look
_FRESH = 0.9  # seconds that one is good for, where this process has stored nothing since


class Looks:
    """In an incident that everybody watches, each commit would else cost a look for each page."""

    def __init__(self) -> None:
        self._last: dict[str, tuple[int, float, asyncio.Task[str]]] = {}

    async def stamp(self, store: Store, key: str, stamp: Stamp) -> str:
        """What ``stamp`` says at this moment; ``key`` names what it looks at. Raises what it does."""
        last = self._last.get(key)
        if last is None or last[0] != store.version or monotonic() - last[1] > _FRESH:
            task = asyncio.create_task(_looked(store, stamp))
            task.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
            last = self._last[key] = store.version, monotonic(), task
        return await asyncio.shield(last[2])  # a page that is closed takes it from no other


async def _looked(store: Store, stamp: Stamp) -> str:
    async with asyncio.timeout(PATIENCE), store.read() as session:
        return await stamp(session)

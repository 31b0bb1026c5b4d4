"""Work that is looked for again and again, and survives the database being away."""

import asyncio
from collections.abc import Awaitable, Callable

from sqlalchemy.exc import SQLAlchemyError

from bot.errors import JacklineError
from bot.log import get
from bot.store.engine import YIELDING, Store

log = get("store")
_GATHER = 0.03  # seconds in which commits gather, and the outbox goes first: people wait for it


async def repeat(store: Store, step: Callable[[], Awaitable[bool]], pause: float = 0.0) -> None:
    """Does a step whenever there is work: as long as it says so, and again after each commit.

    ``pause``: looks only every so many seconds, for work that is seldom there.
    """
    while True:
        await store.quiet(YIELDING)
        seen = store.version
        while await survive(step):
            pass
        await (asyncio.sleep(pause) if pause else store.wait(seen, 0.5))
        await asyncio.sleep(_GATHER)


async def survive(step: Callable[[], Awaitable[bool]]) -> bool:
    """One step of a worker; False also where it failed, after a pause."""
    try:
        return await step()
    except (SQLAlchemyError, OSError, JacklineError) as error:
        log.error("worker_failed", step=step.__qualname__, error=str(error))
        await asyncio.sleep(1)
    except Exception:  # a bug in one stage must not end the others in an outage
        log.exception("worker_crashed", step=step.__qualname__)
        await asyncio.sleep(5)
    return False

"""A question to a target over the first of its access paths that leads there, in time."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from bot.access import Dialer
from bot.contract import Connection
from bot.errors import JacklineError, NotSent, Rejected, TargetError, Unknown
from bot.log import get

log = get("outside")
_T = TypeVar("_T")


async def first(
    dialer: Dialer, target: str, ask: Callable[[Connection], Awaitable[_T]], seconds: float
) -> tuple[_T, str]:
    """The answer and the path that gave it; the next path where nothing left over one.

    ``seconds`` are what the caller has for all of it. A path that hangs gets its share of what is
    left of them to open, so that the last one has time to open and to talk.

    Raises `NotSent` with each path's reason where none leads there.
    """
    loop = asyncio.get_running_loop()
    ends, reasons, paths = loop.time() + seconds, [], dialer.paths(target)
    for number, path in enumerate(paths):
        share = (ends - loop.time()) / (len(paths) - number + 1)
        try:
            async with dialer.connect(target, path, within=share) as connection:
                return await ask(connection), path
        except NotSent as error:
            reasons.append(f"{path}: {error.message}")
    raise NotSent(" ".join(reasons) or f"{target} has no access path.")


@asynccontextmanager
async def asking(entry: str, integration: str, seconds: float) -> AsyncIterator[None]:
    """Ends it in time, and whatever goes wrong is a `TargetError`."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        raise Unknown(f"{entry} took longer than {seconds:g} s.") from error
    except TargetError:
        raise
    except JacklineError as error:  # the catalog's target or path leads nowhere
        raise Rejected(str(error)) from error
    except Exception as error:  # a stranger's fault; it must not cost what the others deliver
        log.exception("integration_broke", entry=entry)
        raise Unknown(f"{integration} broke: {type(error).__name__}.") from error

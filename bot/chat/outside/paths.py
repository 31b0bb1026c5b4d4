"""A question to a target over the first of its access paths that leads there."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from bot.access import Dialer
from bot.contract import Connection
from bot.errors import NotSent

_T = TypeVar("_T")


async def first(
    dialer: Dialer, target: str, ask: Callable[[Connection], Awaitable[_T]]
) -> tuple[_T, str]:
    """The answer and the path that gave it; the next path where nothing left over one.

    Raises `NotSent` with each path's reason where none leads there.
    """
    reasons = []
    for path in dialer.paths(target):
        try:
            async with dialer.connect(target, path) as connection:
                return await ask(connection), path
        except NotSent as error:
            reasons.append(f"{path}: {error.message}")
    raise NotSent(" ".join(reasons) or f"{target} has no access path.")

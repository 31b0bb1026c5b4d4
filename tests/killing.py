"""Something that happens at a commit that wrote something, such as the process's death.

The hook is on the driver's commit itself, so that no way of writing is left out, and the product
knows nothing of it.
"""

import asyncio
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.util import await_only

_WRITES = ("INSERT", "UPDATE", "DELETE")
At = Callable[[int], None]  # is told the commit's number, from 1


@contextmanager
def at_commits(before: At, after: At) -> Iterator[None]:
    """Calls ``before`` and ``after`` for each commit that wrote something."""
    wrote: set[int] = set()
    count = 0
    commit = DefaultDialect.do_commit
    turn = asyncio.Lock()  # on PostgreSQL commits overlap, and two would have the same number

    def seen(
        connection: Any, _cursor: object, statement: str, _p: object, _x: object, _m: object
    ) -> None:
        if statement.lstrip().upper().startswith(_WRITES):
            wrote.add(id(connection.connection.dbapi_connection))

    def rolled_back(connection: Any) -> None:
        wrote.discard(id(connection.connection.dbapi_connection))

    def do_commit(self: DefaultDialect, connection: Any) -> None:
        nonlocal count
        mine = id(connection.dbapi_connection)
        if mine not in wrote:
            commit(self, connection)
            return
        await_only(turn.acquire())
        try:
            before(count + 1)
            commit(self, connection)
            wrote.discard(mine)
            count += 1
            after(count)
        finally:
            turn.release()

    event.listen(Engine, "before_cursor_execute", seen)
    event.listen(Engine, "rollback", rolled_back)
    DefaultDialect.do_commit = do_commit
    try:
        yield
    finally:
        DefaultDialect.do_commit = commit
        event.remove(Engine, "before_cursor_execute", seen)
        event.remove(Engine, "rollback", rolled_back)


@contextmanager
def killed(at: int, side: str, counted: At = lambda count: None) -> Iterator[None]:
    """SIGKILL ``before`` or ``after`` the commit with that number; others are ``counted``."""

    def die(number: int, when: str) -> None:
        if (when, number) == (side, at):
            os.kill(os.getpid(), signal.SIGKILL)

    def after(number: int) -> None:
        counted(number)
        die(number, "after")

    with at_commits(lambda number: die(number, "before"), after):
        yield

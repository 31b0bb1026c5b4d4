"""``jackline serve`` that kills itself at the N-th commit of the flow.

The hooks are put on from outside: the product knows nothing of them. ``CRASH_AT`` counts the
commits that wrote something; ``CRASH_SIDE`` says whether SIGKILL comes just before the commit
reaches the database or just after. Leases are shortened, so that a restarted process takes over
in a second and the test need not wait for half a minute.
"""

import os
import signal
from datetime import timedelta
from pathlib import Path

from sqlalchemy import event
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

import bot.delivery.worker
import bot.runbooks.journal
from bot.cli import main

AT, SIDE = int(os.environ.get("CRASH_AT", "0")), os.environ.get("CRASH_SIDE", "after")
COUNT_FILE = Path(os.environ["CRASH_COUNT"])
bot.delivery.worker.LEASE = timedelta(seconds=1)
bot.runbooks.journal.LEASE = timedelta(seconds=1)
state = {"wrote": False, "count": 0}


@event.listens_for(Session, "after_begin")
def _began(session: Session, _: object, connection: Connection) -> None:
    session.info["wrote"] = False

    @event.listens_for(connection, "before_cursor_execute")
    def _seen(
        _c: object, _cursor: object, statement: str, _p: object, _x: object, _m: object
    ) -> None:
        if statement.lstrip().upper().startswith(("INSERT", "UPDATE", "DELETE")):
            session.info["wrote"] = True


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@event.listens_for(Session, "before_commit")
def _before(session: Session) -> None:
    session.flush()
    if session.info.get("wrote") and SIDE == "before" and state["count"] + 1 == AT:
        _die()


@event.listens_for(Session, "after_commit")
def _after(session: Session) -> None:
    if not session.info.get("wrote"):
        return
    session.info["wrote"] = False
    state["count"] += 1
    COUNT_FILE.write_text(str(state["count"]))
    if SIDE == "after" and state["count"] == AT:
        _die()


if __name__ == "__main__":
    main()

"""``jackline serve`` that kills itself at the N-th commit of the flow, as often as it is asked to.

The hooks are put on from outside: the product knows nothing of them. ``CRASH_AT`` counts the
commits that wrote something; ``CRASH_SIDE`` says whether SIGKILL comes just before the commit
reaches the database or just after. Leases are shortened, so that a restarted process takes over
in a second and the test need not wait for half a minute.

Each line on stdin, ``{"env": …, "log": …}``, starts one by forking; its process id and, once it
has ended, its exit code are printed. Everything is imported by then: that is half of a start.
"""

import json
import os
import signal
import sys
from datetime import timedelta
from pathlib import Path

from sqlalchemy import event
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

import bot.delivery.worker
import bot.runbooks.journal
from bot.cli import main


def _die_at(at: int, side: str, count_file: Path) -> None:
    """Puts the hooks on."""
    count = 0

    def die() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    @event.listens_for(Session, "after_begin")
    def _began(session: Session, _: object, connection: Connection) -> None:
        session.info["wrote"] = False

        @event.listens_for(connection, "before_cursor_execute")
        def _seen(
            _c: object, _cursor: object, statement: str, _p: object, _x: object, _m: object
        ) -> None:
            if statement.lstrip().upper().startswith(("INSERT", "UPDATE", "DELETE")):
                session.info["wrote"] = True

    @event.listens_for(Session, "before_commit")
    def _before(session: Session) -> None:
        session.flush()
        if session.info.get("wrote") and side == "before" and count + 1 == at:
            die()

    @event.listens_for(Session, "after_commit")
    def _after(session: Session) -> None:
        nonlocal count
        if not session.info.get("wrote"):
            return
        session.info["wrote"] = False
        count += 1
        count_file.write_text(str(count))
        if side == "after" and count == at:
            die()


def _serve(env: dict[str, str], log: str) -> None:
    """In the fork: becomes the process that the line asked for."""
    output = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    for number in (1, 2):
        os.dup2(output, number)
    os.environ.clear()
    os.environ.update(env)
    sys.argv[1:] = ["serve"]
    bot.delivery.worker.LEASE = timedelta(seconds=1)
    bot.runbooks.journal.LEASE = timedelta(seconds=1)
    _die_at(int(env["CRASH_AT"]), env["CRASH_SIDE"], Path(env["CRASH_COUNT"]))
    main()


def _listen() -> None:
    for line in sys.stdin:
        child = os.fork()
        if not child:
            os.close(0)
            _serve(**json.loads(line))
            return
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    _listen()

"""``jackline serve`` that kills itself at the N-th commit of the flow, as often as it is asked to.

``CRASH_AT`` counts the commits that wrote something; ``CRASH_SIDE`` says whether SIGKILL comes just
before the commit reaches the database or just after. Leases are shortened, so that a restarted
process takes over in a second and the test need not wait for half a minute.

Each line on stdin, ``{"env": …, "log": …}``, starts one by forking; its process id and, once it
has ended, its exit code are printed. All that a start imports is imported by then: most of a start.
"""

import asyncio
import gc
import json
import os
import sys
import tempfile
from datetime import timedelta
from pathlib import Path

import bot.delivery.worker
import bot.runbooks.journal
from bot.access import Prober
from bot.app import Jackline
from bot.cli import main
from bot.settings import load
from tests.killing import killed


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
    Prober.run_due = _no_probes  # they write as well, and at any moment
    counted = Path(env["CRASH_COUNT"])
    _write(counted, 0)
    at, side = int(env["CRASH_AT"]), env["CRASH_SIDE"]
    with killed(at, side, lambda n: _write(counted, n)):
        main()


async def _no_probes(prober: Prober) -> None:
    del prober


def _write(file: Path, number: int) -> None:
    file.write_text(str(number))


def _warm() -> None:
    """Makes and leaves one Jackline: integrations, drivers and servers are imported on the way."""
    with tempfile.TemporaryDirectory() as folder:
        given = {
            "DATABASE_URL": f"sqlite+aiosqlite:///{folder}/j.db", "DATA_DIR": folder,
            "RUNBOOKS_DIR": folder, "SLACK__BOT_TOKEN": "xoxb-1", "SLACK__APP_TOKEN": "xapp-1", "SLACK__SIGNING_SECRET": "s",
        }  # fmt: skip
        parts = Jackline(load({f"JACKLINE_{name}": value for name, value in given.items()}))

        async def used() -> None:
            await parts.store.migrate()
            await parts.close()

        asyncio.run(used())
    gc.freeze()  # what is here stays, and need not be copied for a look at it


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
    _warm()
    _listen()

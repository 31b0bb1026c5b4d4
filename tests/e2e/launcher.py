"""Forks ``jackline serve``: everything is imported by then, which is most of a start.

Each line on stdin, ``{"env": …, "log": …, "ended": …}``, starts one; its process id is printed. Its
exit code stands in the file ``ended`` once it has ended. All that run end with stdin.

With ``CRASH_AT`` in its environment it kills itself at the N-th commit that wrote something;
``CRASH_SIDE`` says whether SIGKILL comes just before that commit reaches the database or just after,
``CRASH_COUNT`` is the file that counts. Leases are short then, and with ``CRASH_AGAIN`` those of the dead
one have run out by the start, as they would have in half a minute.
"""

import asyncio
import contextlib
import faulthandler
import gc
import importlib
import json
import os
import selectors
import signal
import sys
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from sqlalchemy import update
from sqlalchemy.exc import DBAPIError
from sqlmodel import col

import bot.delivery.worker
import bot.runbooks.journal
from bot.access import Prober
from bot.app import Jackline
from bot.cli import main
from bot.contract import Graph, Series
from bot.delivery.tables import Delivery
from bot.incidents import times
from bot.runbooks.tables import Run
from bot.settings import load
from bot.store import Store, now
from bot.timeline.charts import draw
from tests.killing import killed

# What `jackline serve` imports no sooner than it runs: a quarter of the time of one that dies soon.
LATE = (
    "anyio._backends._asyncio", "bot.cli.commands", "bot.postmortems.charts",
    "matplotlib.backends.backend_svg", "uvicorn.protocols.http.auto",
    "uvicorn.protocols.websockets.auto",
)  # fmt: skip


def _serve(env: dict[str, str], log: str) -> None:
    """In the fork: becomes the process that the line asked for."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    output = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    for number in (1, 2):
        os.dup2(output, number)
    faulthandler.enable()
    os.environ.clear()
    os.environ.update(env)
    sys.argv[1:] = ["serve"]
    if "CRASH_AGAIN" in env:
        with contextlib.suppress(DBAPIError):  # it died before there were any tables
            asyncio.run(_expire(env["JACKLINE_DATABASE_URL"]))
    with _dying(env) if "CRASH_AT" in env else contextlib.nullcontext():
        main()


async def _expire(url: str) -> None:
    """Lets time pass for the leases: nobody is alive who holds one."""
    store = Store(url)
    try:
        async with store.write() as session:
            for until in (col(Run.lease_until), col(Delivery.lease_until)):
                await session.execute(
                    update(until.class_).where(until > now()).values(lease_until=now())
                )
    finally:
        await store.close()


@contextlib.contextmanager
def _dying(env: dict[str, str]) -> Iterator[None]:
    bot.delivery.worker.LEASE = timedelta(seconds=1)
    bot.runbooks.journal.LEASE = timedelta(seconds=1)
    Prober.run_due = _no_probes  # they write as well, and at any moment
    counted = Path(env["CRASH_COUNT"])
    counted.write_text("0")
    with killed(int(env["CRASH_AT"]), env["CRASH_SIDE"], lambda n: _write(counted, n)):
        yield


async def _no_probes(prober: Prober) -> None:
    del prober


def _write(file: Path, number: int) -> None:
    file.write_text(str(number))


def _warm() -> None:
    """Makes and leaves one Jackline: integrations, drivers and servers are imported on the way."""
    with tempfile.TemporaryDirectory() as folder:
        given = {
            "DATABASE_URL": f"sqlite+aiosqlite:///{folder}/j.db", "DATA_DIR": folder,
            "RUNBOOKS_DIR": folder, "SLACK__BOT_TOKEN": "xoxb-1", "SLACK__APP_TOKEN": "xapp-1",
            "SLACK__SIGNING_SECRET": "s",
        }  # fmt: skip
        parts = Jackline(load({f"JACKLINE_{name}": value for name, value in given.items()}))

        async def used() -> None:
            await parts.store.migrate()
            await parts.close()

        asyncio.run(used())
    for late in LATE:
        importlib.import_module(late)
    times.prepare()
    draw([Graph(title="a", unit="s", series=[Series(label="b", points=[(0, 1), (1, 2)])])])  # fonts
    gc.freeze()  # what is here stays, and need not be copied for a look at it


def _listen() -> None:
    """Until stdin ends."""
    woken, wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake)
    running: dict[int, Path] = {}
    waiting = selectors.DefaultSelector()
    waiting.register(0, selectors.EVENT_READ)
    waiting.register(woken, selectors.EVENT_READ)
    while True:
        ready = {key.fd for key, _ in waiting.select()}
        if woken in ready:
            os.read(woken, 4096)
            _reap(running)
        if 0 in ready:
            line = sys.stdin.readline()  # one at a time: the next is asked for after the answer
            if not line:
                break
            asked = json.loads(line)
            child = os.fork()
            if not child:
                waiting.close()
                os.close(0)
                _serve(asked["env"], asked["log"])
                return
            running[child] = Path(asked["ended"])
            sys.stdout.write(f"{child}\n")
            sys.stdout.flush()
    for child in running:
        os.kill(child, signal.SIGKILL)


def _reap(running: dict[int, Path]) -> None:
    with contextlib.suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            file = running.pop(ended[0])
            new = file.with_suffix(".new")
            new.write_text(str(os.waitstatus_to_exitcode(ended[1])))
            new.replace(file)


if __name__ == "__main__":
    _warm()
    _listen()

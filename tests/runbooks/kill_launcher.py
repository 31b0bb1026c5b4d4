"""Forks engines that kill themselves at the N-th commit of a run: SIGKILL, nothing is cleaned up.

Each line on stdin, ``{"url": …, "folder": …, "at": N, "side": "before" | "after"}``, forks one that
works until there is nothing left to do; its exit code is printed. With 0 as N it does the work
itself: all of a run's modules are imported by then, and its statements compiled, for the forks.
"""

import asyncio
import gc
import json
import os
import sys
from pathlib import Path
from typing import Any

from bot.registry import Registry, load
from bot.store import Store
from tests.databases import share_what_is_compiled
from tests.killing import killed
from tests.runbooks.room import Room


async def _work(registry: Registry, url: str, folder: str) -> None:
    store = Store(url)
    room = Room(store, Path(folder), registry)
    await room.work(engine=room.another("killed"))
    await store.close()


def main() -> None:
    """Until stdin ends."""
    registry = load()
    share_what_is_compiled()
    for line in sys.stdin:
        asked = json.loads(line)
        if asked["at"]:
            code = _forked(registry, asked)
        else:
            code = 0
            asyncio.run(_work(registry, asked["url"], asked["folder"]))
            gc.freeze()  # what is here stays, and need not be copied for a look at it
        sys.stdout.write(f"{code}\n")
        sys.stdout.flush()


def _forked(registry: Registry, asked: dict[str, Any]) -> int:
    child = os.fork()
    if not child:
        with killed(asked["at"], asked["side"]):
            asyncio.run(_work(registry, asked["url"], asked["folder"]))
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    main()

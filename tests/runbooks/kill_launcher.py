"""Forks engines that kill themselves at the N-th commit of a run: SIGKILL, nothing is cleaned up.

Each line on stdin, ``{"url": …, "folder": …, "at": N, "side": "before" | "after"}``, forks one that
works until there is nothing left to do; its exit code is printed. Everything is imported by then.
"""

import asyncio
import json
import os
import sys
from pathlib import Path

from bot.registry import Registry, load
from bot.store import Store
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
    for line in sys.stdin:
        asked = json.loads(line)
        child = os.fork()
        if not child:
            with killed(asked["at"], asked["side"]):
                asyncio.run(_work(registry, asked["url"], asked["folder"]))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()

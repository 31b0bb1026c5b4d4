"""One engine as a process of its own, to be killed: ``python -m … DATABASE_URL FOLDER [LEASE]``.

Leases last a second unless told otherwise, so that another engine takes over at once.
"""

import asyncio
import sys
from datetime import timedelta
from pathlib import Path

import bot.runbooks.engine
import bot.runbooks.journal
from bot.store import Store
from tests.runbooks.room import Room


async def main(url: str, folder: str) -> None:
    """Works until it is killed."""
    await Room(Store(url), Path(folder)).another("process").run()


if __name__ == "__main__":
    url, folder, *lease = sys.argv[1:]
    seconds = timedelta(seconds=float(lease[0]) if lease else 1)
    bot.runbooks.journal.LEASE = bot.runbooks.engine.LEASE = seconds
    asyncio.run(main(url, folder))

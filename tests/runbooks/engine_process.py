"""One engine as a process of its own, to be killed: ``python -m … DATABASE_URL FOLDER [NUMBER]``.

Leases are short, so that another engine takes over in a second.
"""

import asyncio
import sys
from datetime import timedelta
from pathlib import Path

import bot.runbooks.engine
import bot.runbooks.journal
from bot.store import Store
from tests.runbooks.room import Room


async def main(url: str, folder: str, number: str = "") -> None:
    """Works until it is killed."""
    await Room(Store(url), Path(folder)).another(f"process{number}").run()


if __name__ == "__main__":
    bot.runbooks.journal.LEASE = bot.runbooks.engine.LEASE = timedelta(seconds=1)
    asyncio.run(main(*sys.argv[1:]))

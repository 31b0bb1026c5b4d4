"""Stops a process of ours for a while, where others can go on without it.

A process that is stopped in the middle of a transaction keeps its locks, on SQLite the one lock
that there is: nobody could write until it goes on. That is no takeover, so it is let out first.
"""

import asyncio
import signal
import sqlite3
from asyncio.subprocess import Process

from sqlalchemy import text
from sqlalchemy.engine import make_url

from bot.store import Store
from tests.servers.process import stands_still

_WRITING = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    " AND backend_xid IS NOT NULL AND pid <> pg_backend_pid()"
)


async def stop_between_writes(process: Process, store: Store) -> None:
    """SIGSTOP; when this returns, it stands still and has nothing locked in the database."""
    async with asyncio.timeout(20):
        while True:
            process.send_signal(signal.SIGSTOP)
            while not stands_still(process.pid):
                await asyncio.sleep(0.01)
            if not await _writes(store):
                return
            process.send_signal(signal.SIGCONT)
            await asyncio.sleep(0.02)


async def _writes(store: Store) -> bool:
    """Whether anybody but us is in the middle of a writing transaction."""
    if not store.is_sqlite:
        async with store.read() as session:
            return bool((await session.execute(_WRITING)).scalar_one())
    database = sqlite3.connect(make_url(store.url).database or "", timeout=0, isolation_level=None)
    try:
        database.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError:
        return True
    finally:
        database.close()
    return False

"""Proves access paths before they are needed, again and again; `bot.access.probe` does one.

A probe's turn is claimed in the database, so that several replicas probe no more than one.
"""

import asyncio
import random
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlmodel import col, select

from bot.access.dialer import Dialer
from bot.access.probe import AT_ONCE, Seen, probe
from bot.access.proof import PathProof, pairs, proofs
from bot.access.tables import PathState
from bot.registry import Registry
from bot.store import Store, now


class Prober:
    """``run_due`` probes what is due; ``probe`` one path at once."""

    def __init__(
        self, store: Store, dialer: Dialer, registry: Registry, every: timedelta, holds: timedelta
    ) -> None:
        self.store = store
        self.dialer = dialer
        self.registry = registry
        self.every = every
        self.holds = holds
        self._busy = asyncio.Semaphore(AT_ONCE)
        self._going = False

    async def run_due(self) -> None:
        """Probes each path whose turn it is; a slow one does not hold the others up."""
        if self._going:
            return
        self._going = True
        try:
            await self._sync()
            due = await self._due()
            await asyncio.gather(*(self._one(*pair) for pair in due))
        finally:
            self._going = False

    async def status(self) -> list[PathProof]:
        """What is known of every path of the catalog."""
        async with self.store.read() as session:
            states = list((await session.execute(select(PathState))).scalars())
        return proofs(self.dialer.catalog(), states, now(), self.holds)

    async def probe_all(self) -> list[PathProof]:
        """Every path at once, due or not; what is known afterwards."""
        await self._sync()
        await asyncio.gather(*(self._one(*pair) for pair in pairs(self.dialer.catalog())))
        return await self.status()

    async def probe(self, target: str, path: str) -> Seen:
        """One path to one target, a few at a time: a bastion refuses many logins at once.

        Reads only; never raises for what the other side does.
        """
        async with self._busy:
            return await probe(self.dialer, self.registry, target, path)

    async def _one(self, target: str, path: str) -> None:
        seen = await self.probe(target, path)
        at = now()
        values: dict[str, Any] = {
            "ok": seen.ok, "depth": seen.depth, "checked_at": at, "ms": seen.ms,
            "error": seen.error, "due_at": at + self.every * random.uniform(0.9, 1.1),  # noqa: S311 - jitter
        }  # fmt: skip
        if seen.ok:
            values |= {"proven_at": at, "bad_since": None}
        mine = (col(PathState.target) == target, col(PathState.path) == path)
        async with self.store.write(silent=True) as session:
            await session.execute(update(PathState).where(*mine).values(**values))
            if not seen.ok:
                first = update(PathState).where(*mine, col(PathState.bad_since).is_(None))
                await session.execute(first.values(bad_since=at))

    async def _due(self) -> list[tuple[str, str]]:
        """Those whose turn it is, now claimed: others find them not due."""
        moment = now()
        query = select(PathState.target, PathState.path).where(col(PathState.due_at) <= moment)
        async with self.store.read() as session:
            found = [(row.target, row.path) for row in await session.execute(query.limit(50))]
        claimed = []
        for target, path in found:
            async with self.store.write(silent=True) as session:
                taken = await session.execute(
                    update(PathState)
                    .where(col(PathState.target) == target, col(PathState.path) == path)
                    .where(col(PathState.due_at) <= moment)
                    .values(due_at=moment + self.every)
                )
                if taken.rowcount:  # type: ignore[attr-defined]  # an UPDATE's CursorResult
                    claimed.append((target, path))
        return claimed

    async def _sync(self) -> None:
        """A row for each path of the catalog, none for what is gone."""
        wanted = set(pairs(self.dialer.catalog()))
        async with self.store.read() as session:
            query = select(PathState.target, PathState.path)
            there = {(row.target, row.path) for row in await session.execute(query)}
        if wanted == there:
            return
        insert = sqlite_insert if self.store.is_sqlite else postgresql_insert
        moment = now()
        rows = [
            {"target": target, "path": path, "depth": "", "error": "", "first_seen": moment,
             "due_at": moment}
            for target, path in sorted(wanted - there)
        ]  # fmt: skip
        async with self.store.write(silent=True) as session:
            if rows:
                await session.execute(insert(PathState).values(rows).on_conflict_do_nothing())
            for target, path in there - wanted:
                gone = (col(PathState.target) == target, col(PathState.path) == path)
                await session.execute(delete(PathState).where(*gone))

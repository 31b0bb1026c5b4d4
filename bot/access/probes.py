"""Proves access paths before they are needed: end to end, by reading, with the real credential.

A probe's turn is claimed in the database, so that several replicas probe no more than one. What is
proven is the *path*: a target that answers "not well" has been reached all the same.
"""

import asyncio
import random
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pydantic import ValidationError
from sqlalchemy import delete, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlmodel import col, select

from bot.access.dialer import Dialer
from bot.access.proof import PathProof, pairs, proofs
from bot.access.tables import PathState
from bot.contract import Connection, Effect
from bot.errors import JacklineError, NotSent, Rejected
from bot.log import get
from bot.registry import Registry
from bot.store import Store, now

log = get("access")
_AT_ONCE = 4
_LIMIT = 15.0  # seconds for one probe


@dataclass(frozen=True)
class Seen:
    """What one probe found; ``ms`` is how long it took."""

    ok: bool
    depth: str
    ms: float
    error: str = ""


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
        self._busy = asyncio.Semaphore(_AT_ONCE)
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
        """One path to one target. Reads only; never raises for what the other side does."""
        began, depth = time.perf_counter(), self._depth(target)
        error = ""
        try:
            async with asyncio.timeout(_LIMIT), self.dialer.connect(target, path) as link:
                await self._reach(target, link)
        except TimeoutError:
            error = f"no answer in {_LIMIT:.0f} s"
        except (JacklineError, ValidationError) as problem:
            # A refusal is an answer: the target was reached, and the credential taken.
            error = "" if isinstance(problem, Rejected) else str(problem)
        except Exception as problem:  # a fault of the integration proves nothing
            log.exception("probe_broke", target=target, path=path)
            error = f"the probe broke: {type(problem).__name__}"
        error = error.replace("\0", "\ufffd")  # no database keeps one
        return Seen(not error, depth, (time.perf_counter() - began) * 1000, error)

    def _depth(self, target: str) -> str:
        entry = self.dialer.catalog().target(target)
        if entry is not None and entry.probe is not None:
            return "action"
        return "login" if entry is not None and entry.url.startswith("ssh://") else "port"

    async def _reach(self, target: str, link: Connection) -> None:
        entry = self.dialer.catalog().target(target)
        if entry is not None and entry.probe is not None:
            action = self.registry.action(entry.probe.action)
            if action.effect is not Effect.READ:
                raise NotSent(f"{action.name} changes things: it is no probe")
            params = action.Params.model_validate(entry.probe.with_)
            await action.apply(params, link)
        elif entry is not None and entry.url.startswith("ssh://"):
            await link.run(["true"], timeout=_LIMIT)
        else:
            async with link.forward():
                pass

    async def _one(self, target: str, path: str) -> None:
        async with self._busy:
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

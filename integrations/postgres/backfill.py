"""One attempt at a backfill: batch after batch in the order of the key, as gently as it was told.

The place where it is stands in the same database and moves in each batch's own transaction: a
batch and its checkpoint are both there or both not, whatever dies in between. The newest attempt
owns the job: an older one that wakes up again finds another's name in the checkpoint and stops.
"""

import asyncio
import secrets
import time
from dataclasses import dataclass, field
from typing import Any

from bot.contract import Connection
from bot.errors import Rejected, Retryable

from .client import Busy, Server, TookTooLong
from .jobs import Job
from .params import BackfillParams
from .status import standbys
from .tables import Column, Relation, key_of, relation

_LOOK = 0.5  # seconds between two looks whether a lag or a lock has gone
_CREATE = """
CREATE TABLE IF NOT EXISTS jackline_backfill (
  job text PRIMARY KEY, last_key text, rows_done bigint NOT NULL DEFAULT 0,
  attempt text NOT NULL, updated_at timestamptz NOT NULL DEFAULT clock_timestamp())"""
_OWN = """
INSERT INTO jackline_backfill AS b (job, attempt) VALUES ($1, $2)
ON CONFLICT (job) DO UPDATE SET attempt = excluded.attempt
RETURNING rows_done, extract(epoch FROM clock_timestamp() - updated_at)::float8 AS age"""
_THERE = "SELECT to_regclass('jackline_backfill')"
_DONE = "SELECT rows_done FROM jackline_backfill WHERE job = $1"
_PLACE = "SELECT last_key, attempt FROM jackline_backfill WHERE job = $1 FOR UPDATE"
_MOVE = """
UPDATE jackline_backfill
   SET last_key = $2, rows_done = rows_done + $3, updated_at = clock_timestamp()
 WHERE job = $1"""


@dataclass
class Attempt:
    """What one call does within its time."""

    params: BackfillParams
    job: Job
    connection: Connection
    server: Server
    name: str = field(default_factory=lambda: secrets.token_hex(8))
    started: float = field(default_factory=time.monotonic)
    done: int = 0
    waited: float = 0.0

    async def run(self) -> dict[str, Any]:
        """Until no row is left. Raises `Retryable` when the time is up: the next one goes on."""
        table = await relation(self.server, self.job.table)
        key = await key_of(self.server, table, self.job.key)
        before = await self._own()
        while True:
            await self._until_lag_is_low()
            filled = await self._one_batch(table, key)
            if filled == 0:
                left = await rows_left(self.server, self.job, table)
                if not left:
                    return self._out(before, left)
            await self._pace(filled)

    async def _own(self) -> int:
        """Takes the job over and waits out the pause that the attempt before still owed."""
        if await self.server.value(_THERE) is None:
            await self.server.rows(_CREATE)
        row = await self.server.row(_OWN, self.params.job, self.name)
        if row["rows_done"]:
            await asyncio.sleep(max(0.0, self.params.batch / self.params.rate - row["age"]))
        return int(row["rows_done"])

    async def _one_batch(self, table: Relation, key: Column) -> int:
        """How many rows were filled; 0 at the end of the table, and then it begins at its start."""
        while True:
            try:
                async with self.server.transaction():
                    filled = await self._fill(table, key)
            except Busy as error:
                await self._wait(f"others hold what it needs: {error.message}")
            except TookTooLong as error:
                raise Rejected(
                    error.message,
                    hint="Make the batch smaller, or give the job's `where` an index.",
                ) from error
            else:
                self.done += filled
                return filled

    async def _fill(self, table: Relation, key: Column) -> int:
        place = await self.server.row(_PLACE, self.params.job)
        if place is None or place["attempt"] != self.name:
            raise Rejected(f"Another attempt has taken {self.params.job} over.")
        keys = await self._next_keys(table, key, place["last_key"])
        if keys:
            await self._set(table, key, keys)
        await self.server.rows(_MOVE, self.params.job, keys[-1] if keys else None, len(keys))
        return len(keys)

    async def _next_keys(self, table: Relation, key: Column, last: str | None) -> list[str]:
        """The next rows that lack it, locked.

        The alias is none that a column has: ORDER BY would take that one, and sort the text.
        """
        after = f"{key.name} > $2::text::{key.type} AND " if last is not None else ""
        sql = (
            f"SELECT {key.name}::text AS jackline_key FROM {table.name} WHERE {after}({self.job.where}) "  # noqa: S608 - the catalog's
            f"ORDER BY {key.name} LIMIT $1 FOR UPDATE"
        )
        values = [self.params.batch] if last is None else [self.params.batch, last]
        return [row["jackline_key"] for row in await self.server.rows(sql, *values)]

    async def _set(self, table: Relation, key: Column, keys: list[str]) -> None:
        """Sets them; refused where one would be found again, and so be done a second time."""
        changed = await self.server.rows(
            f"UPDATE {table.name} SET {self.job.set} "  # noqa: S608 - the catalog's
            f"WHERE {key.name} = ANY ($1::text[]::{key.type}[]) "
            f"RETURNING {key.name}::text AS key, coalesce(({self.job.where}), false) AS again",
            keys,
        )
        if again := [row["key"] for row in changed if row["again"]]:
            raise Rejected(
                f"{self.params.job} sets rows that its `where` still finds, such as "
                f"{self.job.key} {again[0]}: they would be done over and over.",
                hint="Nothing of this batch was kept. Correct the job in the catalog.",
            )

    async def _until_lag_is_low(self) -> None:
        bound = self.params.max_lag_mb
        while bound is not None:
            seen = await standbys(self.server, self.connection)
            lag = seen["lag_mb"] if seen["streaming"] >= self.params.standbys else None
            if lag is not None and lag <= bound:
                return
            known = f"{seen['streaming']} standbys stream, {self.params.standbys} must"
            if seen["streaming"] >= self.params.standbys:
                known = "how far a standby is behind is not known"
            await self._wait(known if lag is None else f"a standby is {lag:g} MB behind")

    async def _pace(self, filled: int) -> None:
        """The pause that keeps to the rate; where no time is left, the next attempt makes it."""
        pause = filled / self.params.rate
        if pause > self._left():
            raise self._time_is_up()
        await asyncio.sleep(pause)

    async def _wait(self, why: str) -> None:
        if self._left() < _LOOK:
            raise self._time_is_up(f" It waits: {why}.")
        await asyncio.sleep(_LOOK)
        self.waited += _LOOK

    def _left(self) -> float:
        return self.params.max_seconds - (time.monotonic() - self.started)

    def _time_is_up(self, why: str = "") -> Retryable:
        took = time.monotonic() - self.started
        return Retryable(
            f"{self.params.job}: {self.done} rows in {took:.0f} s, and some are left.{why}",
            hint="The next attempt goes on from there.",
        )

    def _out(self, before: int, left: int | None) -> dict[str, Any]:
        took = time.monotonic() - self.started
        return {
            "job": self.params.job,
            "done": self.done,
            "done_in_all": before + self.done,
            "left": left,
            "seconds": round(took, 1),
            "rate": round(self.done / took, 1),
            "waited_seconds": self.waited,
        }


async def rows_done(server: Server, name: str) -> int:
    """How many rows the job has set so far, whoever asked for it."""
    if await server.value(_THERE) is None:
        return 0
    return int(await server.value(_DONE, name) or 0)


async def rows_left(server: Server, job: Job, table: Relation) -> int | None:
    """How many rows lack it; None where the server would take too long to count them."""
    try:
        return int(await server.value(f"SELECT count(*) FROM {table.name} WHERE {job.where}"))  # noqa: S608 - the catalog's
    except TookTooLong:
        return None

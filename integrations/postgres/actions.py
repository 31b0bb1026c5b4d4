"""Looks at a PostgreSQL, counts rows, and fills columns of many rows without hurting it."""
# ruff: noqa: ARG002 - the contract gives every verb the same arguments, and not all are needed

from collections.abc import Mapping
from typing import Any, ClassVar

from bot.contract import Call, Change, Connection, Effect, Preview
from bot.contract.looking import Looking
from bot.errors import Rejected

from .backfill import Attempt, rows_done, rows_left
from .client import TookTooLong, server
from .jobs import Job, allowed
from .params import BackfillParams, CountParams, ServerParams
from .status import status
from .tables import Relation, condition, key_of, relation

_COUNTING = 4.0  # seconds for a count that is good to know, but that nothing hangs on


class _Server:
    """What every verb here shares."""

    def target(self, params: ServerParams) -> str:
        return f"postgres/{params.server}"


class _Look(Looking, _Server):
    """What the reading verbs share."""


class Status(_Look):
    """Primary or replica, how busy, and how far behind: what a lag guard asks."""

    name: ClassVar[str] = "postgres.status"
    Params: ClassVar[type[ServerParams]] = ServerParams

    async def apply(self, params: ServerParams, connection: Connection) -> dict[str, Any]:
        return await status(connection)


class Count(_Look):
    """How many rows of a table meet conditions."""

    name: ClassVar[str] = "postgres.count"
    Params: ClassVar[type[CountParams]] = CountParams

    async def apply(self, params: CountParams, connection: Connection) -> dict[str, Any]:
        try:
            found = await self._count(params, connection)
        except TookTooLong as error:
            raise Rejected(
                f"Counting {params.table} took longer than {params.seconds:g} s.",
                hint="Give up_to, more seconds, or an index.",
            ) from error
        return {"rows": found, "more": bool(params.up_to) and found == params.up_to}

    async def _count(self, params: CountParams, connection: Connection) -> int:
        async with (
            server(connection, statement_seconds=params.seconds) as asked,
            asked.transaction(read_only=True),
        ):
            table = await relation(asked, params.table)
            where, values = await condition(asked, table, params.where)
            limit = f"LIMIT {params.up_to}" if params.up_to else ""
            sql = f"SELECT count(*) FROM (SELECT FROM {table.name} WHERE {where} {limit}) AS r"  # noqa: S608 - quoted by the server
            return int(await asked.value(sql, *values))


class Backfill(_Server):
    """Does a job of the allow-list on all rows that lack it; resumes where it was."""

    name: ClassVar[str] = "postgres.backfill"
    effect: ClassVar[Effect] = Effect.IDEMPOTENT
    reverts: ClassVar[bool] = True
    Params: ClassVar[type[BackfillParams]] = BackfillParams

    async def preview(self, params: BackfillParams, connection: Connection) -> Preview:
        """How many rows are left, and how long they would take at the rate."""
        job = allowed(connection.settings, params.job)
        async with (
            server(connection, statement_seconds=_COUNTING) as asked,
            asked.transaction(read_only=True),
        ):
            if await asked.value("SELECT pg_is_in_recovery()"):
                raise Rejected(f"{connection.target} is a replica.", hint="Name the primary.")
            table = await relation(asked, job.table)
            await key_of(asked, table, job.key)
            done = await rows_done(asked, params.job)  # tells of a part where nobody can count
            left = await rows_left(asked, job, table)
        change = Change(
            target=self.target(params),
            what=f"backfill {params.job} of {table.name}",
            before=_shown(left, table),
            after=_after(left, table, params),
        )
        state = {"left": left, "done": done, "undo": job.undo}
        return Preview(changes=[] if left == 0 else [change], state=state)

    async def apply(self, params: BackfillParams, connection: Connection) -> dict[str, Any]:
        job = allowed(connection.settings, params.job)
        async with server(
            connection,
            read=False,
            statement_seconds=params.statement_seconds,
            lock_seconds=params.lock_seconds,
        ) as asked:
            return await Attempt(params, job, connection, asked).run()

    async def verify(self, params: BackfillParams, connection: Connection) -> bool | None:
        """No row is left; None where that takes too long to count."""
        job: Job = allowed(connection.settings, params.job)
        async with (
            server(connection, statement_seconds=_COUNTING) as asked,
            asked.transaction(read_only=True),
        ):
            left = await rows_left(asked, job, await relation(asked, job.table))
        return None if left is None else left == 0

    def undo(self, params: BackfillParams, state: Mapping[str, Any]) -> Call | None:
        """The job that the list names for it; a backfill by itself does not know what was before."""
        if not state.get("undo"):
            return None
        return Call(action=self.name, params={**params.model_dump(), "job": state["undo"]})


def _shown(left: int | None, table: Relation) -> str:
    if left is not None:
        return f"{left} rows lack it"
    most = f"; the table has about {table.about}" if table.about else ""
    return f"too many rows to count in {_COUNTING:g} s{most}"


def _after(left: int | None, table: Relation, params: BackfillParams) -> str:
    rows = table.about if left is None else left
    if rows is None:
        return f"none, at {params.rate} rows per second"
    seconds = rows / params.rate
    time = f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"  # noqa: PLR2004 - two minutes
    most = "at most " if left is None else ""
    return f"none, in {most}{time} at {params.rate} rows per second"

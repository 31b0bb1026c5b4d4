"""Access drills, held by hand or when the catalog says so, each with its score on record.

An occurrence is claimed in the database, so that several replicas hold it once. One whose holder
died is held again: it only reads. `bot.access.drills` says how they stand.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import takewhile

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlmodel import col, func, select

from bot.access import Prober
from bot.access.bag_drills import BagStanding, bag_standing
from bot.access.drills import DrillStanding, standings
from bot.access.graph import graph_of, named
from bot.access.tables import DrillHeld
from bot.catalog import AccessDrill
from bot.catalog.schedule import occurrences
from bot.runbooks.drill import KIND, Drill, drill
from bot.runbooks.library import Library
from bot.runbooks.whatif import WhatIf
from bot.store import Store, now
from bot.timeline import Ledger

LEASE = timedelta(minutes=30)  # a probe ends after 15 s, and a few are made at the same time
LATE = timedelta(days=1)  # later than that an occurrence is not held any more


class Drills:
    """``run_due`` holds what is due; ``hold`` one at once."""

    def __init__(self, store: Store, ledger: Ledger, prober: Prober, library: Library) -> None:
        self.store = store
        self.ledger = ledger
        self.prober = prober
        self.library = library

    async def standings(self) -> Sequence[DrillStanding]:
        """How each drill of the catalog stands."""
        async with self.store.read() as session:
            return await standings(session, self.library.catalog, now())

    async def bag(self) -> BagStanding | None:
        """How the go-bags stand, and the last drill of one; None while none was packed."""
        async with self.store.read() as session:
            return await bag_standing(session)

    def asked(self, words: str) -> tuple[str, list[str]]:
        """What is meant by a drill's name, or by ``dns:corp, slack``: its name or '', and the nodes.

        Raises `BadInput` for what is neither.
        """
        catalog = self.library.catalog
        entry = catalog.drill(words.strip())
        nodes = ",".join(entry.down) if entry else words
        return entry.name if entry else "", named(graph_of(catalog), nodes)

    async def hold(self, words: str, actor: str) -> Drill:
        """Holds the drill that is meant now, and puts it on record. Raises `BadInput`."""
        name, down = self.asked(words)
        at = now()
        if name:
            await self._claim(name, at, at)
        return await self._held(name, down, at, at, actor)

    async def run_due(self) -> None:
        """Holds what is due and nobody else holds."""
        for entry in self.library.catalog.drills:
            began = now()
            due = await self._due(entry, began)
            if due is not None and await self._claim(entry.name, due, began):
                _, down = self.asked(entry.name)
                await self._held(entry.name, down, due, began, "jackline")

    async def _held(
        self, name: str, down: Sequence[str], due: datetime, began: datetime, actor: str
    ) -> Drill:
        """Tries every way, then writes the end of the row of its own, if it has one, and the record."""
        library = self.library
        question = WhatIf(library.runbooks, library.catalog, library.registry)
        done = await drill(question, self.prober, list(library.runbooks.values()), down)
        result = done.as_dict()
        title = f"Access drill {name} with" if name else "Access drill with"
        text = f"{title} {', '.join(down)} down: {done.score:.0%} of the runbooks run"
        end = (
            update(DrillHeld)
            .where(col(DrillHeld.name) == name, col(DrillHeld.due_at) == due)
            .where(col(DrillHeld.began) == began, col(DrillHeld.ended).is_(None))
            .values(ended=now(), score=done.score, result=result)
        )
        data = {**result, "name": name, "due_at": due.isoformat()} if name else result
        async with self.store.write() as session:
            ended = await session.execute(end) if name else None
            if ended is None or ended.rowcount:  # type: ignore[attr-defined]  # a CursorResult
                await self.ledger.append(session, 0, KIND, actor, text, data=data)
        return done

    async def _due(self, entry: AccessDrill, at: datetime) -> datetime | None:
        """The occurrence to hold: one that was left unfinished, or the newest since the last one."""
        mine = col(DrillHeld.name) == entry.name
        left = select(DrillHeld.due_at).where(
            mine, col(DrillHeld.ended).is_(None), col(DrillHeld.began) < at - LEASE,
            col(DrillHeld.due_at) > at - LATE,
        )  # fmt: skip
        async with self.store.read() as session:
            last = (await session.execute(select(func.max(DrillHeld.due_at)).where(mine))).scalar()
            unfinished = (await session.execute(left.limit(1))).scalar()
        if unfinished is not None:
            return unfinished
        if last is None:
            await self._claim(entry.name, at, at, ended=at)
            return None
        coming = occurrences(entry.schedule, entry.timezone, max(last, at - LATE))
        return max(takewhile(lambda each: each <= at, coming), default=None)

    async def _claim(
        self, name: str, due: datetime, began: datetime, *, ended: datetime | None = None
    ) -> bool:
        """Whether it is ours: nobody has it, or who had it did not end it in time."""
        insert = sqlite_insert if self.store.is_sqlite else postgresql_insert
        row = {
            "name": name, "due_at": due, "began": began, "ended": ended, "score": None,
            "result": {},
        }  # fmt: skip
        take = (
            update(DrillHeld)
            .where(col(DrillHeld.name) == name, col(DrillHeld.due_at) == due)
            .where(col(DrillHeld.began) < began - LEASE, col(DrillHeld.ended).is_(None))
            .values(began=began)
        )
        async with self.store.write(silent=True) as session:
            for statement in (insert(DrillHeld).values(row).on_conflict_do_nothing(), take):
                taken = await session.execute(statement)
                if taken.rowcount:  # type: ignore[attr-defined]  # a CursorResult
                    return True
        return False

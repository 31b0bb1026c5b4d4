"""Drafts a postmortem once an incident has ended: exactly one, whatever crashes when."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import exists
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from bot.catalog import Catalog
from bot.contract import Graph
from bot.errors import NotFound
from bot.incidents import Incident
from bot.log import get
from bot.postmortems.around import around
from bot.postmortems.case import Around, Facts
from bot.postmortems.draft import draft
from bot.postmortems.files import keep_drawn, paths, read_pictures, write_whole
from bot.postmortems.render import html, markdown
from bot.postmortems.tables import Postmortem
from bot.postmortems.templating import Templates
from bot.store import Store
from bot.timeline import Entry, Ledger, rows_of

_ENDED = ("resolved", "closed")
_BEFORE = timedelta(minutes=15)  # of what was measured: how it was when nothing was wrong
Measured = Callable[[Sequence[str], datetime], Awaitable[Sequence[Graph]]]
log = get("postmortems")


class Postmortems:
    """Draws, keeps and hands out the drafts."""

    def __init__(
        self,
        store: Store,
        ledger: Ledger,
        catalog_getter: Callable[[], Catalog],
        data_dir: Path,
        measured: Measured | None = None,
        templates: Path | None = None,
    ) -> None:
        self.store = store
        self.ledger = ledger
        self.catalog = catalog_getter
        self.data_dir = data_dir
        self.measured = measured or _nothing
        self.templates = Templates(templates)

    async def draft_next(self) -> bool:
        """Drafts one ended incident that has no postmortem; whether there was one.

        Drawing happens outside the transaction, so that no writer waits for it. Files come
        before the commit: a crash in between leaves files that the next attempt replaces.
        """
        async with self.store.read() as session:
            incident = await self._waiting(session)
            rows = await rows_of(session, incident.number) if incident else []
            about = await around(session, incident) if incident else Around()
            session.expunge_all()  # the end of a read would empty them
        if incident is None:
            return False
        since = incident.declared_at - _BEFORE
        about = replace(about, graphs=tuple(await self.measured(incident.services, since)))
        made = await asyncio.to_thread(self._draw, _facts(incident), rows, about)
        async with self.store.write() as session:
            stored = await self._store(session, made)
        if stored:
            log.info("postmortem_drafted", incident_id=made.incident_id, rows=made.drawn_from)
        return True

    async def get(self, session: AsyncSession, incident_id: int) -> Postmortem:
        """An incident's postmortem. Raises `NotFound`."""
        found = await session.get(Postmortem, incident_id)
        if found is None:
            raise NotFound(
                f"There is no postmortem of incident {incident_id}.",
                hint="One is drafted shortly after an incident is resolved.",
            )
        return found

    async def write_files(self, incident_id: int) -> None:
        """Writes the files again that are missing, from the database. Raises `NotFound`."""
        async with self.store.read() as session:
            found = await self.get(session, incident_id)
            session.expunge_all()
        await asyncio.to_thread(self._write, found, only_missing=True)

    async def _waiting(self, session: AsyncSession) -> Incident | None:
        drafted = exists().where(col(Postmortem.incident_id) == col(Incident.id))
        query = select(Incident).where(col(Incident.status).in_(_ENDED), ~drafted)
        query = query.order_by(col(Incident.id)).limit(1)
        return (await session.execute(query)).scalar_one_or_none()

    def _draw(self, facts: Facts, rows: list[Entry], about: Around) -> Postmortem:
        names = [row.data.get("file") for row in rows if row.kind == "evidence_attached"]
        pictures = read_pictures(self.data_dir / "evidence", names)
        made = draft(facts, rows, self.catalog(), pictures, about)
        pictures |= keep_drawn(self.data_dir / "evidence", made.plots)
        return Postmortem(
            incident_id=facts.id,
            markdown=markdown(made, self.templates),
            html=html(made, pictures, self.templates),
            drawn_from=made.drawn_from,
        )

    async def _store(self, session: AsyncSession, made: Postmortem) -> bool:
        """Stores the draft unless another replica did, or the incident was reopened meanwhile.

        The lock on the incident is what replicas queue at; the look for a postmortem comes
        after it, in a statement of its own, and so sees what the one before committed.
        """
        number = made.incident_id
        lock = select(Incident.status).where(Incident.id == number).with_for_update()
        status = (await session.execute(lock)).scalar_one()
        earlier = await session.get(Postmortem, number)
        if earlier is not None or status not in _ENDED:
            return False
        session.add(made)
        await self.ledger.append(
            session, number, "postmortem_drafted", "jackline",
            f"Postmortem drafted from {made.drawn_from} rows", data={"drawn_from": made.drawn_from},
        )  # fmt: skip
        await asyncio.to_thread(self._write, made)
        return True

    def _write(self, made: Postmortem, *, only_missing: bool = False) -> None:
        contents = (made.markdown, made.html)
        for path, content in zip(paths(self.data_dir, made.incident_id), contents, strict=True):
            if not (only_missing and path.exists()):
                write_whole(path, content)


async def _nothing(_: Sequence[str], __: datetime) -> Sequence[Graph]:
    """Where nobody measures."""
    return ()


def _facts(incident: Incident) -> Facts:
    return Facts(
        id=incident.number,
        title=incident.title,
        severity=incident.severity,
        status=incident.status,
        services=tuple(incident.services),
        drill=incident.drill,
        declared_at=incident.declared_at,
        resolved_at=incident.resolved_at,
        declared_by=incident.declared_by,
    )

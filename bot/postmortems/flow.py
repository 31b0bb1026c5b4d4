"""Drafts a postmortem once an incident has ended: exactly one, whatever crashes when.

Drawn anew when a person asks, it keeps what people wrote.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import exists, or_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from bot.catalog import Catalog
from bot.contract import Graph
from bot.delivery import Outbox
from bot.errors import NotFound
from bot.incidents import Incident
from bot.log import get
from bot.postmortems.around import around
from bot.postmortems.case import Around, Facts
from bot.postmortems.draft import draft
from bot.postmortems.editing.front import compose, title_of
from bot.postmortems.editing.papers import redrawn, standing_of
from bot.postmortems.editing.sections import Document, split
from bot.postmortems.editing.states import DRAFT, FINAL, Standing
from bot.postmortems.editing.versions import document_of, latest, put
from bot.postmortems.files import keep_drawn, paths, read_pictures, write_whole
from bot.postmortems.front import cut
from bot.postmortems.page import Draft
from bot.postmortems.render import markdown, page_of
from bot.postmortems.tables import Postmortem
from bot.postmortems.templating import FOLDER, Templates
from bot.store import Store
from bot.timeline import Entry, Ledger, rows_of

_ENDED = ("resolved", "closed")
_BEFORE = timedelta(minutes=15)  # of what was measured: how it was when nothing was wrong
_OURS = "postmortem_"  # rows about the paper itself, which it does not tell of
_KEPT = 8
_PICTURE = re.compile(r"\]\(" + re.escape(FOLDER) + r"([^()\s]+)\)")
Measured = Callable[[Sequence[str], datetime], Awaitable[Sequence[Graph]]]
log = get("postmortems")


@dataclass(frozen=True)
class _Drawn:
    """A draft as a paper that nobody has worked on, and as the document that versions keep."""

    paper: Postmortem
    document: Document


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
        outbox: Outbox | None = None,
    ) -> None:
        self.store = store
        self.outbox = outbox
        self.ledger = ledger
        self.catalog = catalog_getter
        self.data_dir = data_dir
        self.measured = measured or _nothing
        self.templates = Templates(templates)
        self._drawn: dict[int, tuple[str, str]] = {}  # pages as they were asked for last
        self._failed: set[int] = set()  # incidents that could not be drafted: the others come first

    async def draft_next(self) -> bool:
        """Drafts one ended incident that has no postmortem or whose is wanted anew; whether there was one.

        Drawing happens outside the transaction, so that no writer waits for it. Files come
        before the commit: a crash in between leaves files that the next attempt replaces.
        """
        async with self.store.read() as session:
            incident = await self._waiting(session)
            session.expunge_all()  # the end of a read would empty it
        if incident is None:
            return False
        self._failed.add(incident.number)
        await self._draft(incident)
        self._failed.discard(incident.number)
        return True

    async def _draft(self, incident: Incident) -> None:
        async with self.store.read() as session:
            rows = await rows_of(session, incident.number)
            about = await around(session, incident, self.catalog)
            session.expunge_all()
        rows = [row for row in rows if not row.kind.startswith(_OURS)]
        since = incident.declared_at - _BEFORE
        about = replace(about, graphs=tuple(await self.measured(incident.services, since)))
        made = await asyncio.to_thread(self._draw, _facts(incident), rows, about)
        async with self.store.write() as session:
            stored = await self._store(session, made)
        if stored:
            paper = made.paper
            log.info("postmortem_drafted", incident_id=paper.incident_id, rows=paper.drawn_from)

    async def get(self, session: AsyncSession, incident_id: int) -> Postmortem:
        """An incident's postmortem as it stands, with its page. Raises `NotFound`."""
        found = await self.find(session, incident_id)
        if found is None:
            raise NotFound(
                f"There is no postmortem of incident {incident_id}.",
                hint="One is drafted shortly after an incident is resolved.",
            )
        return found

    async def find(self, session: AsyncSession, incident_id: int) -> Postmortem | None:
        """The same; None where there is none. A page that is not drawn yet is drawn, and known here."""
        found = await session.get(Postmortem, incident_id)
        if found is None or found.html:
            return found
        known = self._drawn.get(incident_id)
        if known is None or known[0] != found.markdown:
            page = await asyncio.to_thread(self._page_anew, found)
            known = self._drawn[incident_id] = (found.markdown, page)
            while len(self._drawn) > _KEPT:
                del self._drawn[next(iter(self._drawn))]
        found.html = known[1]
        return found

    async def write_files(self, incident_id: int) -> None:
        """Writes the files again that are missing, from the database. Raises `NotFound`."""
        async with self.store.read() as session:
            found = await self.get(session, incident_id)
            session.expunge_all()
        await asyncio.to_thread(self._write, found, only_missing=True)

    async def _waiting(self, session: AsyncSession) -> Incident | None:
        of = col(Postmortem.incident_id) == col(Incident.id)
        wanted = exists().where(of, col(Postmortem.redraw_by) != "", col(Postmortem.state) != FINAL)
        query = select(Incident).where(col(Incident.status).in_(_ENDED))
        last = [col(Incident.id).in_(self._failed)] if self._failed else []
        query = (
            query.where(or_(~exists().where(of), wanted)).order_by(*last, col(Incident.id)).limit(1)
        )
        return (await session.execute(query)).scalar_one_or_none()

    def _draw(self, facts: Facts, rows: list[Entry], about: Around) -> "_Drawn":
        """The draft, and the paper that it is where nobody has worked on one."""
        names = [row.data.get("file") for row in rows if row.kind == "evidence_attached"]
        pictures = read_pictures(self.data_dir / "evidence", names)
        made = draft(facts, rows, self.catalog(), pictures, about)
        pictures |= keep_drawn(self.data_dir / "evidence", made.plots)
        document = split(markdown(made, self.templates))
        composed = compose(document, Standing(DRAFT, version=1), self._name)
        paper = Postmortem(
            incident_id=facts.id, markdown=composed, html="", drawn_from=made.drawn_from
        )
        paper.html = self._page(paper, pictures)
        return _Drawn(paper, document)

    def _page(self, paper: Postmortem, pictures: dict[str, bytes]) -> str:
        named = Draft(paper.incident_id, title_of(paper.markdown), {}, (), paper.drawn_from)
        return page_of(named, cut(paper.markdown)[1], pictures)

    def _page_anew(self, paper: Postmortem) -> str:
        """With the pictures that it names."""
        names = _PICTURE.findall(paper.markdown)
        return self._page(paper, read_pictures(self.data_dir / "evidence", names))

    async def _store(self, session: AsyncSession, made: "_Drawn") -> bool:
        """Stores the draft unless another replica did, or the incident was reopened meanwhile.

        The lock on the incident is what replicas queue at; the look for a postmortem comes
        after it, in a statement of its own, and so sees what the one before committed.
        """
        paper = made.paper
        number = paper.incident_id
        lock = select(Incident.status).where(Incident.id == number).with_for_update()
        status = (await session.execute(lock)).scalar_one()
        earlier = await session.get(Postmortem, number, populate_existing=True)
        if status not in _ENDED:
            return False
        if earlier is not None:
            return await self._renew(session, earlier, made)
        session.add(paper)
        text = f"Postmortem drafted from {paper.drawn_from} rows"
        await put(session, paper, made.document, kind="drawn", by="jackline", what=text,
                  drawn=made.document)  # fmt: skip
        data = {"drawn_from": paper.drawn_from}
        await self.ledger.append(session, number, "postmortem_drafted", "jackline", text, data=data)
        await asyncio.to_thread(self._write, paper)
        return True

    async def _renew(self, session: AsyncSession, paper: Postmortem, made: "_Drawn") -> bool:
        """Draws it anew into what people wrote; nobody loses a word."""
        if not paper.redraw_by or paper.state == FINAL:
            return False
        asked, paper.redraw_by = paper.redraw_by, ""
        clashes = await redrawn(session, paper, made.document, made.paper.drawn_from)
        document = await document_of(session, await latest(session, paper))
        standing = await standing_of(session, paper)
        paper.markdown, paper.html = compose(document, standing, self._name), ""
        found = f"; sections with two texts, to be settled: {len(clashes)}" if clashes else ""
        text = f"Postmortem drawn anew from {paper.drawn_from} rows{found}"
        data = {"version": paper.version, "asked_by": asked, "conflicts": sorted(clashes)}
        number = paper.incident_id
        await self.ledger.append(session, number, "postmortem_redrawn", "jackline", text, data=data)
        if self.outbox is not None:
            key = f"postmortem-{paper.version}"
            await self.outbox.say(session, number, key, "line", {"text": text})
        return True

    def _name(self, person_id: str) -> str:
        person = self.catalog().person(person_id)
        return person.name if person else person_id

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

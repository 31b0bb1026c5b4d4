"""One resolved incident with its draft, and what people do to it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.catalog import Catalog, Person
from bot.delivery import Outbox
from bot.incidents import Incidents
from bot.postmortems import Postmortem, Postmortems
from bot.postmortems.editing.papers import Papers, Saved, clashes_of
from bot.postmortems.editing.reviews import Reviews
from bot.postmortems.editing.sections import Document
from bot.postmortems.editing.tables import Version
from bot.postmortems.editing.versions import digest_of, document_of, history, numbered
from bot.store import Store
from bot.timeline import Entry, Ledger, rows_of

ANA = Person(id="ana", name="Ana Souza", roles=["responder"])
BEN = Person(id="ben", name="Ben Ito", roles=["responder"])
VERA = Person(id="vera", name="Vera", roles=[])
CARL = Person(id="carl", name="Carl Berg", roles=["commander"])
KNOWN = Catalog(people=[ANA, BEN, VERA, CARL])


@dataclass
class Room:
    """One resolved incident with its draft, and what people do to it."""

    store: Store
    drafts: Postmortems
    papers: Papers

    async def save(self, key: str, text: str, by: Person = ANA, seen: str = "") -> Saved:
        seen = seen or digest_of((await self.document()).part(key).body)  # type: ignore[union-attr]
        async with self.store.write() as session:
            incident = await self.papers.incidents.get(session, 1)
            return await self.papers.save(session, incident, key, text, seen, by)

    async def do(self, what: str, *args: Any, by: Person = ANA, **more: Any) -> Any:
        async with self.store.write() as session:
            incident = await self.papers.incidents.get(session, 1)
            return await getattr(self.papers, what)(session, incident, *args, by, **more)

    async def note(self, text: str) -> None:
        async with self.store.write() as session:
            incident = await self.papers.incidents.get(session, 1)
            await self.papers.incidents.note(session, incident, text, "person:ana", key=text)

    async def document(self, number: int = 0) -> Document:
        async with self.store.read() as session:
            paper = await session.get_one(Postmortem, 1)
            version = await numbered(session, 1, number or paper.version)
            return await document_of(session, version)

    async def body(self, key: str) -> str:
        part = (await self.document()).part(key)
        assert part is not None
        return part.body

    async def paper(self) -> Postmortem:
        async with self.store.read() as session:
            return await self.drafts.get(session, 1)

    async def versions(self) -> list[Version]:
        async with self.store.read() as session:
            return await history(session, 1)

    async def rows(self, kind: str) -> list[Entry]:
        async with self.store.read() as session:
            return [row for row in await rows_of(session, 1) if row.kind.startswith(kind)]

    async def clashes(self) -> list[tuple[str, str, str]]:
        async with self.store.read() as session:
            return [(c.section, c.text, c.by) for c in await clashes_of(session, 1)]

    async def review(self, what: str, *args: Any, by: Person = ANA, **more: Any) -> Any:
        async with self.store.write() as session:
            reviews = Reviews(self.papers)
            incident = await self.papers.incidents.get(session, 1)
            return await getattr(reviews, what)(session, incident, *args, by, **more)


async def papers_room(store: Store, folder: Path) -> Room:
    """The alarm, a note about its cause, the end, and the draft."""
    incidents = Incidents(Ledger(b"key"), Outbox(()), lambda: KNOWN)
    drafts = Postmortems(store, incidents.ledger, lambda: KNOWN, folder, outbox=incidents.outbox)
    async with store.write() as session:
        made = await incidents.declare(
            session, title="Dark", severity="sev1", actor="person:ana", origin="a"
        )
        await incidents.note(session, made, "cause: the certificate", "person:ana", key="n")
        await incidents.set_status(session, made, "resolved", "person:ana")
    assert await drafts.draft_next()
    return Room(store, drafts, Papers(incidents))

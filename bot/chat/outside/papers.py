"""Publishes a finished postmortem where the catalog says: a repository, a wiki.

Only what is final, only through the gate. A place finds what it has by the paper's own name, so after a
crash or a lost answer publishing again is right; the record has one row for each thing that was published.
"""

import hashlib
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from bot.access import Dialer
from bot.catalog.papers import PaperPlace
from bot.chat.outside.paths import asking, first
from bot.contract import Published
from bot.errors import Conflict, NotFound, Rejected
from bot.incidents import Incident, Incidents
from bot.incidents.seeing import unknown
from bot.located import near
from bot.postmortems.exports import Exports
from bot.registry import Registry
from bot.store import Store
from bot.timeline import rows_of

LIMIT = 60.0  # seconds over all paths
KIND = "postmortem_published"


@dataclass(frozen=True)
class PaperPlaces:
    """All places of the catalog."""

    store: Store
    incidents: Incidents
    registry: Registry
    dialer: Dialer
    exports: Exports

    async def publish(self, number: int, place_id: str, actor: str) -> Published:
        """Puts it there. Raises `NotFound`, `Conflict` for what must not leave, and `TargetError`."""
        place = self._place(place_id)
        async with self.store.read() as session:
            await self._require(session, number)
            paper = await self.exports.published(session, number)
        keeper = self.registry.papers.get(place.integration)
        if keeper is None:
            raise Rejected(f"The integration {place.integration!r} keeps no papers.")
        async with asking(place.id, place.integration, LIMIT):
            done, _ = await first(
                self.dialer, place.target, lambda there: keeper.put_paper(paper, there)
            )
        digest = hashlib.sha256(paper.markdown.encode()).hexdigest()
        await self._record(number, place, done, digest, actor)
        return done

    async def _require(self, session: AsyncSession, number: int) -> None:
        incident = await session.get(Incident, number)
        if incident is None:
            raise unknown(number)
        if incident.private:
            raise Conflict("A private incident's postmortem is not published.")

    async def _record(
        self, number: int, place: PaperPlace, done: Published, digest: str, actor: str
    ) -> None:
        """Once for each version at each place."""
        data = {"place": place.id, "reference": done.reference, "digest": digest}
        async with self.store.write() as session:
            await self.incidents.get(session, number)
            rows = [r.data for r in await rows_of(session, number) if r.kind == KIND]
            last = next((d for d in reversed(rows) if d.get("place") == place.id), None)
            if last == data:
                return
            text = f"The postmortem is published: {place.name}"
            await self.incidents.ledger.append(
                session, number, KIND, actor, text, data=data, link=done.url
            )
            said = f"{text} {done.url}".strip()
            await self.incidents.outbox.say(
                session, number, f"paper-{place.id}-{len(rows)}", "line", {"text": said}, author=actor
            )  # fmt: skip

    def _place(self, place_id: str) -> PaperPlace:
        places = self.incidents.catalog().paper_places
        found = next((place for place in places if place.id == place_id), None)
        if found is None:
            known = [place.id for place in places]
            raise NotFound(
                f"There is no place for papers {place_id[:64]!r}{near(place_id, known) or '.'}",
                hint=f"Known: {', '.join(known) or 'none; write one in the catalog (paper_places)'}.",
            )
        return found

"""Where a final postmortem is published: what is asked for is stored, and done by the outbox.

One row for each place: what stands there, and what became of the last time it was asked for. The
incident is locked by whoever calls; ``by`` is the person who asks.
"""

from dataclasses import dataclass

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from bot.catalog import Catalog, Person
from bot.catalog.papers import PaperPlace
from bot.delivery import Delivery
from bot.errors import BadInput, Conflict, NotAllowed, NotFound
from bot.incidents import Incident, Incidents
from bot.located import near
from bot.postmortems.editing.papers import Papers
from bot.postmortems.editing.states import require_final
from bot.postmortems.editing.tables import PaperCopy
from bot.postmortems.tables import Postmortem
from bot.store import now

PAPERS = "papers"  # the surface's name


@dataclass(frozen=True)
class Spot:
    """A place and what it has: ``copy`` is None until it is asked for there.

    ``open`` is whether it can be asked for: the catalog has it, and it is not on its way or late.
    """

    id: str
    name: str
    open: bool
    copy: PaperCopy | None


class Publishing:
    """The verb, in the transaction of who asks."""

    def __init__(self, papers: Papers) -> None:
        self.papers = papers
        self.incidents = papers.incidents

    async def ask(
        self, session: AsyncSession, incident: Incident, place_id: str, by: Person
    ) -> PaperCopy:
        """Has it published there, or brought up to date; what is on its way stays, and is tried at once.

        Without a ``place_id`` at the only place. Raises `NotAllowed`, `NotFound`, `BadInput`,
        `Conflict`.
        """
        may_publish(by)
        place = place_of(self.incidents.catalog(), place_id)
        paper = await self.papers.paper(session, incident.number)
        require_public(incident)
        require_final(paper.incident_id, paper.state)
        copy = await session.get(PaperCopy, (incident.number, place.id))
        if copy is not None and copy.state == "pending" and not copy.error:
            return copy
        await _send(
            session, incident.number, place.id, waits=bool(copy and copy.state == "pending")
        )
        if copy is None:
            copy = PaperCopy(incident_id=incident.number, place=place.id, asked_by=by.id)
            session.add(copy)
        copy.state, copy.error, copy.asked_by, copy.asked_at = "pending", "", by.id, now()
        await self.incidents.ledger.append(
            session, incident.number, "postmortem_publish_asked", f"person:{by.id}",
            f"The postmortem is to be published: {place.name}",
            data={"place": place.id, "version": paper.version},
        )  # fmt: skip
        await show_places(session, self.incidents, paper)
        return copy


async def _send(session: AsyncSession, number: int, place: str, *, waits: bool) -> None:
    lane = f"{number}:{place}"
    if not waits:
        payload = {"place": place}
        session.add(Delivery(surface=PAPERS, lane=lane, op="paper", incident_id=number, payload=payload))  # fmt: skip
        return
    mine = (col(Delivery.surface) == PAPERS, col(Delivery.lane) == lane, col(Delivery.state) == "pending")  # fmt: skip
    await session.execute(update(Delivery).where(*mine).values(next_at=now()))


async def show_places(session: AsyncSession, incidents: Incidents, paper: Postmortem) -> None:
    """The final one's card in the channel, posted or drawn anew; where there is no place, none."""
    if incidents.catalog().paper_places:
        key = f"paper-{paper.version}"
        await incidents.outbox.say(session, paper.incident_id, key, "paper")


async def spots_of(session: AsyncSession, catalog: Catalog, incident: Incident) -> list[Spot]:
    """The catalog's places in its order, then those that it has no more; none for a private incident."""
    if incident.private:
        return []
    query = select(PaperCopy).where(PaperCopy.incident_id == incident.number)
    copies = {copy.place: copy for copy in (await session.execute(query)).scalars()}
    found = []
    for place in catalog.paper_places:
        copy = copies.pop(place.id, None)
        going = copy is not None and copy.state == "pending" and not copy.error
        found.append(Spot(place.id, place.name, not going, copy))
    return found + [Spot(place, place, open=False, copy=copies[place]) for place in sorted(copies)]


def place_of(catalog: Catalog, place_id: str) -> PaperPlace:
    """By its id, or the only one there is. Raises `NotFound`, `BadInput`."""
    places = catalog.paper_places
    known = ", ".join(place.id for place in places)
    if not place_id and len(places) == 1:
        return places[0]
    if not place_id and places:
        raise BadInput(f"Say where: {known}.", hint=f"For example: publish {places[0].id}")
    found = next((place for place in places if place.id == place_id), None)
    if found is None:
        guess = near(place_id, [place.id for place in places]) or "."
        raise NotFound(
            f"There is no place for papers {place_id[:64]!r}{guess}",
            hint=f"Known: {known or 'none; write one in the catalog (paper_places)'}.",
        )
    return found


def may_publish(person: Person) -> None:
    """Commanders. Raises `NotAllowed`."""
    if not person.has("commander"):
        raise NotAllowed("Publishing a postmortem needs the role 'commander'.")


def require_public(incident: Incident) -> None:
    """Raises `Conflict` for what is for few."""
    if incident.private:
        raise Conflict("A private incident's postmortem is not published.")

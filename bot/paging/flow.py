"""The verbs of a page, in the transaction of who calls: open, acknowledge, end.

Each change, its timeline row and what is said about it are one commit, under the incident's lock.
"""

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from bot.catalog import Catalog, Person
from bot.errors import BadInput, Conflict, NotFound
from bot.incidents import ACTIVE, Incident, Incidents
from bot.paging.links import hashed
from bot.paging.overrides import Overrides, may_page
from bot.paging.rules import Wanted, stored, wanted
from bot.paging.tables import Page, PageLink
from bot.store import now

WAITS = ("open", "unanswered")  # for somebody to acknowledge it
_WHY = 300  # characters


class Paging:
    """``actor`` is ``jackline``, ``person:<id>`` or ``source:<id>``."""

    def __init__(self, incidents: Incidents) -> None:
        self.incidents = incidents
        self.overrides = Overrides(incidents.ledger, incidents.catalog)

    @property
    def catalog(self) -> Catalog:
        """As it is now."""
        return self.incidents.catalog()

    async def call(
        self, session: AsyncSession, incident: Incident, whom: str, why: str, by: Person, key: str
    ) -> list[Page]:
        """Pages by hand; ``key`` makes the same call delivered twice one call.

        Raises `NotFound`, `NotAllowed`, `Conflict` for an incident that is over, `BadInput`.
        """
        may_page(by)
        if incident.status not in ACTIVE:
            raise Conflict(f"#{incident.number} is {incident.standing}: nobody is paged for it.")
        if len(why) > _WHY:
            raise BadInput(f"The reason has {len(why)} characters; {_WHY} is the limit.")
        found = wanted(self.catalog, whom)
        return [
            await self.open(session, incident, each, why, f"person:{by.id}", f"{key}:{each.policy}")
            for each in found
        ]

    async def open(
        self,
        session: AsyncSession,
        incident: Incident,
        whom: Wanted,
        why: str,
        actor: str,
        origin: str,
    ) -> Page:
        """The incident must be locked. The same ``origin`` again is the page it opened before."""
        found = await session.execute(select(Page).where(Page.origin == origin))
        if earlier := found.scalar_one_or_none():
            return earlier
        page = Page(incident_id=incident.number, policy=whom.policy, name=whom.name, why=why,
                    levels=stored(whom.levels), repeat=whom.repeat, origin=origin,
                    opened_by=actor)  # fmt: skip
        session.add(page)
        await session.flush()
        text = f"{whom.name} is paged" + (f": {why}" if why else "")
        await self.record(session, page, "page_opened", actor, text)
        await self.show(session, page)
        return page

    async def acknowledge(
        self, session: AsyncSession, number: int, actor: str, *, how: str = ""
    ) -> Page:
        """Somebody has it: nobody else is paged. A second time changes nothing.

        Raises `NotFound`, and `Conflict` where the incident is over.
        """
        page = await self.locked(session, number)
        if page.state not in WAITS:
            if page.state == "ended":
                raise Conflict(f"Page {number} is over, as its incident is.")
            return page
        before, page.state = page.state, "acknowledged"
        page.acknowledged_by, page.acknowledged_at = actor, now()
        text = f"The page for {page.name} is acknowledged" + (f" {how}" if how else "")
        await self.record(session, page, "page_acknowledged", actor, text)
        await self.show(session, page)
        if before == "unanswered":
            await self.incidents.outbox.digest(session, page.incident_id)
        return page

    async def acknowledge_all(
        self, session: AsyncSession, incident_id: int, actor: str, *, how: str = ""
    ) -> list[Page]:
        """Every page of an incident that waits. Raises `Conflict` where none does."""
        query = select(Page.id).where(Page.incident_id == incident_id, col(Page.state).in_(WAITS))
        waiting = (await session.execute(query.order_by(col(Page.id)))).scalars().all()
        if not waiting:
            raise Conflict(f"No page of #{incident_id} waits to be acknowledged.")
        return [
            await self.acknowledge(session, number, actor, how=how)
            for number in waiting
            if number is not None
        ]

    async def acknowledge_by_link(self, session: AsyncSession, given: str) -> Page:
        """Whoever has the link is the one it was sent to; it works once.

        Raises `NotFound` for a link that is none of ours, and what `acknowledge` raises.
        """
        link = await self.link(session, given)
        page = await self.locked(session, link.page_id)
        if link.used_at is None:
            page = await self.acknowledge(
                session, link.page_id, f"person:{link.person}", how="by the link of the message"
            )
            link.used_at = now()
        return page

    async def link(self, session: AsyncSession, given: str) -> PageLink:
        """The link of a token. Raises `NotFound`, also where the person has left the catalog."""
        link = await session.get(PageLink, hashed(given))
        if link is None or self.catalog.person(link.person) is None:
            raise NotFound("This link leads to no page.", hint="Open the console instead.")
        return link

    async def may_acknowledge(self, session: AsyncSession, page: int, person: Person) -> None:
        """Responders may, and who was paged. Raises `NotAllowed`."""
        query = select(PageLink.page_id).where(
            PageLink.page_id == page, PageLink.person == person.id
        )
        if (await session.execute(query.limit(1))).first() is None:
            may_page(person)

    async def end(self, session: AsyncSession, page: Page) -> None:
        """The incident is over: nobody is paged any more. Both must be locked."""
        before, page.state = page.state, "ended"
        page.ended_at = now()
        asked = " before anybody acknowledged it" if before in WAITS else ""
        text = f"The page for {page.name} has ended with the incident{asked}"
        await self.record(session, page, "page_ended", "jackline", text)
        await self.show(session, page)

    async def locked(self, session: AsyncSession, number: int) -> Page:
        """The page, once its incident is locked. Raises `NotFound`."""
        query = select(Page.incident_id).where(Page.id == number)
        incident = (await session.execute(query)).scalar_one_or_none()
        if incident is None:
            raise NotFound(f"There is no page {number}.")
        await self.incidents.get(session, incident)
        return await session.get_one(Page, number, populate_existing=True)

    async def show(self, session: AsyncSession, page: Page) -> None:
        """Has its message posted, or edited in place."""
        await self.incidents.outbox.say(
            session, page.incident_id, f"page-{page.number}", "page", {"page": page.number}
        )

    async def record(
        self, session: AsyncSession, page: Page, kind: str, actor: str, text: str, **data: object
    ) -> None:
        """A row of the incident's timeline about the page."""
        await self.incidents.ledger.append(
            session, page.incident_id, kind, actor, text, data={"page": page.number, **data}
        )

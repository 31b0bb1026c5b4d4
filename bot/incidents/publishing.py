"""What customers are told on status pages: previewed by a person, stored, then sent by the outbox.

`preview` says what would stand there and changes nothing; `publish` takes what was previewed, word
for word. The page is told in order; what it says back is kept beside what was sent.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, get_args

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel, col, select

from bot.catalog import Catalog, Person
from bot.catalog.status import StatusPage
from bot.contract import StatusUpdate
from bot.contract.status import Health, PageStatus
from bot.delivery import Delivery
from bot.errors import BadInput, Conflict, NotAllowed, NotFound
from bot.incidents.family import require_unmerged
from bot.incidents.flow import Incidents
from bot.incidents.rules import check_title
from bot.incidents.tables import Incident
from bot.located import near
from bot.store import JsonColumn, Numbered, UtcDateTime, now

STATUS = "status"  # the surface's name
TEXT_LIMIT = 5000  # characters
_STATUSES: dict[str, PageStatus] = {
    "declared": "investigating", "investigating": "investigating", "mitigating": "identified",
    "monitoring": "monitoring", "resolved": "resolved", "closed": "resolved", "cancelled": "resolved",
}  # fmt: skip
_HEALTH: dict[str, Health] = {
    "sev1": "major_outage", "sev2": "partial_outage", "sev3": "degraded_performance",
    "sev4": "degraded_performance",
}  # fmt: skip


class Publication(Numbered, SQLModel, table=True):
    """One update for customers: ``pending → published``, or ``failed`` where the page refuses.

    ``reference`` is the page's own name for the incident, ``seen`` what it said when it was read last.
    """

    __tablename__ = "publication"

    id: int | None = Field(default=None, primary_key=True)
    incident_id: int = Field(index=True)
    page: str
    title: str
    text: str
    status: str
    components: dict[str, str] = Field(sa_type=JsonColumn, default_factory=dict)
    by: str
    origin: str = Field(unique=True)
    made_at: datetime = Field(sa_type=UtcDateTime, default_factory=now)
    state: str = "pending"
    reference: str = ""
    url: str = ""
    seen: str = ""
    seen_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    error: str = ""


@dataclass(frozen=True)
class Draft:
    """What would stand on a page. ``components`` are the page's own, ``services`` ours."""

    page: StatusPage
    title: str
    text: str
    status: PageStatus
    components: Mapping[str, Health]
    services: Mapping[str, Health]


class StatusPages:
    """In the transaction of who asks; the incident must be locked for `publish`."""

    def __init__(self, incidents: Incidents) -> None:
        self.incidents = incidents

    @property
    def catalog(self) -> Catalog:
        """As it is now."""
        return self.incidents.catalog()

    async def preview(
        self,
        session: AsyncSession,
        incident: Incident,
        page_id: str,
        text: str,
        *,
        title: str = "",
        status: str = "",
        health: Mapping[str, str] | None = None,
    ) -> Draft:
        """Left out: the title that stands there, the status of the incident, its services' health by
        its severity; with ``resolved`` all that was told before is operational.

        Raises `NotFound` for a page or service, `BadInput`, `Conflict` for what is not for customers.
        """
        page = self._page(page_id)
        _for_customers(incident, stands=await self.stands(session, incident.number, page.id))
        earlier = await self.told(session, incident.number, page.id)
        words = text.strip()
        if not 0 < len(words) <= TEXT_LIMIT:
            raise BadInput(f"The text for customers must have 1 to {TEXT_LIMIT} characters.")
        shown = title or (earlier[-1].title if earlier else "")
        if not shown:
            raise BadInput("Say a title for customers: the incident's own is for us.")
        now_is = _status(status or _STATUSES.get(incident.status, "investigating"))
        services = self._services(incident, page, now_is, health)
        components: dict[str, Health] = {page.components[s]: h for s, h in services.items()}
        if now_is == "resolved":
            before = sorted({name for each in earlier for name in each.components})
            components = {
                name: components.get(name, "operational") for name in [*before, *components]
            }
        return Draft(page, check_title(shown), words, now_is, components, services)

    async def publish(
        self, session: AsyncSession, incident: Incident, draft: Draft, person: Person, key: str
    ) -> Publication:
        """Stores what was previewed, and has it sent; ``key`` makes it one when delivered twice.

        Raises `NotAllowed`, and what `preview` raises where things have changed since.
        """
        may_publish(person, incident)
        found = await session.execute(select(Publication).where(Publication.origin == key))
        if earlier := found.scalar_one_or_none():
            return earlier
        page = self._page(draft.page.id)
        stands = await self.stands(session, incident.number, page.id)
        if not stands:  # what stands there is ended where it was begun, also after a merge
            require_unmerged(incident)
        _for_customers(incident, stands=stands)
        row = Publication(
            incident_id=incident.number, page=page.id, title=draft.title, text=draft.text,
            status=draft.status, components=dict(draft.components), by=person.id, origin=key,
        )  # fmt: skip
        session.add(row)
        await session.flush()
        payload = {"publication": row.number}
        session.add(Delivery(surface=STATUS, lane=f"{incident.number}:{page.id}", op="publish",
                             incident_id=incident.number, payload=payload))  # fmt: skip
        data: dict[str, Any] = {"publication": row.number, "page": page.id, "title": row.title,
                                "status": row.status, "components": row.components}  # fmt: skip
        await self.incidents.ledger.append(
            session, incident.number, "customers_informed", f"person:{person.id}",
            f"For customers, on {page.name} ({row.status}): {row.text}", data=data,
        )  # fmt: skip
        await self.incidents.outbox.say(
            session, incident.number, f"customers-{row.number}", "line",
            {"text": f"Customers are told on {page.name}, {row.status}: {row.text}"},
            author=f"person:{person.id}",
        )  # fmt: skip
        return row

    async def told(
        self, session: AsyncSession, incident_id: int, page_id: str = ""
    ) -> list[Publication]:
        """All that was published about an incident, oldest first, with how each stands."""
        query = select(Publication).where(Publication.incident_id == incident_id)
        if page_id:
            query = query.where(Publication.page == page_id)
        return list((await session.execute(query.order_by(col(Publication.id)))).scalars())

    async def stands(self, session: AsyncSession, incident_id: int, page_id: str) -> bool:
        """Whether customers read of it there, or are about to."""
        told = await self.told(session, incident_id, page_id)
        return any(each.state != "failed" for each in told)

    def _page(self, page_id: str) -> StatusPage:
        page = self.catalog.status_page(page_id)
        if page is None:
            known = [p.id for p in self.catalog.status_pages]
            raise NotFound(
                f"There is no status page {page_id[:64]!r}{near(page_id, known) or '.'}",
                hint=f"Known: {', '.join(known) or 'none; write one in the catalog'}.",
            )
        return page

    def _services(
        self,
        incident: Incident,
        page: StatusPage,
        status: PageStatus,
        health: Mapping[str, str] | None,
    ) -> dict[str, Health]:
        if health is None:
            now_is: Health = "operational" if status == "resolved" else _HEALTH[incident.severity]
            return dict.fromkeys((s for s in incident.services if s in page.components), now_is)
        for service in health:
            if service not in page.components:
                guess = near(service, page.components) or "."
                raise NotFound(f"{page.name} has no component for {service[:64]!r}{guess}")
        return {service: _health(word) for service, word in health.items()}


def may_publish(person: Person, incident: Incident) -> None:
    """Who commands, and commanders. Raises `NotAllowed`."""
    if not person.has("commander") and incident.commander != person.id:
        raise NotAllowed("Telling customers needs the role 'commander', or the incident's command.")


def update_of(row: Publication, began_at: datetime) -> StatusUpdate:
    """As an integration gets it."""
    return StatusUpdate.model_validate({
        "id": f"jackline-{row.incident_id}-{row.number}",
        "thread": f"jackline-{row.incident_id}-{int(began_at.timestamp())}",
        "title": row.title, "text": row.text, "status": row.status, "components": row.components,
        "began_at": began_at, "at": row.made_at,
    })  # fmt: skip


def _for_customers(incident: Incident, *, stands: bool) -> None:
    if incident.private:
        raise Conflict("A private incident is not published.")
    if incident.drill:
        raise Conflict("A drill is not told to customers.")
    if incident.status == "cancelled" and not stands:
        raise Conflict("The incident was cancelled: there is nothing to tell customers.")


def _status(word: str) -> PageStatus:
    found = next((each for each in get_args(PageStatus) if each == word), None)
    if found is None:
        raise BadInput(f"{word[:40]!r} is no status of a page: use {', '.join(get_args(PageStatus))}.")  # fmt: skip
    known: PageStatus = found
    return known


def _health(word: str) -> Health:
    found = next((each for each in get_args(Health) if each == word), None)
    if found is None:
        raise BadInput(f"{word[:40]!r} is no health: use {', '.join(get_args(Health))}.")
    known: Health = found
    return known

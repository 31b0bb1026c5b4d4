"""Gets updates for customers to status pages, records what came of each, and reads back what stands there.

The outcome is stored before the outbox knows of it: what a crash left unfinished is first looked for
in the record, then on the page, and only then sent again.
"""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from bot.access import Dialer
from bot.chat.outside.paths import asking, first
from bot.chat.outside.waited import require_public, said
from bot.contract import Connection, Published, StatusPage
from bot.delivery import Delivery, Job
from bot.errors import Rejected
from bot.incidents import Incident, Incidents
from bot.incidents.publishing import STATUS, Publication, update_of
from bot.registry import Registry
from bot.store import Store, now

_T = TypeVar("_T")
LIMIT = 22.0  # seconds over all paths, within the outbox's lease
READ_AFTER = timedelta(minutes=1)


class StatusSurface:
    """Implements ``bot.delivery.Surface`` for all status pages of the catalog."""

    name = STATUS

    def __init__(
        self, store: Store, incidents: Incidents, registry: Registry, dialer: Dialer
    ) -> None:
        self.store = store
        self.incidents = incidents
        self.registry = registry
        self.dialer = dialer

    async def deliver(self, job: Job) -> dict[str, Any]:
        """Publishes an update, or reads back what the page has."""
        row, incident, reference = await self._asked(job)
        if job.op == "read_page":
            await self._read(row)
            return {}
        async with self._said(row):
            require_public(incident)
            update = update_of(row, incident.declared_at)
            published = await self._page(
                row.page, lambda page, there: page.publish(update, reference, there)
            )
        await self._done(row, published)
        return {}

    async def find(self, job: Job) -> dict[str, Any] | None:
        """What became of an update that was begun before; None if it may be sent."""
        if job.op == "read_page":
            return None
        row, incident, reference = await self._asked(job)
        update = update_of(row, incident.declared_at)
        if row.state != "pending":
            return {}
        async with self._said(row):
            found = await self._page(
                row.page, lambda page, there: page.find(update, reference, there)
            )
        if found is None:
            return None
        await self._done(row, found)
        return {}

    def _said(self, row: Publication) -> AbstractAsyncContextManager[None]:
        return said(partial(self._failed, row), partial(self._late, row))

    async def _asked(self, job: Job) -> tuple[Publication, Incident, str]:
        """The update, whose it is, and the page's name for the incident if it has one by now."""
        async with self.store.read() as session:
            row = await session.get_one(Publication, job.payload["publication"])
            incident = await session.get_one(Incident, row.incident_id)
            before = (
                select(Publication.reference)
                .where(Publication.incident_id == row.incident_id, Publication.page == row.page)
                .where(Publication.state == "published")
                .order_by(col(Publication.id).desc())
            )
            reference = (await session.execute(before.limit(1))).scalar() or ""
        return row, incident, reference

    async def _page(
        self, page_id: str, ask: Callable[[StatusPage, Connection], Awaitable[_T]]
    ) -> _T:
        entry = self.incidents.catalog().status_page(page_id)
        if entry is None:
            raise Rejected(f"The catalog does not have the status page {page_id} any more.")
        page = self.registry.status_pages.get(entry.integration)
        if page is None:
            raise Rejected(f"The integration {entry.integration!r} has no status page.")
        async with asking(page_id, entry.integration, LIMIT):
            answer, _ = await first(
                self.dialer, entry.target, lambda there: ask(page, there), LIMIT
            )
            return answer

    async def _done(self, asked: Publication, published: Published) -> None:
        async with self.store.write() as session:
            row = await self._locked(session, asked)
            if row.state != "pending":
                return
            row.state, row.reference, row.url = "published", published.reference, published.url
            row.seen, row.seen_at = published.state, now()
            text = f"{row.page} has the update for customers: {published.state or row.status}"
            await self._record(session, row, "customers_update_published", text)
            session.add(Delivery(surface=STATUS, lane=f"read:{row.number}", op="read_page",
                                 incident_id=row.incident_id, next_at=now() + READ_AFTER,
                                 payload={"publication": row.number}))  # fmt: skip

    async def _failed(self, asked: Publication, reason: str) -> None:
        """Said where people see it: customers were not told."""
        async with self.store.write() as session:
            row = await self._locked(session, asked)
            if row.state != "pending":
                return
            row.state, row.error = "failed", reason[:500]
            text = f"{row.page} refused the update for customers: {reason}"
            await self._warn(session, row, "customers_update_failed", text, key="failed")

    async def _late(self, asked: Publication, reason: str) -> None:
        """Said once: it is tried on, and people may want another way meanwhile."""
        if asked.error:
            return
        async with self.store.write() as session:
            row = await self._locked(session, asked)
            if row.state != "pending" or row.error:
                return
            row.error = reason[:500]
            text = (
                f"{row.page} has not taken the update for customers yet, and is tried on: {reason}"
            )
            await self._warn(session, row, "customers_update_late", text, key="late")

    async def _read(self, asked: Publication) -> None:
        """What stands there now; it is said where that is not what was published last."""
        found = await self._page(asked.page, lambda page, there: page.read(asked.reference, there))
        state = found.state if found else "nothing"
        async with self.store.write() as session:
            row = await self._locked(session, asked)
            row.seen, row.seen_at = state, now()
            newer = select(Publication.id).where(
                Publication.incident_id == row.incident_id, Publication.page == row.page,
                col(Publication.id) > row.number,
            )  # fmt: skip
            if state == row.status or (await session.execute(newer.limit(1))).first():
                return
            text = f"{row.page} shows {state} for this incident; published was {row.status}"
            await self._warn(session, row, "status_page_differed", text, key="read")

    async def _locked(self, session: AsyncSession, asked: Publication) -> Publication:
        await self.incidents.get(session, asked.incident_id)
        return await session.get_one(Publication, asked.number, populate_existing=True)

    async def _warn(
        self, session: AsyncSession, row: Publication, kind: str, text: str, *, key: str
    ) -> None:
        """On the record, and said in the channel once."""
        await self._record(session, row, kind, text)
        await self.incidents.outbox.say(
            session, row.incident_id, f"customers-{key}-{row.number}", "line",
            {"text": f"⚠️ {text}"},
        )  # fmt: skip

    async def _record(self, session: AsyncSession, row: Publication, kind: str, text: str) -> None:
        data = {"publication": row.number, "page": row.page, "reference": row.reference}
        await self.incidents.ledger.append(
            session, row.incident_id, kind, "jackline", text, data=data, link=row.url
        )

"""Gets action items to trackers, records what came of each, and follows the tickets until they are done.

The outcome is stored before the outbox knows of it: what a crash left unfinished is first looked for
in the record, then at the tracker by its marker, and only then filed again.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from bot.access import Dialer
from bot.catalog import Tracker
from bot.chat.outside.paths import first
from bot.chat.outside.waited import require_public, said
from bot.contract import Connection, Filed, Tickets
from bot.delivery import Job
from bot.errors import JacklineError, Rejected, TargetError, Unknown
from bot.incidents import Incident, Incidents
from bot.incidents.tasks import Tasks
from bot.log import get
from bot.postmortems.editing.followups import TICKETS, ticket_of
from bot.postmortems.editing.tables import ActionItem
from bot.registry import Registry
from bot.store import Store, now

log = get("tickets")
_T = TypeVar("_T")
LIMIT = 22.0  # seconds over all paths, within the outbox's lease
EVERY = timedelta(minutes=15)  # a ticket is read


class Trackers:
    """Asks the tracker of the catalog that an action item belongs to."""

    def __init__(self, incidents: Incidents, registry: Registry, dialer: Dialer) -> None:
        self.incidents = incidents
        self.registry = registry
        self.dialer = dialer

    def entry(self, action: ActionItem) -> Tracker:
        """Raises `Rejected` where the catalog does not have it any more."""
        known = self.incidents.catalog().trackers
        found = next((t for t in known if t.id == action.tracker), None)
        if found is None or found.integration not in self.registry.tickets:
            raise Rejected(f"The catalog does not have the tracker {action.tracker} any more.")
        return found

    async def ask(
        self, entry: Tracker, question: Callable[[Tickets, Connection], Awaitable[_T]]
    ) -> _T:
        """Over the first path that leads there; every fault of the integration is a `TargetError`."""
        tickets = self.registry.tickets[entry.integration]
        try:
            async with asyncio.timeout(LIMIT):
                answer, _ = await first(self.dialer, entry.target, lambda there: question(tickets, there), LIMIT)  # fmt: skip
                return answer
        except TimeoutError as error:
            raise Unknown(f"{entry.name} took longer than {LIMIT:g} s.") from error
        except TargetError:
            raise
        except JacklineError as error:  # the catalog's target or path leads nowhere
            raise Rejected(str(error)) from error
        except Exception as error:  # a stranger's fault; it must not cost the other tickets
            log.exception("tracker_broke", tracker=entry.id)
            raise Unknown(f"{entry.integration} broke: {type(error).__name__}.") from error


class TicketSurface:
    """Implements ``bot.delivery.Surface`` for all trackers of the catalog."""

    name = TICKETS

    def __init__(self, store: Store, trackers: Trackers, public_url: str) -> None:
        self.store = store
        self.trackers = trackers
        self.incidents = trackers.incidents
        self.public_url = public_url.rstrip("/")

    async def deliver(self, job: Job) -> dict[str, Any]:
        """Files a ticket."""
        action, incident = await self._asked(job)
        if action.ticket != "pending":
            return {}
        async with self._said(action):
            require_public(incident)
            entry = self.trackers.entry(action)
            await self._sent(action)
            ticket = ticket_of(incident, action, entry, self._page(incident))
            filed = await self.trackers.ask(entry, lambda t, there: t.create(ticket, there))
        await self._done(action, entry, filed)
        return {}

    async def find(self, job: Job) -> dict[str, Any] | None:
        """What became of a ticket that was begun before; None if it may be filed."""
        action, incident = await self._asked(job)
        if action.ticket != "pending":
            return {}
        async with self._said(action):
            entry = self.trackers.entry(action)
            ticket = ticket_of(incident, action, entry, self._page(incident))
            found = await self.trackers.ask(entry, lambda t, there: t.sought(ticket, there))
        if found is None:
            return None
        await self._done(action, entry, found)
        return {}

    def _said(self, action: ActionItem) -> AbstractAsyncContextManager[None]:
        return said(partial(self._failed, action), partial(self._late, action))

    async def _asked(self, job: Job) -> tuple[ActionItem, Incident]:
        async with self.store.read() as session:
            action = await session.get_one(ActionItem, job.payload["action"])
            return action, await session.get_one(Incident, action.incident_id)

    def _page(self, incident: Incident) -> str:
        if not self.public_url:
            return ""
        return f"{self.public_url}/incidents/{incident.number}/postmortem"

    async def _sent(self, action: ActionItem) -> None:
        """Before it is: whoever looks for it later must know how long ago that was."""
        mine = (col(ActionItem.id) == action.number, col(ActionItem.ticket) == "pending")
        async with self.store.write(silent=True) as session:
            await session.execute(update(ActionItem).where(*mine).values(next_at=now()))

    async def _done(self, asked: ActionItem, entry: Tracker, filed: Filed) -> None:
        async with self.store.write() as session:
            row = await _locked(session, self.incidents, asked)
            if row.ticket != "pending":
                return
            row.ticket, row.error = "filed", ""
            row.reference, row.url = filed.reference, filed.url
            row.seen, row.seen_at, row.next_at = filed.state, now(), now() + EVERY
            text = f"Follow-up {row.task} is ticket {row.reference} of {entry.name}"
            await _record(session, self.incidents, row, "ticket_filed", text)
            await _say(session, self.incidents, row, "filed", f"{text} {row.url}".strip())

    async def _failed(self, asked: ActionItem, reason: str) -> None:
        async with self.store.write() as session:
            row = await _locked(session, self.incidents, asked)
            if row.ticket != "pending":
                return
            row.ticket, row.error = "refused", reason[:500]
            text = f"Follow-up {row.task} is no ticket: {row.tracker} refused it: {reason}"
            await _record(session, self.incidents, row, "ticket_refused", text)
            await _say(session, self.incidents, row, "refused", f"⚠️ {text}")

    async def _late(self, asked: ActionItem, reason: str) -> None:
        """Said once: it is tried on."""
        if asked.error:
            return
        async with self.store.write() as session:
            row = await _locked(session, self.incidents, asked)
            if row.ticket != "pending" or row.error:
                return
            row.error = reason[:500]
            text = (
                f"{row.tracker} has not taken follow-up {row.task} yet, and is tried on: {reason}"
            )
            await _record(session, self.incidents, row, "ticket_late", text)
            await _say(session, self.incidents, row, "late", f"⚠️ {text}")


class TicketWatch:
    """Reads each open ticket now and then; what is done there is done here."""

    def __init__(self, store: Store, trackers: Trackers) -> None:
        self.store = store
        self.trackers = trackers
        self.incidents = trackers.incidents
        self.tasks = Tasks(trackers.incidents)

    async def look(self) -> bool:
        """Reads the one that waits longest; whether there was one. Whoever of the replicas is first."""
        async with self.store.write(silent=True) as session:
            due = select(ActionItem).where(ActionItem.ticket == "filed", col(ActionItem.next_at) <= now())  # fmt: skip
            due = due.order_by(col(ActionItem.next_at)).limit(1).with_for_update(skip_locked=True)
            action = (await session.execute(due)).scalar_one_or_none()
            if action is None:
                return False
            action.next_at = now() + EVERY
        try:
            entry = self.trackers.entry(action)
            reference = action.reference
            found = await self.trackers.ask(entry, lambda t, there: t.state(reference, entry.about, there))  # fmt: skip
        except TargetError as error:
            log.warning("ticket_not_read", incident_id=action.incident_id, task=action.task, error=str(error))  # fmt: skip
            async with self.store.write(silent=True) as session:
                row = await session.get_one(ActionItem, action.number)
                row.error = str(error)[:500]
            return True
        await self._seen(action, found)
        return True

    async def _seen(self, asked: ActionItem, found: Filed | None) -> None:
        async with self.store.write() as session:
            row = await _locked(session, self.incidents, asked)
            if row.ticket != "filed":
                return
            row.seen, row.seen_at, row.error = found.state if found else "not there", now(), ""
            if found is None:
                row.ticket = "gone"
                text = f"Ticket {row.reference} of follow-up {row.task} is not there any more"
                await _record(session, self.incidents, row, "ticket_gone", text)
                await _say(session, self.incidents, row, "gone", f"⚠️ {text}")
            elif found.done:
                row.ticket = "done"
                text = f"Ticket {row.reference} of follow-up {row.task} is {row.seen}"
                await _record(session, self.incidents, row, "ticket_done", text)
                incident = await session.get_one(Incident, row.incident_id)
                await self.tasks.done_elsewhere(session, incident, row.task, row.url)


async def _locked(session: AsyncSession, incidents: Incidents, asked: ActionItem) -> ActionItem:
    await incidents.get(session, asked.incident_id)
    return await session.get_one(ActionItem, asked.number, populate_existing=True)


async def _record(
    session: AsyncSession, incidents: Incidents, row: ActionItem, kind: str, text: str
) -> None:
    data = {"task": row.task, "tracker": row.tracker, "reference": row.reference}
    await incidents.ledger.append(
        session, row.incident_id, kind, "jackline", text, data=data, link=row.url
    )


async def _say(
    session: AsyncSession, incidents: Incidents, row: ActionItem, what: str, text: str
) -> None:
    key = f"ticket-{what}-{row.number}"
    await incidents.outbox.say(session, row.incident_id, key, "line", {"text": text})

"""Gets notices to notifiers, records what came of each, and asks later whether it arrived.

The outcome is recorded before the outbox knows of it, with a mark in the same commit: what a crash
left unfinished is first looked for by the mark, then at the medium, and only then sent again.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar

from sqlmodel import col

from bot.access import Dialer
from bot.catalog import Catalog
from bot.catalog import Notifier as Entered
from bot.chat.outside import pace
from bot.chat.outside.paged import page_notice, reached_there, still_waits
from bot.chat.outside.paths import asking, first
from bot.chat.outside.record import Record
from bot.chat.outside.words import ESSENTIAL, addressee, notice, update_notice
from bot.contract import Connection, Notice, Notifier, Pager, Receipt
from bot.delivery import Job
from bot.delivery.notices import OUTSIDE, late, sent_since
from bot.errors import NotSent, Rejected, Retryable, TargetError, Unknown
from bot.incidents import Incident, Incidents
from bot.incidents.due_tables import Update
from bot.log import get
from bot.registry import Registry
from bot.store import Store, now
from bot.timeline import Timeline, entries

log = get("notices")
_T = TypeVar("_T")
LIMIT = 20.0  # seconds for one notice over all its paths, within the outbox's lease
ASK_AFTER = timedelta(seconds=10)
ASK_TIMES = 12
_GOES_ON = ("page_ack", "page_resolve")


class OutsideSurface:
    """Implements ``bot.delivery.Surface`` for all notifiers of the catalog."""

    name = OUTSIDE

    def __init__(
        self,
        store: Store,
        incidents: Incidents,
        registry: Registry,
        dialer: Dialer,
        public_url: str,
        key: bytes,
    ) -> None:
        self.store = store
        self.incidents = incidents
        self.registry = registry
        self.dialer = dialer
        self.public_url = public_url.rstrip("/")
        self.key = key
        self.record = Record(store, incidents)
        self.pace = pace.Pace()
        self._sending: set[asyncio.Task[None]] = set()

    async def deliver(self, job: Job) -> dict[str, Any]:
        """Sends a notice or a page, asks what became of one, or tells a pager how it went on."""
        if job.op == "confirm":
            return await self._confirm(job)
        entry = self._entry(job)
        if job.op in _GOES_ON:
            await self._over_paths(entry, partial(_go_on, job))
            return {}
        if not await self._needed(job, entry):
            log.info("notice_not_needed", incident_id=job.incident_id, notifier=entry.id)
            return {}
        await self._in_time(entry, job.payload["to"] if job.op == "page" else "")
        sending = asyncio.create_task(self._send(job, entry, await self._notice(job)))
        self._sending.add(sending)
        sending.add_done_callback(self._ended)
        await asyncio.shield(sending)  # who stops us waits in `close`, and nothing is sent twice
        return {}

    async def close(self, patience: float = 2.0) -> None:
        """Lets what is being sent end and be recorded, for a moment."""
        if self._sending:
            await asyncio.wait(self._sending, timeout=patience)
        for sending in self._sending:
            sending.cancel()

    async def _send(self, job: Job, entry: Entered, said: Notice) -> None:
        to = job.payload["to"]
        try:
            receipt, path = await self._over_paths(
                entry, lambda notifier, connection: notifier.notify(said, to, connection)
            )
        except TargetError as error:
            await self.record.failed(job, entry.id, str(error), final=isinstance(error, Rejected))
            raise
        await self._took(job, entry, receipt, path)

    def _ended(self, sending: asyncio.Task[None]) -> None:
        self._sending.discard(sending)
        if not sending.cancelled():
            sending.exception()  # seen, also where nobody waits for it any more

    async def find(self, job: Job) -> dict[str, Any] | None:
        """What became of a notice that was begun before; None if it may be sent."""
        if job.op == "confirm" or job.op in _GOES_ON:
            return None
        if await self.record.ended(job):
            return {}
        entry = self._entry(job)
        said = await self._notice(job)
        to = job.payload["to"]
        try:
            receipt, path = await self._over_paths(
                entry, lambda notifier, connection: notifier.find(said, to, connection)
            )
        except Unknown as error:
            reason = "nobody can tell whether it arrived, so it is not sent again"
            await self.record.failed(job, entry.id, reason, final=True)
            raise Rejected(f"{error} It is not sent again.") from error
        if receipt is None:
            return None
        await self._took(job, entry, receipt, path)
        return {}

    def _entry(self, job: Job) -> Entered:
        """The notifier as the catalog has it now. Raises `Rejected` where it is gone."""
        name, to = job.payload["notifier"], job.payload["to"]
        entry = self.incidents.catalog().notifier(name)
        if entry is None or not (to in entry.to or _paged_there(self.incidents.catalog(), job)):
            raise Rejected(f"The catalog does not have {addressee(to)} by {name} any more.")
        return entry

    async def _needed(self, job: Job, entry: Entered) -> bool:
        """Whether Slack still lacks something of the incident; whether a page is still open."""
        async with self.store.read() as session:
            if job.op == "page":
                return await still_waits(session, job)
            if "update" in job.payload:  # for its audience, whether Slack is up or not
                return True
            return entry.when != "slack_down" or job.incident_id in await late(session, "slack")

    async def _in_time(self, entry: Entered, page_to: str) -> None:
        """Raises `Retryable` while the notifier has had its share of the last minute.

        Of pages each address has a share of its own: one team's storm keeps no other team asleep.
        """
        moment = now()
        async with self.store.read() as session:
            sent = await sent_since(session, entry.id, moment - pace.MINUTE, page_to=page_to)
        share = f"{entry.id} {page_to}" if page_to else entry.id
        seconds = self.pace.take(share, entry.per_minute, moment, sent)
        if seconds:
            raise Retryable(f"{entry.id} has sent its share of this minute.", retry_after=seconds)

    async def _notice(self, job: Job) -> Notice:
        """The words, from the state at this moment."""
        async with self.store.read() as session:
            if job.op == "page":
                return await page_notice(session, job, self.key, self.public_url)
            incident = await session.get_one(Incident, job.incident_id)
            if number := job.payload.get("update"):
                update = await session.get_one(Update, number)
                return update_notice(incident, update, job.id, self.public_url)
            found = await entries(
                session, [job.incident_id], col(Timeline.kind).in_(ESSENTIAL),
                col(Timeline.seq) > job.payload["after"], col(Timeline.seq) <= job.payload["upto"],
            )  # fmt: skip
        return notice(incident, found, job.id, self.public_url)

    async def _over_paths(
        self, entry: Entered, ask: Callable[[Notifier, Connection], Awaitable[_T]]
    ) -> tuple[_T, str]:
        """The answer and the path that gave it; the next path where nothing left over one."""
        notifier = self.registry.notifiers.get(entry.integration)
        if notifier is None:
            raise Rejected(f"The integration {entry.integration!r} has no notifier.")
        async with asking(entry.id, entry.integration, LIMIT):
            return await first(self.dialer, entry.target, partial(ask, notifier), LIMIT)

    async def _took(self, job: Job, entry: Entered, receipt: Receipt, path: str) -> None:
        ask_at = now() + ASK_AFTER if receipt.confirmed is None and receipt.reference else None
        await self.record.took(job, entry.id, receipt, path, ask_at)

    async def _confirm(self, job: Job) -> dict[str, Any]:
        """Asks the medium; asks again for a while where it does not know yet."""
        if await self.record.ended(job):
            return {}
        receipt = Receipt.model_validate(job.payload["receipt"])
        entry = self.incidents.catalog().notifier(job.payload["notifier"])
        if entry is None:
            raise Rejected("The catalog does not have the notifier any more.")
        try:
            arrived, _ = await self._over_paths(
                entry, lambda notifier, connection: notifier.confirm(receipt, connection)
            )
        except (Unknown, NotSent) as error:
            raise Retryable(str(error), retry_after=ASK_AFTER.total_seconds()) from error
        if arrived is None and job.attempt < ASK_TIMES:
            raise Retryable("Not known yet.", retry_after=ASK_AFTER.total_seconds())
        await self.record.confirmed(job, entry.id, arrived)
        return {}


def _paged_there(catalog: Catalog, job: Job) -> bool:
    """Whether a page may go to that address; one that went there is told how it went on in any case."""
    return job.op in _GOES_ON or (job.op == "page" and reached_there(catalog, job))


async def _go_on(job: Job, notifier: Notifier, connection: Connection) -> None:
    """Tells a pager what became of a page here."""
    if not isinstance(notifier, Pager):
        raise Rejected("The notifier is no pager any more.")
    tell = notifier.acknowledge if job.op == "page_ack" else notifier.resolve
    await tell(job.payload["thread"], job.payload["to"], connection)

"""Posts the weekly digests of the catalog: each week once, whoever of the replicas is first.

That it is posted is stored in one commit with what is to be sent, which the outbox then brings there
once. A process that dies before has posted nothing, and another one does; one that was down at the hour
posts within a day of it, and no later: then the week is skipped, and the next digest says so.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from bot.catalog import Catalog
from bot.catalog.digest import WeeklyDigest
from bot.delivery import Delivery, Message, Outbox
from bot.log import get
from bot.postmortems.learning.tables import DigestPost
from bot.postmortems.learning.weeks import Week, between, last_due
from bot.store import Store, now

log = get("learning")
LATEST = timedelta(days=1)  # after its hour: a digest of last week is no news then


class WeeklyDigests:
    """`look` is the clock's part."""

    def __init__(self, store: Store, outbox: Outbox, catalog: Callable[[], Catalog]) -> None:
        self.store = store
        self.outbox = outbox
        self.catalog = catalog
        self._seen: dict[str, str] = {}  # by id: the week that needs no look any more

    async def look(self) -> None:
        """Posts what is due."""
        at = now()
        for entry in self.catalog().digests:
            week, due_at = last_due(entry, at)
            if self._seen.get(entry.id) != week.name:
                await self._one(entry, week, due_at, at)
                self._seen[entry.id] = week.name

    async def _one(self, entry: WeeklyDigest, week: Week, due_at: datetime, at: datetime) -> None:
        insert = sqlite_insert if self.store.is_sqlite else postgresql_insert
        row = {"digest": entry.id, "week": week.name, "due_at": due_at, "at": at}
        async with self.store.write() as session:
            state = "posted" if at - due_at <= LATEST else await self._late(session, entry)
            new = insert(DigestPost).values({**row, "state": state}).on_conflict_do_nothing()
            mine = await session.execute(new)
            if not mine.rowcount:  # type: ignore[attr-defined]  # an INSERT's CursorResult
                return
            if state == "posted":
                await self._post(session, entry, week)
        if state == "skipped":
            log.warning("digest_skipped", digest=entry.id, week=week.name, due_at=str(due_at))

    async def _late(self, session: AsyncSession, entry: WeeklyDigest) -> str:
        """``skipped``; ``new`` where none was due before it came into the catalog."""
        query = select(DigestPost.week).where(DigestPost.digest == entry.id).limit(1)
        return "skipped" if (await session.execute(query)).first() else "new"

    async def _post(self, session: AsyncSession, entry: WeeklyDigest, week: Week) -> None:
        mine = (
            DigestPost.digest == entry.id, DigestPost.state == "posted", DigestPost.week < week.name,
        )  # fmt: skip
        last = (await session.execute(select(func.max(DigestPost.week)).where(*mine))).scalar()
        payload = {
            "week": week.name, "timezone": week.timezone,
            "missed": between(last, week) if last else [],
        }  # fmt: skip
        await self.outbox.announce(
            session, _key(entry.id, week.name), "weekly", payload, channel=entry.channel
        )


@dataclass(frozen=True)
class Posted:
    """What became of one: ``sent``, ``failed`` with the error, ``waiting`` to be sent, ``skipped``, or
    ``posted`` where Slack is not connected.
    """

    channel: str
    state: str
    at: datetime
    error: str = ""


async def posted(session: AsyncSession, catalog: Catalog, week: str) -> list[Posted]:
    """Of the catalog's digests that were due after a week."""
    found = []
    for entry in catalog.digests:
        row = await session.get(DigestPost, (entry.id, week))
        if row is None or row.state == "new":
            continue
        query = (
            select(Delivery)
            .join(Message, col(Message.id) == col(Delivery.message_id))
            .where(Message.key == f"0:{_key(entry.id, week)}")
        )
        sent = (await session.execute(query.limit(1))).scalar_one_or_none()
        if sent is None:
            found.append(Posted(entry.channel, row.state, row.at))
            continue
        state = sent.state if sent.state in ("sent", "failed") else "waiting"
        found.append(Posted(entry.channel, state, sent.sent_at or row.at, sent.error))
    return found


def _key(digest: str, week: str) -> str:
    return f"weekly-{digest}-{week}"

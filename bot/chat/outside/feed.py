"""Finds what has to be told outside Slack, and queues it.

Whether Slack is down is read off the outbox: what was said of an incident has waited too long for
Slack, whatever the reason. Any replica may look; the incident's lock keeps notices single.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from bot.catalog import Notifier
from bot.chat.outside.words import ESSENTIAL, concerns
from bot.delivery.notices import lane, late, tell, told
from bot.incidents import Incident, Incidents
from bot.store import YIELDING, Store, now
from bot.timeline import Entry, Timeline, entries
from bot.timeline.tables import Head

_RECENT = timedelta(hours=1)  # a notifier that is new to the catalog does not tell old stories
_NEWEST = 200  # incidents that `always` looks at
_BESIDE = timedelta(seconds=2)  # a timeline row is older than what is said about it in its commit


@dataclass(frozen=True)
class _Due:
    incident: int
    notifier: str
    to: str
    after: int
    upto: int


class NoticeFeed:
    """One per process. ``slack_down`` is since when this process cannot reach Slack."""

    def __init__(
        self, store: Store, incidents: Incidents, slack_down: Callable[[], datetime | None]
    ) -> None:
        self.store = store
        self.incidents = incidents
        self.slack_down = slack_down
        self._seen: dict[int, int] = {}  # incident → end of its timeline when `always` looked

    async def feed_next(self) -> bool:
        """Queues all that is due by now. Nothing is left for a second call."""
        notifiers = self.incidents.catalog().notifiers
        if not notifiers:
            return False
        async with self.store.read() as session:
            ends = await self._grown(session) if any(n.when == "always" for n in notifiers) else {}
            due = await self._due(session, notifiers, list(ends))
        for each in due:
            await self.store.quiet(YIELDING)  # in a storm these are many, and people write too
            async with self.store.write() as session:
                await self.incidents.get(session, each.incident)
                await tell(
                    session, each.incident, each.notifier, each.to,
                    after=each.after, upto=each.upto,
                )  # fmt: skip
        self._seen |= ends
        return False

    async def _grown(self, session: AsyncSession) -> dict[int, int]:
        """New incidents, and those whose timeline grew since the last look, with its end."""
        newest = select(Incident.id).order_by(col(Incident.id).desc()).limit(_NEWEST)
        query = select(Head.incident_id, Head.seq).where(col(Head.incident_id).in_(newest))
        ends = (await session.execute(query)).all()
        return {number: seq for number, seq in ends if self._seen.get(number) != seq}

    async def _due(
        self, session: AsyncSession, notifiers: list[Notifier], grown: list[int]
    ) -> list[_Due]:
        moment = now()
        waiting = await late(session, "slack")
        numbers = {*waiting, *grown}
        if not numbers:
            return []
        known = await told(session, numbers)
        rows = await _essentials(session, numbers)
        found = []
        for incident in await _incidents(session, numbers):
            for notifier in notifiers:
                since = self._since(notifier, waiting.get(incident.number), moment)
                if since is None or not concerns(notifier, incident):
                    continue
                for to in notifier.to:
                    end = known.get(lane(incident.number, notifier.id, to), 0)
                    new = _new(rows[incident.number], end, since)
                    if new:
                        due = _Due(incident.number, notifier.id, to, new[0] - 1, new[-1])
                        found.append(due)
        return found

    def _since(
        self, notifier: Notifier, waiting: datetime | None, moment: datetime
    ) -> datetime | None:
        """From when on rows are to be told; None while Slack tells them."""
        if notifier.when == "pages":
            return None
        if notifier.when == "always":
            return moment - _RECENT
        if waiting is None:
            return None
        allowed = moment - timedelta(seconds=notifier.after)
        down = self.slack_down()
        if waiting > allowed and (down is None or down > allowed):
            return None
        return waiting - _BESIDE


async def _incidents(session: AsyncSession, numbers: set[int]) -> list[Incident]:
    query = select(Incident).where(col(Incident.id).in_(numbers)).order_by(col(Incident.id))
    return list((await session.execute(query)).scalars())


async def _essentials(session: AsyncSession, numbers: set[int]) -> dict[int, list[Entry]]:
    rows: dict[int, list[Entry]] = defaultdict(list)
    for row in await entries(session, numbers, col(Timeline.kind).in_(ESSENTIAL)):
        rows[row.incident_id].append(row)
    return rows


def _new(rows: list[Entry], end: int, since: datetime) -> list[int]:
    return [row.seq for row in rows if row.seq > end and row.at >= since]

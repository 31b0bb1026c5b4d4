"""Silences: set, ended and expired; and what they held back is let go.

What is held back is stored all the same. When nothing holds it any more it is routed as if it came
then, if it still fires: see `bot.alerts.routing`.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select
from sqlmodel.sql.expression import SelectOfScalar

from bot.alerts.holding import Hold, Wish, covers, holds, who
from bot.alerts.rules import decide, is_urgent
from bot.alerts.tables import Silence, StoredAlert, has_ended
from bot.catalog import Catalog, match_words
from bot.errors import Conflict, NotFound
from bot.store import Store, now
from bot.timeline import Ledger

_LOOK = 5000  # alerts, the newest, among which a new silence looks for what it covers


class Silences:
    """``look`` is the clock's part; the others are done in the transaction of who asks."""

    def __init__(self, store: Store, ledger: Ledger, catalog: Callable[[], Catalog]) -> None:
        self.store = store
        self.ledger = ledger
        self.catalog = catalog

    async def set(self, session: AsyncSession, wish: Wish, by: str, origin: str) -> Silence:
        """From now on. ``by`` is a person's id, empty for the command line.

        The same ``origin`` again returns the silence that it set before.
        """
        found = await session.execute(select(Silence).where(Silence.origin == origin))
        if earlier := found.scalar_one_or_none():
            return earlier
        at = now()
        until = at + timedelta(seconds=wish.seconds)
        silence = Silence(
            match=wish.match, since=at, until=until, by=by, reason=wish.reason, origin=origin
        )
        session.add(silence)
        await session.flush()
        text = f"Silence {silence.number} until {until:%Y-%m-%d %H:%M} UTC: {match_words(wish.match)}: {wish.reason}"
        await self._record(session, "silence_set", by, silence, text)
        return silence

    async def end(self, session: AsyncSession, number: int, by: str) -> Silence:
        """Before its time; what it holds back is let go. Raises `NotFound` and `Conflict`."""
        query = select(Silence).where(Silence.id == number).with_for_update()
        silence = (await session.execute(query)).scalar_one_or_none()
        if silence is None:
            raise NotFound(f"There is no silence {number}.", hint="/incident silences lists them.")
        if silence.ended_at is not None or silence.until <= now():
            raise Conflict(f"Silence {number} is over already.")
        silence.ended_at, silence.ended_by = now(), by
        text = f"{ended(silence, self.catalog())}: {match_words(silence.match)}"
        await self._record(session, "silence_ended", by, silence, text)
        await self._let_go(session)
        return silence

    async def look(self) -> None:
        """Ends what has expired, and lets go of what nothing holds back any more.

        A window is over by the catalog's word, so that what is held is compared with what is on.
        """
        async with self.store.read() as session:
            expired = (await session.execute(_expired(now()))).first()
            query = select(StoredAlert.held_by).where(StoredAlert.state == "silenced").distinct()
            held = set((await session.execute(query)).scalars())
            on = await standing(session, self.catalog())
        if expired is None and held <= {hold.key for hold in on}:
            return
        async with self.store.write() as session:
            # locked: another replica that waits here finds that nothing is left to end
            ending = await session.execute(_expired(now()).with_for_update())
            for silence in list(ending.scalars()):
                silence.ended_at, silence.ended_by = silence.until, "jackline"
                text = f"{ended(silence, self.catalog())}: {match_words(silence.match)}"
                await self._record(session, "silence_ended", "jackline", silence, text)
            await self._let_go(session)

    async def listed(self, session: AsyncSession) -> list[tuple[Hold, int]]:
        """What is on, and how many alerts that still fire each holds back."""
        held = await _held(session)
        return [(hold, held.get(hold.key, 0)) for hold in await standing(session, self.catalog())]

    async def firing(self, session: AsyncSession, silence: Silence) -> tuple[Counter[str], int]:
        """The names of the alerts that fire now and match; those of critical ones say so.

        And how many were looked at, where those are not all: in a storm only the newest are.
        """
        catalog = self.catalog()
        query = (
            select(StoredAlert)
            .where(StoredAlert.status == "firing", ~has_ended())
            .order_by(col(StoredAlert.id).desc())
            .limit(_LOOK)
        )
        found: dict[tuple[str, str], str] = {}
        alerts = (await session.execute(query)).scalars().all()
        for alert in alerts:
            decision = decide(catalog, alert.name, alert.labels, alert.source)
            if covers(silence.match, decision, alert.name, alert.labels, alert.source):
                urgent = "critical " if is_urgent(alert.labels) else ""
                name = "of a private rule" if decision.private else alert.name
                found[alert.source, alert.fingerprint] = f"{urgent}{name}"
        return Counter(found.values()), len(alerts) if len(alerts) == _LOOK else 0

    async def _let_go(self, session: AsyncSession) -> None:
        """Back to the router goes what is held by nothing that is on; it may hold it again."""
        await session.flush()
        on = {hold.key for hold in await standing(session, self.catalog())}
        await session.execute(
            update(StoredAlert)
            .where(col(StoredAlert.state) == "silenced", col(StoredAlert.held_by).not_in(on))
            .values(state="new")
            .execution_options(synchronize_session=False)  # none of them is loaded here
        )

    async def _record(
        self, session: AsyncSession, kind: str, by: str, silence: Silence, text: str
    ) -> None:
        """On Jackline's own chain: a silence is about no incident."""
        actor = by if by == "jackline" else f"person:{by}" if by else "source:cli"
        data = {"silence": silence.number, "match": silence.match, "reason": silence.reason,
                "until": silence.until.isoformat()}  # fmt: skip
        await self.ledger.append(session, 0, kind, actor, text, data=data)


async def standing(session: AsyncSession, catalog: Catalog) -> list[Hold]:
    """What holds alerts back now, oldest silence first, then the windows."""
    query = select(Silence).where(col(Silence.ended_at).is_(None)).order_by(col(Silence.id))
    return holds(catalog, (await session.execute(query)).scalars(), now())


def ended(silence: Silence, catalog: Catalog) -> str:
    """How it ended, in words."""
    if silence.ended_at is None:
        return f"Silence {silence.number} is over"
    at = f"{silence.ended_at:%Y-%m-%d %H:%M} UTC"
    if silence.ended_at >= silence.until:
        return f"Silence {silence.number} expired at {at}"
    return f"Silence {silence.number} was ended by {who(catalog, silence.ended_by)} at {at}"


async def how_ended(session: AsyncSession, catalog: Catalog, keys: Sequence[str]) -> dict[str, str]:
    """By the key of what held alerts back, how that ended, in words."""
    on = {hold.name for hold in holds(catalog, [], now())}
    words = {}
    for key in keys:
        kind, _, rest = key.partition(":")
        name = f"{kind} {rest.partition(':')[2] or rest}"
        how = "means it no more" if name in on else "is over"
        words[key] = f"{name[0].upper()}{name[1:]} {how}"
    numbers = [int(key.removeprefix("silence:")) for key in keys if key.startswith("silence:")]
    query = select(Silence).where(col(Silence.id).in_(numbers))
    for silence in (await session.execute(query)).scalars():
        set_by = f"set by {who(catalog, silence.by)}: {silence.reason}"
        words[f"silence:{silence.number}"] = f"{ended(silence, catalog)} ({set_by})"
    return words


async def over(session: AsyncSession, ids: Sequence[int | None]) -> set[int | None]:
    """Those of some firing alerts whose end was accepted since."""
    query = select(StoredAlert.id).where(col(StoredAlert.id).in_(ids), has_ended())
    return set((await session.execute(query)).scalars())


async def _held(session: AsyncSession) -> dict[str, int]:
    """By key, how many alerts are held back and still fire."""
    query = (
        select(StoredAlert.held_by, func.count(col(StoredAlert.id)))
        .where(StoredAlert.state == "silenced", ~has_ended())
        .group_by(col(StoredAlert.held_by))
    )
    return {str(key): count for key, count in await session.execute(query)}


def _expired(at: datetime) -> SelectOfScalar[Silence]:
    return select(Silence).where(col(Silence.ended_at).is_(None), col(Silence.until) <= at)

"""Flapping alerts: recognised while they are routed, said in one message that is edited in place.

Each change is stored with its incident all the same. The timeline has a row when it begins, and one
when it ends, with the count.
"""

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select
from sqlmodel.sql.expression import SelectOfScalar

from bot.alerts.deciding import Key
from bot.alerts.flapping import CHANGES, WINDOW, Change, calm, calm_at, goes_on, is_over, recent
from bot.alerts.tables import Flap, StoredAlert
from bot.alerts.telling import summary
from bot.incidents import Incidents
from bot.store import Store, now

_TITLE = 200  # characters


class Flaps:
    """Those of a batch's alerts, in the router's transaction."""

    def __init__(self, incidents: Incidents, session: AsyncSession) -> None:
        self.incidents = incidents
        self.session = session
        self.changes: dict[Key, list[Change]] = {}
        self._on: dict[Key, Flap] = {}
        self._begun: list[Flap] = []
        self._counted: dict[int, Flap] = {}

    async def load(self, alerts: list[StoredAlert], changes: dict[Key, list[Change]]) -> None:
        """``changes`` are those of the window before the batch."""
        self.changes = changes
        keys = {(alert.source, alert.fingerprint) for alert in alerts}
        locked = going_on(keys).with_for_update()  # the clock ends them too
        for flap in (await self.session.execute(locked)).scalars():
            self._on[flap.source, flap.fingerprint] = flap

    async def counts(self, alert: StoredAlert, number: int, *, told: bool) -> bool:
        """Takes a change of an alert in its incident; whether it is counted instead of told.

        What a storm counts (it is not ``told``) is not said to flap besides.
        """
        key, at = (alert.source, alert.fingerprint), alert.received_at
        change = Change(at, alert.status == "firing")
        self.changes[key] = [*recent(self.changes.get(key, []), at), change]
        flap = self._on.get(key)
        if flap and flap.incident_id != number:
            await self._end(key, f"It goes on in #{number}.")
        elif flap and calm_at(flap.last_at) <= at:  # the clock was not there yet
            await self._end(key, calm(firing=flap.firing))
        elif flap:
            flap.count(change)
            alert.flap_id = flap.number
            self._counted[flap.number] = flap
            return True
        if told and len(self.changes[key]) >= CHANGES:
            await self._begin(key, alert, number)
        return False

    async def tell(self) -> None:
        """Behind the changes that were told: those that have begun, and the counts of the others."""
        for flap in self._begun:
            await self._record(flap)
        for flap in ({flap.number: flap for flap in self._begun} | self._counted).values():
            if flap.ended_at is None:
                await _say(self.incidents, self.session, flap, _on_words(flap))

    async def _begin(self, key: Key, alert: StoredAlert, number: int) -> None:
        said = summary(alert)
        title = alert.name if said == alert.name else f"{alert.name} ({said})"
        changes = self.changes[key]
        flap = Flap(
            source=alert.source, fingerprint=alert.fingerprint, incident_id=number,
            title=title[:_TITLE], since=changes[0].at, last_at=changes[0].at,
        )  # fmt: skip
        for change in changes:
            flap.count(change)
        self.session.add(flap)
        await self.session.flush()
        self._on[key] = flap
        self._begun.append(flap)

    async def _record(self, flap: Flap) -> None:
        text, data = _on_words(flap), _data(flap)
        await self.incidents.ledger.append(
            self.session, flap.incident_id, "flapping_began", "jackline", text, data=data
        )

    async def _end(self, key: Key, how: str) -> None:
        flap = self._on.pop(key)
        if flap in self._begun:  # hours in one batch: what a spool had
            self._begun.remove(flap)
            await self._record(flap)
        await end(self.incidents, self.session, flap, how)


class FlapWatch:
    """The clock's part: ends what is quiet."""

    def __init__(self, store: Store, incidents: Incidents) -> None:
        self.store = store
        self.incidents = incidents

    async def look(self) -> None:
        """Each in a transaction of its own: a replica that comes second finds that it is over."""
        quiet = select(Flap).where(
            col(Flap.ended_at).is_(None), col(Flap.last_at) <= now() - WINDOW
        )
        async with self.store.read() as session:
            found = [flap.id for flap in (await session.execute(quiet)).scalars()]
        for flap_id in found:
            async with self.store.write() as session:
                query = quiet.where(Flap.id == flap_id).with_for_update()
                flap = (await session.execute(query)).scalar_one_or_none()
                if flap is not None:
                    await end(self.incidents, session, flap, calm(firing=flap.firing))


async def end(incidents: Incidents, session: AsyncSession, flap: Flap, how: str) -> None:
    """The message says so, where it stands; a row has the count."""
    flap.ended_at = now()
    await session.flush()  # before another of the same alert may begin
    text = is_over(flap.title, flap.fired, flap.resolved, flap.since, flap.last_at, how)
    await incidents.ledger.append(
        session, flap.incident_id, "flapping_ended", "jackline", text, data=_data(flap)
    )
    await _say(incidents, session, flap, text)


def going_on(keys: set[Key]) -> SelectOfScalar[Flap]:
    """Which of some alerts flap; it may name more, of one's source with another's fingerprint."""
    return select(Flap).where(
        col(Flap.ended_at).is_(None),
        col(Flap.source).in_({source for source, _ in keys}),
        col(Flap.fingerprint).in_({fingerprint for _, fingerprint in keys}),
    )


async def flapping(session: AsyncSession, number: int) -> bool:
    """Whether an alert of an incident flaps."""
    query = select(Flap.id).where(Flap.incident_id == number, col(Flap.ended_at).is_(None))
    return (await session.execute(query.limit(1))).first() is not None


def _on_words(flap: Flap) -> str:
    return goes_on(
        flap.title, flap.fired, flap.resolved, flap.since, flap.last_at, firing=flap.firing
    )


async def _say(incidents: Incidents, session: AsyncSession, flap: Flap, text: str) -> None:
    payload = {"text": text, "firing": flap.firing}
    key = f"flap-{flap.number}"
    await incidents.outbox.say(session, flap.incident_id, key, "alert", payload)


def _data(flap: Flap) -> dict[str, object]:
    return {
        "source": flap.source, "fingerprint": flap.fingerprint, "fired": flap.fired,
        "resolved": flap.resolved, "since": flap.since.isoformat(), "firing": flap.firing,
    }  # fmt: skip

"""Claims incidents, and records what was found: row, message and file in one commit.

An answer is recorded only while its item still waits, so that two replicas, or one that was
stopped in the middle and started again, tell it once.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import and_, or_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from bot.alerts.evidence.lines import plain
from bot.alerts.evidence.opened import Looked, Opened, Place, opened
from bot.alerts.evidence.shown import PICTURE, payload, told
from bot.alerts.evidence.tables import EvidenceItem, EvidenceLook
from bot.incidents import ACTIVE, Incident, Incidents
from bot.store import Store, now

DELAY = timedelta(seconds=1)  # a few more samples make a picture that shows something
LEASE = timedelta(seconds=15)  # three times what a look may take
TRIES = 3  # looks that did not come to their end, before what is left is given up
_AT_ONCE = 10  # incidents of one turn
KEY = "evidence"  # of the message


@dataclass(frozen=True)
class Claim:
    """An incident whose turn it is, and the places that have not answered yet."""

    incident: Opened
    places: list[Place]


@dataclass(frozen=True)
class Answer:
    """What a place gave, with the names of the files that were written for it."""

    place: Place
    looked: Looked
    files: tuple[tuple[str, str], ...] = ()  # name, title


@dataclass(frozen=True)
class Picture:
    """All graphs as one picture; ``file`` is empty where there was nothing to draw."""

    file: str
    title: str
    sources: tuple[str, ...] = ()
    empty: tuple[str, ...] = ()  # graphs without data
    unmeasured: tuple[str, ...] = ()  # golden signals that nobody measures
    why_not: str = ""


class Book:
    """``plan`` says for an incident where to look; it is called within a transaction and asks nobody."""

    def __init__(
        self, store: Store, incidents: Incidents, plan: Callable[[Opened], list[Place]]
    ) -> None:
        self.store = store
        self.incidents = incidents
        self.plan = plan

    async def claim(self) -> list[Claim]:
        """The incidents whose evidence is looked for now, by nobody else."""
        lease = col(EvidenceLook.lease_until)
        due = (
            select(Incident.id)
            .outerjoin(EvidenceLook, col(EvidenceLook.incident_id) == col(Incident.id))
            .where(col(Incident.evidence_at).is_(None), col(Incident.declared_at) < now() - DELAY)
            .where(
                or_(  # what was begun is brought to its end, whatever became of the incident
                    and_(lease.is_(None), col(Incident.status).in_(ACTIVE)),
                    lease < self.store.clock(),
                )
            )
            .order_by(col(Incident.id))
            .limit(_AT_ONCE)
        )
        async with self.store.read() as session:
            numbers = list((await session.execute(due)).scalars())
        found = []
        for number in numbers:
            async with self.store.write() as session:
                if number is not None and (claim := await self._claim(session, number)):
                    found.append(claim)
        return found

    async def _claim(self, session: AsyncSession, number: int) -> Claim | None:
        incident = await self.incidents.get(session, number)
        moment = await session.run_sync(self.store.moment)
        look = await session.get(EvidenceLook, number)
        merged = look is None and incident.merged_into is not None  # the other one has its own
        taken = merged or (look is not None and look.lease_until >= moment)
        if incident.evidence_at is not None or taken:
            return None
        places = self.plan(opened(incident))
        if look is None:
            session.add(EvidenceLook(incident_id=number, lease_until=moment + LEASE))
            session.add_all(
                EvidenceItem(incident_id=number, key=p.key, position=i, name=p.name)
                for i, p in enumerate(places)
            )
            if any(place.outside for place in places):  # people see what is being looked for
                await self._say(session, number)
            return Claim(opened(incident), places)
        look.lease_until, look.tries = moment + LEASE, look.tries + 1
        tired = look.tries > TRIES
        known = {} if tired else {p.key: p for p in places}
        why = "Jackline was stopped" + (f" {TRIES} times" if tired else "")
        left = [i for i in await self._items(session, number) if i.state == "waiting"]
        lost = [i for i in left if i.key not in known]
        for item in lost:
            await self._missing(
                session, item, f"{why} before it answered, and it is not asked again."
            )
        if lost:
            await self._say(session, number)
        return Claim(opened(incident), [known[i.key] for i in left if i.key in known])

    async def note(self, number: int, answers: Sequence[Answer]) -> None:
        """Answers that are whole: a row of the timeline for each, and the message anew."""
        async with self.store.write() as session:
            await self.incidents.get(session, number)  # locked: replicas take turns
            for answer in answers:
                await self._one(session, number, answer)
            await self._renew(session, number)

    async def finish(self, number: int, last: Iterable[Answer], picture: Picture) -> None:
        """The graphs, which have waited for their picture, and the end of the look."""
        async with self.store.write() as session:
            incident = await self.incidents.get(session, number)
            if incident.evidence_at is not None:
                return
            for answer in last:
                await self._one(session, number, answer)
            incident.evidence_at = now()
            items = await self._items(session, number)
            nothing = not any(i.data.get("parts") for i in items)
            if picture.file or picture.why_not or picture.empty or nothing:
                await self._picture(session, number, picture, len(items))
            await self._renew(session, number)

    async def items(self, number: int) -> list[EvidenceItem]:
        """What was found by now, in the order of the places."""
        async with self.store.read() as session:
            return await self._items(session, number)

    async def _one(self, session: AsyncSession, number: int, answer: Answer) -> None:
        looked, files = answer.looked, [name for name, _ in answer.files]
        parts = [each.part for each in looked.found]
        data: dict[str, Any] = {"parts": parts, "files": files} if parts else {}
        item = await self._waiting(session, number, answer.place.key)
        if item is None:
            return
        if looked.missing:
            await self._missing(session, item, looked.missing)
            return
        item.state, item.data, item.at = "found", data, now()
        for part in parts:
            row = {"source": item.name, "key": item.key, "title": part["title"],
                   "found": part["lines"], "more": part["more"], "attached": files}  # fmt: skip
            await self.incidents.ledger.append(
                session, number, "evidence_attached", "jackline",
                f"Evidence: {told(item.name, part)}", data=row, link=part["link"],
            )  # fmt: skip
        for name, title in answer.files:
            await self.incidents.outbox.upload(session, number, name, title)

    async def _missing(self, session: AsyncSession, item: EvidenceItem, why: str) -> None:
        said = f"{item.name}: {plain(why)}"
        item.state, item.data, item.at = "missing", {"why": said}, now()
        await self.incidents.ledger.append(
            session, item.incident_id, "evidence_missing", "jackline",
            f"Evidence that could not be had: {said}",
            data={"source": item.name, "key": item.key},
        )  # fmt: skip

    async def _picture(
        self, session: AsyncSession, number: int, picture: Picture, position: int
    ) -> None:
        title = picture.title or "No evidence could be had"
        empty = [f"{name}: no data" for name in picture.empty]
        unmeasured = [*picture.unmeasured, *empty, *([picture.why_not] if picture.why_not else [])]
        if picture.file or unmeasured:
            data = {"file": picture.file, "title": picture.title, "unmeasured": unmeasured}
            item = EvidenceItem(
                incident_id=number, key=PICTURE, position=position, name=PICTURE, state="found",
                data=data, at=now(),
            )  # fmt: skip
            session.add(item)
        text = f"Evidence: {title}" + "".join(f"; {said}" for said in unmeasured)
        row = {"file": picture.file, "title": title, "sources": list(picture.sources)}
        await self.incidents.ledger.append(
            session, number, "evidence_attached", "jackline", text, data=row
        )
        if picture.file:
            await self.incidents.outbox.upload(session, number, picture.file, title)

    async def _say(self, session: AsyncSession, number: int) -> None:
        said = payload(await self._items(session, number))
        await self.incidents.outbox.say(session, number, KEY, "evidence", said)

    async def _renew(self, session: AsyncSession, number: int) -> None:
        """A channel without evidence is not told so; what was said once is kept true."""
        there = any(item.data for item in await self._items(session, number))
        if there or await self.incidents.outbox.said(session, number, KEY):
            await self._say(session, number)

    async def _items(self, session: AsyncSession, number: int) -> list[EvidenceItem]:
        await session.flush()
        query = select(EvidenceItem).where(EvidenceItem.incident_id == number)
        return list((await session.execute(query.order_by(col(EvidenceItem.position)))).scalars())

    async def _waiting(self, session: AsyncSession, number: int, key: str) -> EvidenceItem | None:
        item = await session.get(EvidenceItem, (number, key))
        return item if item is not None and item.state == "waiting" else None

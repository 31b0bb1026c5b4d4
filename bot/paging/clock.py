"""What is due by the clock: incidents that page somebody, the next level, and pages that are over.

Any replica may look at any time. A step is taken under the incident's lock, after another look, in
the commit that queues what it sends: it is done once, also where a process dies beside it.
"""

from collections.abc import Awaitable, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from sqlalchemy import String, and_, cast, func, or_
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from bot.catalog.escalation import Escalation
from bot.delivery import Binding, Delivery
from bot.delivery.notices import OUTSIDE
from bot.incidents import ACTIVE, Incident
from bot.incidents.rules import ENDED
from bot.log import get
from bot.paging.flow import WAITS, Paging
from bot.paging.links import hashed, token
from bot.paging.rules import Target, level_of, of_policy, policies, targets
from bot.paging.tables import Page, PageLink
from bot.store import YIELDING, Store, is_away, now
from bot.timeline import Timeline

T = TypeVar("T")
log = get("paging")
_RECENT = timedelta(hours=1)  # a policy that is new to the catalog does not page for old stories
_LOOKED = ("pages", "looked")  # a binding: when somebody looked last,
_MARKED = timedelta(minutes=10)  # give or take so much
_TIMELINE = Timeline.__table__.c  # type: ignore[attr-defined]  # SQLModel sets it on table classes
_WIDER = ("severity_changed", "service_added", "incident_merged")  # it may be one for a policy then
_REOPENED = and_(_TIMELINE.kind == "status_changed", _TIMELINE.data["from"].as_string().in_(ENDED))
_UNMERGED = and_(  # the row of the one that is by itself again
    _TIMELINE.kind == "incident_unmerged",
    _TIMELINE.data["into"].as_string() == cast(_TIMELINE.incident_id, String),
)
_AGAIN = or_(_REOPENED, _UNMERGED)
GOING = (*WAITS, "acknowledged")  # until the incident is over


class PageClock:
    """One per process. ``key`` is what the links' tokens are made with."""

    def __init__(self, store: Store, paging: Paging, key: bytes) -> None:
        self.store = store
        self.paging = paging
        self.key = key
        self._broken: set[str] = set()  # what failed when it was last tried

    async def look(self) -> bool:
        """Does all that is due by now. Nothing is left for a second call."""
        async with self.store.read() as session:
            looked = await _looked(session)
            since = min(now(), looked or now()) - _RECENT
            some = bool(self.paging.catalog.escalations)
            new = await self._apart("new incidents", self._unpaged(session, since)) if some else []
            over = await self._apart("incidents that are over", self._over(session))
            due = await self._apart("the pages that are due", self._due(session))
            gaps = await self._apart("pages that reached nobody", self._gaps(session))
        for number in new or []:
            await self.store.quiet(YIELDING)
            await self._apart(f"incident {number}", self._open(number))
        if some and (looked is None or abs(now() - looked) > _MARKED):
            await self._mark()
        for number in over or []:
            await self._apart(f"page {number}", self._end(number))
        for number, step in due or []:
            await self._apart(f"page {number}", self._next(number, step))
        for number in gaps or []:
            await self._apart(f"page {number}", self._anew(number))
        return False

    async def _apart(self, what: str, work: Awaitable[T]) -> T | None:
        """A fault at one keeps nobody else from being paged. It is tried again, and said once."""
        try:
            found = await work
        except Exception as error:
            if is_away(error):
                raise
            if what not in self._broken:
                log.exception("paging_broke", of=what)
                await self._say(what, error)
                self._broken.add(what)
            return None
        self._broken.discard(what)
        return found

    async def _say(self, what: str, error: Exception) -> None:
        """Where the digest is; without the names of an incident that may be private."""
        text = (
            f"🚨 Jackline cannot page for {what}: {type(error).__name__}. Call who is on call by "
            "other means. Its log says why (paging_broke); it goes on trying."
        )
        async with self.store.write() as session:
            outbox = self.paging.incidents.outbox
            key = f"paging-broke-{what}-{now():%Y%m%d%H}"  # once, by however many replicas
            await outbox.announce(session, key, "line", {"text": text})

    async def _mark(self) -> None:
        """What was declared while nobody was there to look is no old story, however long that was."""
        insert = sqlite_insert if self.store.is_sqlite else postgresql_insert
        surface, key = _LOOKED
        value = {"at": now().isoformat()}
        row = insert(Binding).values(surface=surface, key=key, value=value)
        async with self.store.write(silent=True) as session:
            await session.execute(
                row.on_conflict_do_update(index_elements=["surface", "key"], set_={"value": value})
            )

    async def _unpaged(self, session: AsyncSession, since: datetime) -> list[int]:
        """Incidents that became ones for a policy, and have not paged by it."""
        active = select(Incident.id).where(col(Incident.status).in_(ACTIVE))
        changed = select(Timeline.incident_id).where(
            col(Timeline.incident_id).in_(active),
            or_(col(Timeline.kind).in_(_WIDER), _AGAIN),
            Timeline.at > since,
        )
        query = select(Incident).where(
            col(Incident.status).in_(ACTIVE),
            col(Incident.drill).is_(False),
            or_(col(Incident.declared_at) > since, col(Incident.id).in_(changed)),
        )
        found = list((await session.execute(query.order_by(col(Incident.id)))).scalars())
        wanted = await self._wanted(session, found)
        return [number for number, missing in wanted.items() if missing]

    async def _wanted(
        self, session: AsyncSession, incidents: Sequence[Incident]
    ) -> dict[int, dict[str, Escalation]]:
        """By the origins of their pages: the policies that they page by, and have not in this life.

        A page that goes on is of this life, also where they were over, or part of another, in between.
        """
        numbers = [i.number for i in incidents]
        lives = await _lives(session, numbers)
        query = select(Page.origin, Page.state).where(col(Page.incident_id).in_(numbers))
        known = {row[0]: row[1] for row in (await session.execute(query)).all()}
        going = {":".join(of.split(":")[:3]) for of, state in known.items() if state in GOING}
        found: dict[int, dict[str, Escalation]] = {}
        for incident in incidents:
            mine = found.setdefault(incident.number, {})
            for policy in policies(self.paging.catalog, incident.severity, incident.services):
                first = f"incident:{incident.number}:{policy.id}"
                origin = f"{first}{lives[incident.number]}"
                if origin not in known and first not in going:
                    mine[origin] = policy
        return found

    async def _open(self, number: int) -> None:
        async with self.store.write() as session:
            incident = await self.paging.incidents.get(session, number)
            if incident.status not in ACTIVE:
                return
            for origin, policy in (await self._wanted(session, [incident]))[number].items():
                await self.paging.open(session, incident, of_policy(policy), "", "jackline", origin)

    async def _end(self, number: int) -> None:
        async with self.store.write() as session:
            page = await self.paging.locked(session, number)
            incident = await session.get_one(Incident, page.incident_id)
            if page.state != "ended" and incident.status not in ACTIVE:
                await self.paging.end(session, page)

    async def _next(self, number: int, step: int) -> None:
        async with self.store.write() as session:
            page = await self.paging.locked(session, number)
            if (page.state, page.step) == ("open", step):
                await self._go_on(session, page)

    async def _anew(self, number: int) -> None:
        async with self.store.write() as session:
            page = await self.paging.locked(session, number)
            if page.state == "unanswered":
                page.state, page.step, page.due_at = "open", 0, now()
                await self._go_on(session, page)
                await self.paging.incidents.outbox.digest(session, page.incident_id)

    async def _over(self, session: AsyncSession) -> list[int]:
        query = (
            select(Page.id)
            .join(Incident, col(Incident.id) == col(Page.incident_id))
            .where(col(Page.state).in_(GOING), col(Incident.status).not_in(ACTIVE))
        )
        return [number for number in (await session.execute(query)).scalars() if number]

    async def _due(self, session: AsyncSession) -> list[tuple[int, int]]:
        """Pages whose time has come, or whose last step reached nobody; each with its step."""
        query = select(Page).where(Page.state == "open").order_by(col(Page.due_at))
        waiting = list((await session.execute(query)).scalars())
        moment = now()
        return [
            (page.number, page.step)
            for page in waiting
            if page.due_at <= moment or await self._failed(session, page)
        ]

    async def _gaps(self, session: AsyncSession) -> list[int]:
        """Unanswered pages that nobody could hear of, as nobody was on call, and now somebody is."""
        query = (
            select(Page)
            .join(Incident, col(Incident.id) == col(Page.incident_id))
            .where(Page.state == "unanswered", col(Incident.status).in_(ACTIVE))
        )
        pages = [
            p for p in (await session.execute(query)).scalars() if not await self._sent(session, p)
        ]
        if not pages:
            return []
        moment = now()
        stands = await self.paging.overrides.standing(session, moment)
        return [
            page.number
            for page in pages
            if any(
                targets(self.paging.catalog, level_of(page.levels, step), moment, stands)
                for step in range(len(page.levels))
            )
        ]

    async def _failed(self, session: AsyncSession, page: Page) -> bool:
        """Whether all that was sent at the last step was refused for good."""
        states = {state for step, state in await self._sent(session, page) if step == page.step}
        return states == {"failed"}

    async def _sent(self, session: AsyncSession, page: Page) -> list[tuple[int, str]]:
        """All messages of a page: at which step, and what became of each."""
        query = select(Delivery.state, Delivery.payload).where(
            Delivery.surface == OUTSIDE,
            Delivery.op == "page",
            Delivery.incident_id == page.incident_id,
        )
        found = (await session.execute(query)).all()
        return [(p["step"], state) for state, p in found if p["page"] == page.number]

    async def _go_on(self, session: AsyncSession, page: Page) -> None:
        """Pages the next level; after the last one of the last time it is said loudly."""
        if page.step >= len(page.levels) * page.repeat:
            await self._nobody(session, page)
            return
        moment = now()
        level = level_of(page.levels, page.step)
        stands = await self.paging.overrides.standing(session, moment)
        found = targets(self.paging.catalog, level, moment, stands)
        page.step += 1
        page.due_at = moment + timedelta(seconds=level.after if found else 0)
        for target in found:
            await self._send(session, page, target)
        kind = "page_escalated" if page.step > 1 else "page_sent"
        text = f"{self._where(page)}: {self._whom(found)}"
        await self.paging.record(session, page, kind, "jackline", text, step=page.step)
        await self.paging.show(session, page)

    async def _send(self, session: AsyncSession, page: Page, target: Target) -> None:
        """Queues it, unless the last one to that address still waits: then that is on its way."""
        lane = f"page:{page.number}:{target.notifier}:{target.to}"
        query = select(Delivery.id).where(
            Delivery.surface == OUTSIDE, Delivery.lane == lane, Delivery.state == "pending"
        )
        if (await session.execute(query.limit(1))).first() is not None:
            return
        payload = {"page": page.number, "step": page.step, "notifier": target.notifier,
                   "to": target.to, "person": target.person}  # fmt: skip
        session.add(Delivery(surface=OUTSIDE, lane=lane, op="page",
                             incident_id=page.incident_id, payload=payload))  # fmt: skip
        if target.person:
            kept = hashed(token(self.key, page.number, page.step, target.person))
            if await session.get(PageLink, kept) is None:  # one person may have several addresses
                session.add(PageLink(token_hash=kept, page_id=page.number, person=target.person))
                await session.flush()

    async def _nobody(self, session: AsyncSession, page: Page) -> None:
        page.state = "unanswered"
        outbox = self.paging.incidents.outbox
        sent = await self._sent(session, page)
        tried = f"and everybody was tried {page.repeat} times" if sent else "as it reached nobody"
        text = f"Nobody acknowledged the page for {page.name}, {tried}"
        again = "" if sent else ". It goes out as soon as somebody can be reached"
        await self.paging.record(session, page, "page_unanswered", "jackline", text)
        await self.paging.show(session, page)
        await outbox.say(
            session, page.incident_id, f"unanswered-{page.number}", "line",
            {"text": f"🚨 {text}. Take command, or page somebody: /incident page WHO{again}"},
        )  # fmt: skip
        await outbox.digest(session, page.incident_id)
        loud = f"🚨 Nobody acknowledged the page for incident {page.incident_id}"
        await outbox.announce(session, f"unanswered-{page.number}", "line", {"text": loud})

    def _where(self, page: Page) -> str:
        level, times = (page.step - 1) % len(page.levels) + 1, (page.step - 1) // len(page.levels)
        again = f", time {times + 1} of {page.repeat}" if times else ""
        return f"Level {level} of {len(page.levels)} is paged for {page.name}{again}"

    def _whom(self, found: list[Target]) -> str:
        if not found:
            return "it reaches nobody"
        ways: dict[str, list[str]] = {}
        for target in found:
            person = self.paging.catalog.person(target.person)
            ways.setdefault(person.name if person else target.notifier, []).append(target.notifier)
        return "; ".join(f"{who} by {', '.join(by)}" for who, by in ways.items())


async def _looked(session: AsyncSession) -> datetime | None:
    """When somebody looked last, about."""
    row = await session.get(Binding, _LOOKED)
    return datetime.fromisoformat(row.value["at"]) if row else None


async def _lives(session: AsyncSession, numbers: list[int]) -> dict[int, str]:
    """Of incidents that go on again, since when: they page anew, as their pages had ended."""
    query = (
        select(Timeline.incident_id, func.max(Timeline.seq))
        .where(col(Timeline.incident_id).in_(numbers), _AGAIN)
        .group_by(col(Timeline.incident_id))
    )
    lives = {number: f":{seq}" for number, seq in await session.execute(query)}
    return dict.fromkeys(numbers, "") | lives

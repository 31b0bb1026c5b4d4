"""Records the facts of legal clocks: who says since when, and what was submitted when.

A person decides; the one thing that Jackline does by itself is to take an incident's declaration for
awareness, where the catalog says so. Nothing is taken back: another word about it is another row. A
clock of an incident that is merged into another runs on.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import and_, or_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from bot.catalog import Catalog, Person, Regulation
from bot.errors import BadInput, Conflict, NotAllowed
from bot.incidents.clocks import LAWS, STOPPED, Duty, duties
from bot.incidents.due import Deadline
from bot.incidents.due_tables import ClockFact
from bot.incidents.flow import Incidents
from bot.incidents.rules import ACTIVE
from bot.incidents.tables import Incident
from bot.located import near
from bot.store import Store, now

_BY_LAW = dict[str, dict[str, ClockFact]]
_DECISIONS = ("classified", "determined", STOPPED)  # they need a reason, and the right to decide
_RECENT = timedelta(hours=1)  # what was over before that is no business of a law new to the catalog
_MENDED = ("resolved", "closed")
WHY_LIMIT = 500


class Clocks:
    """In the transaction of who types or clicks; ``actor`` is as in `Incidents`."""

    def __init__(self, incidents: Incidents) -> None:
        self.incidents = incidents

    async def record(
        self, session: AsyncSession, incident: Incident, law: str, fact: str, at: datetime,
        actor: str, why: str = "",
    ) -> None:  # fmt: skip
        """A fact from which a clock runs, or that it does not apply; the same again is nothing.

        Raises `BadInput` for one that the law does not know, or that cannot be.
        """
        self.regulation(law)
        known = await facts_of(session, incident.number, law)
        _check(law, fact, at, known, why)
        anew = fact != STOPPED and STOPPED in known  # it applies after all
        if anew:
            await session.delete(known[STOPPED])
        words = "does not apply" if fact == STOPPED else f"{LAWS[law].facts[fact]}"
        since = "" if fact == STOPPED else f" since {at:%Y-%m-%d %H:%M} UTC"
        kind = "clock_stopped" if fact == STOPPED else "clock_started"
        text = f"{words}{since}{', and applies after all' if anew else ''}"
        await self._set(session, incident, law, fact, at, actor, why, kind, text, anew=anew)

    async def done(
        self, session: AsyncSession, incident: Incident, law: str, duty: str, at: datetime,
        actor: str, why: str = "",
    ) -> None:  # fmt: skip
        """That something was submitted, by a person, elsewhere. Raises `Conflict` where it is not due."""
        self.regulation(law)
        if duty not in LAWS[law].duties:
            raise BadInput(
                f"{LAWS[law].name} has no {duty[:40]!r}{near(duty, LAWS[law].duties) or '.'}",
                hint=f"There are: {', '.join(LAWS[law].duties)}.",
            )
        found = {d.id: d for d in await self.of(session, incident) if d.law == law}
        if duty not in found or found[duty].since is None:
            raise Conflict(f"The clock of that does not run: {_missing(law, found.get(duty))}.")
        begun = found[duty].since
        if begun is not None and at < begun:
            raise BadInput(f"That is before {begun:%Y-%m-%d %H:%M} UTC, from when it was due.")
        text = f"{LAWS[law].duties[duty]} submitted at {at:%Y-%m-%d %H:%M} UTC"
        await self._set(session, incident, law, duty, at, actor, why, "clock_met", text)

    async def of(self, session: AsyncSession, incident: Incident) -> list[Duty]:
        """What all laws of the catalog ask for of one incident."""
        return await standing(session, self.incidents.catalog(), incident)

    async def deadlines(
        self, session: AsyncSession, numbers: Iterable[int] | None
    ) -> dict[int, list[Deadline]]:
        """The clocks that run, of some incidents or of all."""
        laws = self.incidents.catalog().regulations
        found: dict[int, list[Deadline]] = defaultdict(list)
        if not laws:
            return found
        for number, by_law in (await _facts(session, numbers)).items():
            for law in laws:
                for duty in duties(law, by_law.get(law.id, {})):
                    if duty.at and duty.since and not duty.done:
                        title = duty.title + (", if it is major" if duty.if_major else "")
                        found[number].append(Deadline(duty.key, title, duty.at, duty.since))
        return found

    async def start(self, store: Store) -> None:
        """Starts the clocks that the catalog says run from an incident's declaration.

        Also where it was over before anybody looked: the law's clock runs on.
        """
        rules = [law for law in self.incidents.catalog().regulations if law.aware]
        if not rules:
            return
        async with store.read() as session:
            recent = and_(
                col(Incident.declared_at) > now() - _RECENT, col(Incident.status).in_(_MENDED)
            )
            query = select(Incident).where(
                or_(col(Incident.status).in_(ACTIVE), recent), ~col(Incident.drill)
            )
            found = list((await session.execute(query)).scalars())
            known = await _facts(session, [i.number for i in found])
        for law in rules:
            for each in found:
                has = known.get(each.number, {}).get(law.id, {})
                if _concerns(law, each) and not ({"aware", STOPPED} & set(has)):
                    await self._start(store, each.number, law)

    def regulation(self, law: str) -> Regulation:
        """Raises `BadInput` for one that does not apply here."""
        found = self.incidents.catalog().regulation(law)
        if law not in LAWS:
            raise BadInput(
                f"I know no law {law[:40]!r}{near(law, LAWS) or '.'}",
                hint=f"There are: {', '.join(LAWS)}.",
            )
        if found is None:
            raise BadInput(
                f"The catalog does not say that {LAWS[law].name} applies to you.",
                hint=f"If it does, put `regulations: [{{id: {law}}}]` there.",
            )
        return found

    async def _start(self, store: Store, number: int, law: Regulation) -> None:
        async with store.write() as session:
            incident = await self.incidents.get(session, number)
            known = await facts_of(session, number, law.id)
            counts = incident.status in (*ACTIVE, *_MENDED)
            if counts and not ({"aware", STOPPED} & set(known)):
                await self.record(
                    session, incident, law.id, "aware", incident.declared_at, "jackline",
                    "the catalog says so of such incidents",
                )  # fmt: skip

    async def _set(
        self, session: AsyncSession, incident: Incident, law: str, fact: str, at: datetime,
        actor: str, why: str, kind: str, text: str, *, anew: bool = False,
    ) -> None:  # fmt: skip
        """The fact, its row and what is said, in one commit; ``anew``: also where it is the same."""
        before = await session.get(ClockFact, (incident.number, law, fact))
        same = before is not None and before.at == at
        if same and not anew:
            return
        was = f", before that: {before.at:%Y-%m-%d %H:%M} UTC" if before and not same else ""
        reason = f": {why}" if why else ""
        text = f"{LAWS[law].name}: {text}{was}{reason}"
        await session.merge(
            ClockFact(incident_id=incident.number, law=law, fact=fact, at=at, by=actor, why=why)
        )
        data = {"law": law, "fact": fact, "at": at.isoformat(), "why": why}
        await self.incidents.ledger.append(session, incident.number, kind, actor, text, data=data)
        key = f"clock-{law}-{fact}-{now().timestamp()}"
        await self.incidents.outbox.say(
            session, incident.number, key, "line", {"text": text}, author=actor
        )
        await self.incidents.refresh(session, incident)


async def standing(session: AsyncSession, catalog: Catalog, incident: Incident) -> list[Duty]:
    """What all laws of the catalog ask for of an incident, done or not."""
    by_law = (await _facts(session, [incident.number])).get(incident.number, {})
    return [d for law in catalog.regulations for d in duties(law, by_law.get(law.id, {}))]


async def facts_of(session: AsyncSession, number: int, law: str) -> dict[str, ClockFact]:
    """What is recorded of one incident for one law."""
    return (await _facts(session, [number])).get(number, {}).get(law, {})


async def _facts(session: AsyncSession, numbers: Iterable[int] | None) -> dict[int, _BY_LAW]:
    query = select(ClockFact)
    if numbers is not None:
        query = query.where(col(ClockFact.incident_id).in_(list(numbers)))
    found: dict[int, _BY_LAW] = defaultdict(lambda: defaultdict(dict))
    for row in (await session.execute(query)).scalars():
        found[row.incident_id][row.law][row.fact] = row
    return found


def may_decide(person: Person, incident: Incident, fact: str) -> None:
    """Raises `NotAllowed`. Starting a clock too early does no harm, a decision may."""
    leads = person.has("commander") or incident.commander == person.id
    if fact in _DECISIONS and not leads:
        raise NotAllowed("That is decided by the incident's commander, or the role 'commander'.")
    if not (leads or person.has("responder")):
        raise NotAllowed("That needs the role 'responder' or 'commander'.")


def _check(law: str, fact: str, at: datetime, known: dict[str, ClockFact], why: str) -> None:
    facts = LAWS[law].facts
    if fact != STOPPED and fact not in facts:
        raise BadInput(
            f"{LAWS[law].name} does not count from {fact[:40]!r}{near(fact, facts) or '.'}",
            hint=f"It counts from: {', '.join(facts)}.",
        )
    if fact in _DECISIONS and not why:
        raise BadInput("Say why: who asks later wants to know.")
    if len(why) > WHY_LIMIT:
        raise BadInput(f"The reason has {len(why)} characters; {WHY_LIMIT} is the limit.")
    if fact == "classified":
        if "aware" not in known:
            raise BadInput(
                "Say first since when you are aware.", hint=f"/incident clock {law} start"
            )
        if at < known["aware"].at:
            raise BadInput(f"You are aware only since {known['aware'].at:%Y-%m-%d %H:%M} UTC.")


def _missing(law: str, duty: Duty | None) -> str:
    if duty is None:
        return "it was found not to apply"
    names = {**LAWS[law].facts, **LAWS[law].duties}
    return f"{names.get(duty.waits, duty.waits)} is not recorded"


def _concerns(law: Regulation, incident: Incident) -> bool:
    if law.aware is None or incident.severity not in law.aware.severity:
        return False
    return not law.aware.services or bool(set(law.aware.services) & set(incident.services))

"""The parts that run a runbook from a go-bag: the same engine over a journal on this machine.

No Slack, no server, no directory, no name service. The journal is an ordinary Jackline database
with one incident; its chain is sealed with a key that only the bag and who packed it have.
"""

import os
import socket
import uuid
from pathlib import Path

from sqlalchemy import func
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from bot import registry as integrations
from bot.access import Dialer
from bot.access.bags import Bag
from bot.access.codes import CodeHash, redeem
from bot.access.payload import Payload
from bot.catalog import Person
from bot.delivery import Outbox
from bot.errors import Conflict, NotAllowed, NotFound, Unavailable, Untrusted
from bot.incidents import Incident, Incidents
from bot.runbooks import Decisions, Library, Run, Runbook, RunEngine, Runs
from bot.runbooks.inputs import resolve_inputs
from bot.runbooks.journal import Journal
from bot.runbooks.merge import DATABASE
from bot.runbooks.plan import Planner
from bot.runbooks.tables import ENDED
from bot.store import Store
from bot.timeline import Entry, Ledger, Timeline, rows_of

INCIDENT = 1


class BagRoom:
    """One opened bag over one journal."""

    def __init__(self, bag: Bag, payload: Payload, runbooks: Path, journal: Path) -> None:
        self.bag = bag
        self.payload = payload
        try:
            journal.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise Unavailable(
                f"Cannot make the journal's folder {journal}: {error.strerror}.",
                hint="Give another one by --journal.",
            ) from error
        self.store = Store(f"sqlite+aiosqlite:///{journal.absolute()}/{DATABASE}")
        self.registry = integrations.load()
        self.library = Library(runbooks, self.registry)
        self.ledger = Ledger(payload.sealed.journal_key.encode())
        self.incidents = Incidents(self.ledger, Outbox(()), lambda: self.library.catalog)
        self.runs = Runs(self.incidents, self.library, in_bag=True)
        self.decisions = Decisions(self.runs)
        self.dialer = Dialer(lambda: self.library.catalog, payload.sealed.credentials)
        self.planner = Planner(self.registry, self.dialer)
        owner = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:6]}"
        self.engine = RunEngine(Journal(self.store, self.runs, owner), self.planner)

    async def open(self) -> None:
        """Raises `Untrusted` for a journal that was tampered with, `Conflict` for another bag's."""
        await self.store.migrate()
        async with self.store.read() as session:
            incident = await session.get(Incident, INCIDENT)
            if incident is None:
                return
            packed = incident.trigger.get("bag")
            if packed != self.bag.manifest.id:
                raise Conflict(
                    f"This journal was begun with another go-bag ({packed}).",
                    hint="Give that bag, or another folder by --journal.",
                )
            problems = await self.ledger.verify(session, expected=[INCIDENT])
        if problems:
            raise Untrusted(
                f"The journal was changed: row {problems[0].seq}, {problems[0].problem}."
            )

    def person(self, person_id: str) -> Person:
        """Raises `NotFound` with the names there are."""
        found = self.library.catalog.person(person_id)
        if found is None:
            known = ", ".join(p.id for p in self.library.catalog.people) or "nobody"
            raise NotFound(f"There is no person {person_id!r} in the bag.", hint=f"Known: {known}.")
        return found

    async def begin(self, runbook: Runbook, given: dict[str, str], person: Person) -> Run:
        """The run to drive: the one that this journal was left with, or a new one, being planned.

        Raises `Conflict` while another runbook's run is not over.
        """
        resolved = resolve_inputs(runbook.front.inputs, given, self.library.catalog)
        async with self.store.write() as session:
            open_ = col(Run.state).not_in(ENDED)
            query = select(Run).where(open_, col(Run.parent_id).is_(None)).order_by(col(Run.id))
            for run in (await session.execute(query)).scalars():
                if run.runbook_id == runbook.id and run.inputs == resolved:
                    return run
                raise Conflict(
                    f"This journal has an unfinished run: {run.title} is {run.state}.",
                    hint=f"Run {run.runbook_id} with the same inputs to go on with it.",
                )
            incident = await self._incident(session, runbook, person)
            count = (await session.execute(select(func.count(col(Run.id))))).scalar() or 0
            return await self.runs.start(
                session, incident, runbook.id, given, origin=f"terminal:{count + 1}", requester=""
            )

    async def last(self, runbook: Runbook) -> Run:
        """The runbook's last run here. Raises `NotFound`."""
        query = (
            select(Run).where(Run.runbook_id == runbook.id).order_by(col(Run.id).desc()).limit(1)
        )
        async with self.store.read() as session:
            run = (await session.execute(query)).scalar_one_or_none()
        if run is None:
            raise NotFound(f"This journal has no run of {runbook.id}.")
        return run

    async def _incident(self, session: AsyncSession, runbook: Runbook, person: Person) -> Incident:
        if (await session.execute(select(Incident.id))).first():
            return await self.incidents.get(session, INCIDENT)
        named = [n.partition(":") for n in (*runbook.front.triggers, *runbook.front.repairs)]
        known = [name for kind, _, name in named if kind == "service"]
        return await self.incidents.declare(
            session, title=f"Run from the go-bag: {runbook.front.title}"[:200], severity="sev1",
            actor=f"person:{person.id}", origin=f"journal:{uuid.uuid4()}",
            services=[s.id for s in self.library.catalog.services if s.id in known],
            trigger={"bag": self.bag.manifest.id},
        )  # fmt: skip

    async def take_code(self, session: AsyncSession, said: str, requester: str) -> Person:
        """Whose yes a code is; it is used up with the transaction.

        Raises `NotAllowed` for a wrong one, the requester's own, and one used before.
        """
        code: CodeHash = redeem(self.payload.sealed.codes, said)
        person = self.person(code.person)
        if person.id == requester:
            raise NotAllowed("That code is the requester's own; another person must approve.")
        query = select(Timeline.data).where(Timeline.kind == "code_used")
        if any(d.get("code") == code.mark for d in (await session.execute(query)).scalars()):
            raise NotAllowed(f"The code {code.mark} was used before.", hint="Ask for the next one.")
        await self.ledger.append(
            session, INCIDENT, "code_used", f"person:{person.id}",
            f"{person.name} gave the code {code.mark} over the phone", data={"code": code.mark},
        )  # fmt: skip
        return person

    async def rows(self, after: int) -> list[Entry]:
        """The record's rows after one."""
        async with self.store.read() as session:
            return await rows_of(session, INCIDENT, after)

"""What people ask of runs: plan, request, approve, refuse, pause, abort, undo."""

from typing import Any

from sqlalchemy import and_, delete, or_, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from bot.catalog import Person
from bot.errors import BadInput, Conflict, NotAllowed, NotFound
from bot.incidents import Incident, Incidents, family
from bot.runbooks.consent import approvers
from bot.runbooks.holds import frozen, over, require_open
from bot.runbooks.inputs import resolve_inputs
from bot.runbooks.library import Library
from bot.runbooks.model import Runbook
from bot.runbooks.roles import must_respond, whom
from bot.runbooks.tables import CHANGED, ENDED, Approval, Run, StepAttempt, TargetLock
from bot.store import now

OWN_GROUND = "it takes away what Jackline itself stands on, so it is run from the go-bag."
LIVE = ("approved", "running", "held", "paused", "unknown")


def from_the_bag(runbook: Runbook) -> str:
    """What to type instead, on a machine that stands on other ground."""
    return f"jackline run --bag FILE {typed_with_inputs(runbook)}"


def typed_with_inputs(runbook: Runbook) -> str:
    """The runbook's id, and the inputs that it cannot do without."""
    needed = [f"{name}=…" for name, spec in runbook.front.inputs.items() if spec.required]
    return " ".join([runbook.id, *needed])


class Runs:
    """The verbs of a run. Roles are checked here, at the moment of the click.

    ``in_bag``: this is a go-bag's engine, and not the server.
    """

    def __init__(self, incidents: Incidents, library: Library, *, in_bag: bool = False) -> None:
        self.incidents = incidents
        self.library = library
        self.in_bag = in_bag

    async def require_ended(self, session: AsyncSession, incident_id: int) -> None:
        """Raises `Conflict` while a run of the incident may still change something.

        Those of what is merged into it count: people may undo them there.
        """
        whole = await family(session, incident_id)
        going = select(Run).where(col(Run.incident_id).in_(whole), col(Run.state).in_(LIVE))
        if run := (await session.execute(going.limit(1))).scalar():
            raise Conflict(
                f"The runbook {run.title!r} is still running.",
                hint="Wait for its end or abort it, then resolve.",
            )

    async def require_unasked(self, session: AsyncSession, incident: Incident) -> None:
        """Raises `Conflict` while a run that a person asked for has not ended: it is decided there."""
        for run in await self.of(session, incident.number):
            if run.state in LIVE or (run.requester and run.state not in ENDED):
                raise Conflict(
                    f"The runbook {run.title!r} is {run.state} in #{incident.number}.",
                    hint="Wait for its end, refuse or abort it; then merge.",
                )

    async def going(self, session: AsyncSession, incident_id: int) -> bool:
        """Whether a run is going on or waits for a person. A proposal that nobody took up does not."""
        planned = and_(col(Run.state) == "planning", col(Run.requester) != "")
        query = select(Run.id).where(
            Run.incident_id == incident_id, or_(col(Run.state).in_((*LIVE, "waiting")), planned)
        )
        return (await session.execute(query.limit(1))).first() is not None

    async def start(
        self,
        session: AsyncSession,
        incident: Incident,
        runbook_id: str,
        inputs: dict[str, Any],
        *,
        origin: str,
        requester: str,
    ) -> Run:
        """Has a run planned. ``requester`` is a person's id, or empty for Jackline's proposal.

        The same ``origin`` again returns the same run. Raises `BadInput` for wrong inputs, and for
        a runbook that is run from the go-bag; `Conflict` in an incident that is over.
        """
        earlier = await session.execute(select(Run).where(Run.origin == origin))
        if found := earlier.scalar_one_or_none():
            return found
        require_open(incident)
        runbook = self.library.get(runbook_id)
        if runbook.front.from_bag and not self.in_bag:
            raise BadInput(f"{runbook.front.title}: {OWN_GROUND}", hint=from_the_bag(runbook))
        given = resolve_inputs(runbook.front.inputs, inputs, self.library.catalog)
        run = Run(
            incident_id=incident.number,
            runbook_id=runbook.id,
            title=runbook.front.title,
            text=runbook.text,
            digest=runbook.digest,
            path=runbook.path,
            inputs=given,
            origin=origin,
            requester=requester,
            note=self._outdated(runbook),
        )
        session.add(run)
        await session.flush()
        kind, actor = (
            ("run_requested", f"person:{requester}")
            if requester
            else ("runbook_proposed", "jackline")
        )
        text = f"Runbook {'requested' if requester else 'proposed'}: {run.title}"
        await self.record(session, run, kind, actor, text, {"runbook": run.runbook_id})
        return run

    def _outdated(self, runbook: Runbook) -> str:
        """That the file has a mistake, and what that means for the version in force."""
        problems = self.library.problems.get(runbook.path)
        return self.library.words(problems[0]) if problems else ""

    async def call(
        self, session: AsyncSession, caller: Run, key: str, runbook_id: str, inputs: dict[str, Any]
    ) -> Run:
        """A run that another run asks for, for the same person; it acts on the caller's targets."""
        incident = await self.incidents.get(session, caller.incident_id)
        run = await self.start(
            session, incident, runbook_id, inputs, origin=f"run:{caller.id}:{key}",
            requester=caller.requester,
        )  # fmt: skip
        run.parent_id = caller.number
        return run

    async def request(self, session: AsyncSession, run_id: int, person: Person) -> Run:
        """A person asks for a proposed run. A second click of the same person changes nothing."""
        must_respond(person)
        run = await self.get(session, run_id)
        if run.requester == person.id and run.state != "proposed":
            return run
        if run.state != "proposed":
            raise Conflict(f"The run is already {run.state}.")
        require_open(await self.incidents.get(session, run.incident_id))
        run.state, run.requester = "waiting", person.id
        await self.record(
            session, run, "run_requested", f"person:{person.id}", f"Asked to run: {run.title}"
        )
        await self.approve_if_enough(session, run)
        return run

    async def approve(
        self, session: AsyncSession, run_id: int, person: Person, plan_digest: str, surface: str
    ) -> Run:
        """A person's yes to the plan that they saw. Counted once per person, never the requester."""
        run = await self.get(session, run_id)
        if run.state == "waiting":
            require_open(await self.incidents.get(session, run.incident_id))
        if run.state == "waiting" and person.id in await approvers(session, run):
            await self.approve_if_enough(session, run)  # a freeze may have ended meanwhile
            return run
        if person.id in await approvers(session, run):
            return run
        self._may_approve(run, person, plan_digest)
        await session.merge(
            Approval(run_id=run_id, plan_digest=plan_digest, person=person.id, surface=surface)
        )  # merged: one of theirs may be there that has expired
        await session.flush()
        await self.record(
            session, run, "run_approved", f"person:{person.id}",
            f"Approved: {run.title}", {"digest": plan_digest, "surface": surface},
        )  # fmt: skip
        await self.approve_if_enough(session, run)
        return run

    async def refuse(self, session: AsyncSession, run_id: int, person: Person, reason: str) -> Run:
        """A person says no: the run ends."""
        must_respond(person)
        run = await self.get(session, run_id)
        if run.state not in ("proposed", "waiting"):
            raise Conflict(f"The run is already {run.state}.")
        run.state, run.ended_at = "refused", now()
        text = f"Refused: {run.title}" + (f" ({reason})" if reason else "")
        await self.record(
            session, run, "run_refused", f"person:{person.id}", text, {"reason": reason}
        )
        return run

    async def abort(self, session: AsyncSession, run_id: int, person: Person) -> Run:
        """Stops a run, also one that is being taken back: nothing new begins.

        The step in flight is finished or marked.
        """
        must_respond(person)
        run = await self.get(session, run_id)
        if run.state in ENDED:
            raise Conflict(f"The run has already ended: {run.state}.")
        await self._abort(session, run, f"person:{person.id}", f"Aborted: {run.title}")
        return run

    async def end_called(self, session: AsyncSession, caller: Run) -> None:
        """Aborts what the run called and what does not act at this moment: nobody waits for it now."""
        text = f"Aborted, as the run that called it has ended ({caller.title})"
        for number in await self._called(session, caller.number):
            run = await self.get(session, number)
            if run.state == "unknown":
                run.abort = True  # a person is still to say what happened
            elif run.state not in (*ENDED, "running") and not (run.abort or run.undo_requested):
                await self._abort(session, run, "jackline", f"{text}: {run.title}")

    async def _abort(self, session: AsyncSession, run: Run, actor: str, text: str) -> None:
        if run.abort and run.state == "running":
            return
        run.abort = True
        called = [await self.get(session, n) for n in await self._called(session, run.number)]
        for each in called:
            await self._abort(session, each, actor, f"Aborted: {each.title}")
        going = any(each.state not in ENDED for each in called)
        if run.state in ("held", "paused") and (going or await self._cut_off(session, run.number)):
            run.state, run.wake_at = "held", now()  # its targets are its own until that has stopped
        elif run.state != "running":
            run.state, run.ended_at = "aborted", now()
            if run.undo_requested:
                run.state, run.undo_requested = "failed", False
                run.error = "not taken back: the undo was aborted before it began"
            await self.unlock(session, run)
        await self.record(session, run, "run_aborted", actor, text)

    async def _cut_off(self, session: AsyncSession, run_id: int) -> bool:
        """Whether a crash left a step of a paused run in flight."""
        query = select(StepAttempt.id).where(
            StepAttempt.run_id == run_id, StepAttempt.state == "intent"
        )
        return (await session.execute(query.limit(1))).first() is not None

    async def _called(self, session: AsyncSession, run_id: int) -> list[int]:
        """Runs that it called and that have not ended."""
        query = select(Run.id).where(Run.parent_id == run_id, col(Run.state).not_in(ENDED))
        return [int(number or 0) for number in (await session.execute(query)).scalars()]

    async def pause(self, session: AsyncSession, run_id: int, person: Person) -> Run:
        """No further step begins until somebody resumes the run."""
        must_respond(person)
        run = await self.get(session, run_id)
        if run.state not in ("approved", "running", "held"):
            raise Conflict(f"The run is {run.state}: there is nothing to pause.")
        if run.undo_requested:
            raise Conflict("The run is being taken back, which cannot be paused.", hint="Abort it.")
        await self._pause(session, run, person)
        return run

    async def _pause(self, session: AsyncSession, run: Run, person: Person) -> None:
        """Also what it called; where that has not begun, it is paused as soon as it does."""
        if run.pause or run.undo_requested:
            return
        run.pause = True
        if run.state == "held":
            run.wake_at = now()  # an engine takes note, and keeps the times
        await self.record(
            session, run, "pause_requested", f"person:{person.id}", f"Pause asked for: {run.title}"
        )
        for number in await self._called(session, run.number):
            await self._pause(session, await self.get(session, number), person)

    async def resume(self, session: AsyncSession, run_id: int, person: Person) -> Run:
        """A paused run goes on where it stood."""
        must_respond(person)
        run = await self.get(session, run_id)
        if not run.pause:
            raise Conflict(f"The run is {run.state}: it is not paused.")
        run.pause = False
        if run.state == "paused":
            run.state, run.wake_at = "held", now()
        await self.record(
            session, run, "run_resumed", f"person:{person.id}", f"Resumed: {run.title}"
        )
        for number in await self._called(session, run_id):
            if (await self.get(session, number)).pause:
                await self.resume(session, number, person)
        return run

    async def undo(self, session: AsyncSession, run_id: int, person: Person) -> Run:
        """Has the steps of an ended run taken back, last one first.

        Who asks again has been told what somebody changed since, and wants it all the same.
        """
        must_respond(person)
        run = await self.get(session, run_id)
        if run.state not in ("succeeded", "failed", "aborted"):
            raise Conflict(f"The run is {run.state}: only an ended run can be undone.")
        for number in (told := [run_id]):
            called = select(Run.id).where(Run.parent_id == number)
            told += [int(each or 0) for each in (await session.execute(called)).scalars()]
        held = update(StepAttempt).where(col(StepAttempt.run_id).in_(told))
        await session.execute(held.where(col(StepAttempt.phase) == CHANGED).values(state="told"))
        await self.take_back(session, run_id, f"person:{person.id}")
        return run

    async def take_back(self, session: AsyncSession, run_id: int, actor: str) -> None:
        """Hands an ended run to the engine to be undone."""
        run = await self.get(session, run_id)
        run.state, run.undo_requested = "approved", True
        run.abort = run.pause = False
        run.ended_at, run.lease_until, run.error = None, None, ""
        await self.record(session, run, "undo_requested", actor, f"Undo asked for: {run.title}")

    async def get(self, session: AsyncSession, run_id: int) -> Run:
        """The run, locked against other writers on PostgreSQL. Raises `NotFound`.

        Its incident is locked before it, as everybody locks: incident, run, timeline.
        """
        of = await session.execute(select(Run.incident_id).where(Run.id == run_id))
        if (incident_id := of.scalar_one_or_none()) is not None:
            await self.incidents.get(session, incident_id)
        query = select(Run).where(Run.id == run_id).with_for_update()
        fresh = query.execution_options(populate_existing=True)  # it may have been read unlocked
        run = (await session.execute(fresh)).scalar_one_or_none()
        if run is None:
            raise NotFound(f"There is no run {run_id}.")
        return run

    async def of(self, session: AsyncSession, incident_id: int) -> list[Run]:
        """An incident's runs, newest first."""
        query = select(Run).where(Run.incident_id == incident_id).order_by(col(Run.id).desc())
        return list((await session.execute(query)).scalars())

    async def unlock(self, session: AsyncSession, run: Run) -> None:
        """A run that a person ends holds no target any more."""
        await session.execute(delete(TargetLock).where(col(TargetLock.run_id) == run.id))

    def _may_approve(self, run: Run, person: Person, plan_digest: str) -> None:
        if run.state != "waiting":
            raise Conflict(f"The run is {run.state}: there is nothing to approve.")
        if plan_digest != run.plan_digest:
            raise Conflict("The plan has changed since you saw it.", hint="Look at it again.")
        if not run.plan["approvals"]["count"]:
            must_respond(person)  # it needs nobody's yes, and was held back all the same
            return
        if person.id == run.requester:
            raise NotAllowed("You asked for this run, so another person must approve it.")
        who = run.plan["approvals"]["from"]
        if not person.has(who):
            raise NotAllowed(f"Approving this run needs {whom(who)}.")

    async def approve_if_enough(self, session: AsyncSession, run: Run) -> None:
        if not await self.forbids(session, run):
            run.state, run.approved_at = "approved", now()
            incident = await self.incidents.get(session, run.incident_id)
            if incident.status in ("declared", "investigating"):
                await self.incidents.set_status(session, incident, "mitigating", "jackline")
        await self.show(session, run)

    async def forbids(self, session: AsyncSession, run: Run) -> str:
        """Why the run must not begin at this moment, or ''. Roles are looked up anew."""
        glass = run.overrides.get("break_glass")
        forced = glass and glass.get("digest", run.plan_digest) == run.plan_digest
        people = set(await approvers(session, run)) - {run.requester}
        who, count = run.plan["approvals"]["from"], int(run.plan["approvals"]["count"])
        known = [self.library.catalog.person(name) for name in people]
        if not forced and sum(1 for p in known if p is not None and p.has(who)) < count:
            return "The approval is missing or has expired"
        incident = await session.get_one(Incident, run.incident_id)
        return over(incident) or frozen(run, self.library.catalog, incident.services)

    async def show(self, session: AsyncSession, run: Run) -> None:
        """Has the run's message redrawn everywhere, and the card, which says what runs."""
        await self.incidents.outbox.say(
            session, run.incident_id, f"run-{run.id}", "run", {"run_id": run.id}
        )
        await self.incidents.outbox.say(session, run.incident_id, "card", "card")

    async def record(
        self, session: AsyncSession, run: Run, kind: str, actor: str, text: str,
        data: dict[str, Any] | None = None,
    ) -> None:  # fmt: skip
        await self.incidents.ledger.append(
            session, run.incident_id, kind, actor, text, data={"run_id": run.id, **(data or {})}
        )
        if run.state != "planning":
            await self.show(session, run)

"""Puts the journal of a go-bag into an incident's record, any number of times.

What happened on both sides stays: rows are only ever added, with their own time and actor and
where they stood in the journal. Runs arrive ended, so no engine takes them up; the commander is
asked to have them reviewed, as where an approval was forced.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from bot.errors import BadInput, Conflict, Untrusted
from bot.incidents import Incident, Incidents
from bot.runbooks.agree import disagreement
from bot.runbooks.packing import journal_key
from bot.runbooks.tables import ENDED, Approval, Run, StepAttempt
from bot.store import Store, now
from bot.timeline import Entry, Ledger, Timeline, entries, rows_of

DATABASE = "journal.db"
# The journal has an incident of its own: what it says about that is not about ours.
_ITS_OWN = ("incident_declared", "status_changed", "severity_changed", "commander_assigned")
_OF_RUN = set(Run.model_fields) - {"id", "incident_id", "origin", "parent_id"}
_OF_ATTEMPT = set(StepAttempt.model_fields) - {"id", "run_id"}


@dataclass(frozen=True)
class LocalJournal:
    """A journal that was read whole, and found to be as its bag sealed it."""

    id: str
    bag: str
    incident: Incident
    rows: list[Entry]
    runs: list[Run]
    attempts: list[StepAttempt]
    approvals: list[Approval]

    @property
    def targets(self) -> set[str]:
        """What its runs acted on, or tried to."""
        return {a.target for a in self.attempts if a.target}


@dataclass(frozen=True)
class Merged:
    """What came of it."""

    incident: int
    rows: int
    runs: list[int]
    conflicts: list[int]


async def read_journal(folder: Path, audit_key: bytes) -> LocalJournal:
    """Raises `BadInput` for a folder without a journal, `Untrusted` where a row was changed."""
    path = folder / DATABASE
    if not path.is_file():
        raise BadInput(f"There is no journal in {folder}.", hint="`jackline run` says where it is.")
    store = Store(f"sqlite+aiosqlite:///{path.absolute()}")
    try:
        await store.migrate()
        async with store.read() as session:
            return await _read(session, audit_key)
    except (SQLAlchemyError, OSError, ValueError, TypeError) as error:
        raise Untrusted(f"The journal in {folder} cannot be read: {error}.") from error
    finally:
        await store.close()


async def _read(session: AsyncSession, audit_key: bytes) -> LocalJournal:
    incident = (await session.execute(select(Incident))).scalars().first()
    if incident is None:
        raise BadInput("The journal is empty: nothing was run.")
    bag = str(incident.trigger.get("bag", ""))
    ledger = Ledger(journal_key(audit_key, bag).encode())
    problems = await ledger.verify(session, expected=[incident.number])
    if problems:
        raise Untrusted(
            f"The journal was changed: row {problems[0].seq}, {problems[0].problem}.",
            hint="Nothing was merged. Was its go-bag packed by this Jackline?",
        )

    async def everything(table: Any) -> list[Any]:  # noqa: ANN401 - one of the three tables
        return list((await session.execute(select(table))).scalars())

    found = LocalJournal(
        incident.origin.removeprefix("journal:"), bag, incident,
        await rows_of(session, incident.number), await everything(Run),
        sorted(await everything(StepAttempt), key=lambda a: a.id or 0), await everything(Approval),
    )  # fmt: skip
    if wrong := disagreement(found.rows, found.runs, found.attempts, found.approvals):
        raise Untrusted(f"The journal was changed: {wrong}.", hint="Nothing was merged.")
    return found


async def merge(
    session: AsyncSession,
    incidents: Incidents,
    journal: LocalJournal,
    number: int | None,
    *,
    declare: bool = False,
) -> Merged:
    """Adds what is not there yet. Raises `Conflict` where it was merged into another incident."""
    before = await _merged_before(session, journal)
    incident = await _which(session, incidents, journal, before, number, declare=declare)
    known = {row.data["bag"]["seq"] for row in before}
    fresh = [row for row in journal.rows if row.seq not in known]
    if not fresh:
        return Merged(incident.number, 0, [], [])
    theirs = await _theirs(session, incident.number, journal, fresh)
    grown = {row.data.get("run_id") for row in fresh}
    renamed = {r.number: await _run(session, incident, journal, r, grown) for r in journal.runs}
    await _lead(session, incidents, incident, journal, fresh)
    for row in fresh:
        await _add(session, incidents.ledger, incident.number, journal, row, renamed)
    seqs = [row.seq for row in theirs]
    if theirs:
        targets = sorted({str(row.data["target"]) for row in theirs})
        await incidents.ledger.append(
            session, incident.number, "bag_conflict", "jackline",
            f"Both sides acted on {', '.join(targets)} in that time: rows {seqs} were here already",
            data={"rows": seqs, "targets": targets, "of_bag": journal.bag},
        )  # fmt: skip
    await _ask_for_review(session, incidents, incident, renamed, journal)
    return Merged(incident.number, len(fresh), sorted(renamed.values()), seqs)


async def _merged_before(session: AsyncSession, journal: LocalJournal) -> list[Entry]:
    """The journal's rows that are here, in whichever incident."""
    found = [
        row for row in await entries(session, None, col(Timeline.kind) == "bag_merged")
        if row.data.get("journal") == journal.id
    ]  # fmt: skip
    if not found:
        return []
    rows = await rows_of(session, found[0].incident_id)
    return [
        row for row in rows
        if isinstance(row.data.get("bag"), dict) and row.data["bag"].get("journal") == journal.id
    ]  # fmt: skip


async def _which(
    session: AsyncSession, incidents: Incidents, journal: LocalJournal, before: list[Entry],
    number: int | None, *, declare: bool,
) -> Incident:  # fmt: skip
    if before:
        earlier = before[0].incident_id
        if number not in (None, earlier):
            raise Conflict(f"This journal was merged into incident {earlier} before.")
        return await incidents.get(session, earlier)
    if number is None and not declare:
        raise BadInput("Which incident?", hint="Add --incident N, or --declare for a new one.")
    if number is None:
        catalog, local = incidents.catalog(), journal.incident
        return await incidents.declare(
            session, title=local.title, severity=local.severity, actor=local.declared_by,
            services=[s for s in local.services if catalog.service(s)],
            origin=f"journal:{journal.id}",
        )  # fmt: skip
    incident = await incidents.get(session, number)
    if incident.status in ("closed", "cancelled", "merged"):
        raise Conflict(
            f"Incident {number} is {incident.standing}, so nobody would review this.",
            hint="Add --declare instead: a new incident for it.",
        )
    return incident


async def _theirs(
    session: AsyncSession, number: int, journal: LocalJournal, fresh: list[Entry]
) -> list[Entry]:
    """Rows of the incident's own about the same targets, in the time of the fresh ones."""
    first, last = min(row.at for row in fresh), max(row.at for row in fresh)
    meanwhile = col(Timeline.at).between(first, last)
    return [
        row for row in await entries(session, [number], meanwhile)
        if row.data.get("target") in journal.targets and "bag" not in row.data
    ]  # fmt: skip


async def _lead(
    session: AsyncSession, incidents: Incidents, incident: Incident, journal: LocalJournal,
    fresh: list[Entry],
) -> None:  # fmt: skip
    text = f"The journal of go-bag {journal.bag} was merged: {len(fresh)} rows from {journal.id}"
    data = {
        "id": journal.bag, "journal": journal.id, "rows": len(fresh),
        "first": fresh[0].seq, "last": fresh[-1].seq, "hash": journal.rows[-1].hash,
    }  # fmt: skip
    await incidents.ledger.append(
        session, incident.number, "bag_merged", "jackline", text, data=data
    )
    await incidents.outbox.say(
        session, incident.number, f"bag-{journal.id}-{fresh[-1].seq}", "notice", {"text": text}
    )


async def _add(
    session: AsyncSession, ledger: Ledger, number: int, journal: LocalJournal, row: Entry,
    renamed: dict[int, int],
) -> None:  # fmt: skip
    """With its own time and actor; ``bag`` holds all it takes to check it against the journal."""
    where = {
        "id": journal.bag, "journal": journal.id, "seq": row.seq, "at": row.at.isoformat(),
        "hash": row.hash, "previous": row.previous, "kind": row.kind,
    }  # fmt: skip
    data = dict(row.data)
    if data.get("run_id") in renamed:
        where["run_id"] = data["run_id"]
        data["run_id"] = renamed[data["run_id"]]
    kind = f"bag_{row.kind}" if row.kind in _ITS_OWN else row.kind
    await ledger.append(
        session, number, kind, row.actor, row.text, data={**data, "bag": where}, link=row.link,
        at=row.at,
    )  # fmt: skip


async def _run(
    session: AsyncSession, incident: Incident, journal: LocalJournal, local: Run, grown: set[Any]
) -> int:
    """The run with its attempts and approvals as they stand in the journal now; its number here.

    One that has ``grown`` since an earlier merge must be reviewed anew.
    """
    origin = f"bag:{journal.id}:{local.id}"
    query = select(Run).where(Run.origin == origin)
    run = (await session.execute(query)).scalar_one_or_none()
    if run is not None and (local.number not in grown or run.state not in ENDED):
        return run.number  # taken up here meanwhile: what is here is newer
    values = {name: getattr(local, name) for name in _OF_RUN}
    if run is None:
        run = Run(incident_id=incident.number, origin=origin, **values)
        session.add(run)
    else:
        for name, value in values.items():
            setattr(run, name, value)
    _end(run, local)
    await session.flush()
    await _attempts(session, journal, local.number, run.number)
    return run.number


def _end(run: Run, local: Run) -> None:
    """No engine may take it up, and nobody may close the incident before it was reviewed."""
    run.owner, run.lease_until, run.wake_at, run.held_at = "", None, None, None
    run.abort = run.pause = run.undo_requested = False
    if local.state not in ENDED:
        run.state, run.ended_at = "failed", local.ended_at or now()
        run.error = f"merged while it was {local.state}; {local.error}".rstrip("; ")
    if local.started_at and "break_glass" not in run.overrides:
        glass = {
            "by": local.requester, "reason": "run from the go-bag", "at": now().isoformat(),
        }  # fmt: skip
        run.overrides = {**run.overrides, "break_glass": glass}


async def _attempts(session: AsyncSession, journal: LocalJournal, local: int, number: int) -> None:
    for attempt in (a for a in journal.attempts if a.run_id == local):
        values = {name: getattr(attempt, name) for name in _OF_ATTEMPT}
        if attempt.state in ("intent", "waiting"):
            values |= {"state": "unknown" if attempt.state == "intent" else "failed",
                       "error": attempt.error or "not over when it was merged"}  # fmt: skip
        query = select(StepAttempt).where(
            StepAttempt.run_id == number, StepAttempt.step == attempt.step,
            StepAttempt.phase == attempt.phase, StepAttempt.attempt == attempt.attempt,
        )  # fmt: skip
        here = (await session.execute(query)).scalar_one_or_none()
        if here is None:
            session.add(StepAttempt(run_id=number, **values))
        else:
            for name, value in values.items():
                setattr(here, name, value)
    for said in (a for a in journal.approvals if a.run_id == local):
        await session.merge(
            Approval(run_id=number, plan_digest=said.plan_digest, person=said.person,
                     surface=said.surface, at=said.at)
        )  # fmt: skip
    await session.flush()


async def _ask_for_review(
    session: AsyncSession, incidents: Incidents, incident: Incident, renamed: dict[int, int],
    journal: LocalJournal,
) -> None:  # fmt: skip
    for local in journal.runs:
        number = renamed[local.number]
        await incidents.outbox.say(
            session, incident.number, f"run-{number}", "run", {"run_id": number}
        )
        if local.started_at:
            text = (
                f"{local.title} was run from the go-bag and must be reviewed by an approver: "
                f"/runbook review {number} WORDS"
            )
            await incidents.outbox.say(
                session, incident.number, f"run-{number}-glass", "notice", {"text": text}
            )

"""What stands in an incident, in plain lines drawn from state and timeline by rules alone.

The hand-over note, the overview and the catch-up of somebody who joins late are made of these.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, func, select

from bot.catalog import Catalog
from bot.chat.blocks import cut
from bot.chat.update_card import next_update
from bot.incidents import ACTIVE, Incident, Task, family
from bot.incidents.roles import ROLES
from bot.incidents.tasks import tasks_of
from bot.incidents.updates import latest
from bot.runbooks import Run, StepAttempt
from bot.store import now
from bot.timeline import Timeline, entries

_LATEST = 3  # notes and the like: more is what the channel is for
_TASKS = 10
_LINE = 300  # characters of one line
_OVER = ("succeeded", "failed", "refused", "aborted")
_WAITS = {
    "unknown": "somebody decides whether it happened, in", "waiting": "somebody approves",
    "proposed": "somebody looks at the plan of",
}  # fmt: skip
_TRIED = ("succeeded", "failed", "aborted", "unknown")


@dataclass(frozen=True)
class Standing:
    """One line each, in the order in which people ask; empty where there is nothing to say."""

    what: str
    people: str
    impact: str
    tried: tuple[str, ...]
    runs: tuple[str, ...]
    ahead: str
    tasks: tuple[str, ...]
    update: str
    latest: tuple[str, ...]

    @property
    def lines(self) -> list[str]:
        """All that is known."""
        found = [
            self.what, self.people, self.impact, *self.tried, *self.runs, self.ahead, *self.tasks,
            self.update, *self.latest,
        ]  # fmt: skip
        return [cut(line, _LINE) for line in found if line]


async def standing(session: AsyncSession, catalog: Catalog, incident: Incident) -> Standing:
    """What stands now. Reads only."""
    number = incident.number
    query = select(Run).where(Run.incident_id == number, col(Run.parent_id).is_(None))
    runs = list((await session.execute(query.order_by(col(Run.id)))).scalars())
    going = [run for run in runs if run.state not in (*_OVER, "proposed", "planning")]
    drill = "DRILL, " if incident.drill else ""
    since = f"{incident.declared_at:%Y-%m-%d %H:%M} UTC, {lasted(incident.declared_at)} ago"
    return Standing(
        what=f"{drill}#{number} {incident.severity}, {incident.standing}: {incident.title} "
        f"(declared {since})",
        people=_people(catalog, incident),
        impact=await _impact(session, catalog, incident),
        tried=tuple(f"Tried: {run.title}, {run.state}" for run in runs if run.state in _TRIED),
        runs=tuple([await _going(session, run) for run in going]),
        ahead=_ahead(incident, runs),
        tasks=tuple(_tasks(catalog, await tasks_of(session, await family(session, number)))),
        update=await _update(session, catalog, incident),
        latest=tuple(await _latest(session, catalog, number)),
    )


def person_name(catalog: Catalog, person_id: str) -> str:
    """As people call them; plain text."""
    person = catalog.person(person_id)
    return person.name if person else person_id


def lasted(since: datetime, until: datetime | None = None) -> str:
    """``12 min``, ``3 h 05 min``, ``4 days``."""
    span = (until or now()) - since
    minutes = max(0, int(span / timedelta(minutes=1)))
    if minutes < 60:  # noqa: PLR2004 - minutes of an hour
        return f"{minutes} min"
    if minutes < 48 * 60:
        return f"{minutes // 60} h {minutes % 60:02d} min"
    return f"{minutes // 1440} days"


def clock(at: datetime) -> str:
    """``14:30 UTC``, with its day where that is not today."""
    return f"{at:{'%H:%M' if at.date() == now().date() else '%Y-%m-%d %H:%M'}} UTC"


async def next_step(session: AsyncSession, run: Run) -> str:
    """The heading of the step that a run is at or comes to; empty when there is none."""
    query = select(StepAttempt).where(
        StepAttempt.run_id == run.number, StepAttempt.phase == "do", StepAttempt.state == "done"
    )
    done = {each.step.partition("[")[0] for each in (await session.execute(query)).scalars()}
    left = (step for step in run.plan.get("steps", []) if step["id"] not in done)
    return str(next((step["heading"] for step in left), ""))


async def _going(session: AsyncSession, run: Run) -> str:
    step = await next_step(session, run)
    return f"Runs now: {run.title}, {run.state}" + (f"; next step: {step}" if step else "")


def _tasks(catalog: Catalog, tasks: list[Task]) -> list[str]:
    more = [f"… and {len(tasks) - _TASKS} more open tasks"] if len(tasks) > _TASKS else []
    return [_task(catalog, task) for task in tasks[:_TASKS]] + more


def _task(catalog: Catalog, task: Task) -> str:
    who = person_name(catalog, task.owner) if task.owner else "nobody's"
    due = f", by {task.due_at:%Y-%m-%d %H:%M} UTC" if task.due_at else ""
    return f"Open: {task.name}, {who}{due}: {task.text}"


def _people(catalog: Catalog, incident: Incident) -> str:
    holders = incident.holders
    named = [
        f"{title}: {person_name(catalog, holders[role]) if role in holders else 'nobody'}"
        for role, title in ROLES.items()
        if role in holders or role == "commander"
    ]
    return "; ".join(named)[:1].upper() + "; ".join(named)[1:]


async def _impact(session: AsyncSession, catalog: Catalog, incident: Incident) -> str:
    found = [catalog.service(service) for service in incident.services]
    named = ", ".join(f"{s.title} ({s.tier})" for s in found if s)
    query = select(func.count()).where(
        Timeline.incident_id == incident.number, Timeline.kind == "alert_received"
    )
    count = (await session.execute(query)).scalar_one()
    alerts = f"{count} alert{'' if count == 1 else 's'} so far" if count else ""
    return "; ".join(part for part in (f"Affects {named}" if named else "", alerts) if part)


def _ahead(incident: Incident, runs: list[Run]) -> str:
    """What the next thing is that a person must do, by the state alone."""
    if incident.status == "resolved":
        return "Next: what is left to do, then /incident close"
    if incident.status not in ACTIVE:
        return ""
    for state, wanted in _WAITS.items():
        if run := next((run for run in reversed(runs) if run.state == state), None):
            return f"Next: {wanted} {run.title}"
    if not incident.commander:
        return "Next: somebody takes command, /incident lead"
    return ""


async def _update(session: AsyncSession, catalog: Catalog, incident: Incident) -> str:
    """The last words to an audience, and when the next are due; what `due_blocks` says in short."""
    found = await latest(session, [incident.number])
    sent = {audience: update for (_, audience), update in found.items()}
    due = next_update(catalog, incident, sent)
    ahead = ""
    if due is not None:
        at, audience = due
        whom = f" to {audience}" if audience != "internal" else ""
        ahead = f"{'overdue' if at <= now() else 'the next is due'}{whom} {clock(at)}"
    last = max(sent.values(), key=lambda each: each.sent_at or each.written_at, default=None)
    if last is None:
        return f"No update yet; {ahead}" if ahead else ""
    told = f"Last update to {last.audience}, {clock(last.sent_at or last.written_at)}"
    return f"{'; '.join(filter(None, (told, ahead)))}: {last.text}"


async def _latest(session: AsyncSession, catalog: Catalog, number: int) -> list[str]:
    """The last things that people wrote, oldest first."""
    written = col(Timeline.kind).in_(("note_added", "decision_made"))
    rows = await entries(session, [number], written, last=_LATEST)
    return [
        f"{clock(row.at)} {person_name(catalog, row.actor.partition(':')[2])}: {row.text}"
        for row in rows
    ]

"""Reads what figures and digests are of: incidents, the rows that their clocks stand on, follow-ups."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, or_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from bot.incidents import ACTIVE, Incident, Task
from bot.postmortems.editing.followups import open_actions
from bot.postmortems.front import cut, read
from bot.postmortems.learning.sums import Figures, Open, Past, detection, summed
from bot.postmortems.marks import clock
from bot.postmortems.tables import Postmortem
from bot.store import now
from bot.timeline import Entry, Timeline, entries

DAYS = 90
_LONGEST = 3660
_KINDS = (
    "alert_received", "alert_resolved", "incident_declared", "status_changed", "run_succeeded",
    "incident_merged", "incident_unmerged", "flapping_ended",
)  # fmt: skip
_FRONT = 20_000  # characters in which the front matter ends
_AT_ONCE = 200  # incidents whose rows are read together


async def figures(session: AsyncSession, days: int = DAYS) -> Figures:
    """Of the incidents declared in the last ``days``, as everybody may see them."""
    moment = now()
    since = moment - timedelta(days=min(max(days, 1), _LONGEST))
    query = select(Incident).where(
        col(Incident.declared_at) >= since, ~col(Incident.drill), ~col(Incident.private),
        col(Incident.status) != "cancelled", col(Incident.merged_into).is_(None),
    )  # fmt: skip
    incidents = list((await session.execute(query.order_by(col(Incident.id)))).scalars())
    past = await past_of(session, incidents)
    return summed(past, await open_now(session, moment), since.date(), moment.date())


async def past_of(
    session: AsyncSession, incidents: Sequence[Incident], *, clocks: bool = True
) -> list[Past]:
    """These with their patterns, and with their ``clocks``, for which their rows are read."""
    past: list[Past] = []
    for at in range(0, len(incidents), _AT_ONCE):
        some = incidents[at : at + _AT_ONCE]
        numbers = [i.number for i in some]
        rows = await _rows(session, numbers) if clocks else {}
        named = await patterns_of(session, numbers)
        past += [_one(i, rows.get(i.number, []), named.get(i.number, ())) for i in some]
    return past


async def _rows(session: AsyncSession, numbers: Sequence[int]) -> dict[int, list[Entry]]:
    looked_at = or_(col(Timeline.kind).in_(_KINDS), col(Timeline.actor).startswith("person:"))
    rows: dict[int, list[Entry]] = {}
    for row in await entries(session, numbers, looked_at):
        rows.setdefault(row.incident_id, []).append(row)
    return rows


def _one(incident: Incident, rows: list[Entry], patterns: tuple[str, ...]) -> Past:
    declared = min((r.seq for r in rows if r.kind == "incident_declared"), default=0)
    alerts = sorted((r for r in rows if r.kind == "alert_received"), key=lambda r: r.seq)
    # what declares an incident is recorded right behind its declaration
    first = next((r.data for r in alerts if r.seq <= declared + 1 or not declared), None)
    first = first or (alerts[0].data if alerts else None)
    return Past(
        incident.number, incident.severity, incident.declared_at,
        detection(incident.declared_by, first), clock(rows), patterns,
        incident.title, incident.drill, incident.status in ACTIVE,
    )  # fmt: skip


async def patterns_of(session: AsyncSession, numbers: Sequence[int]) -> dict[int, tuple[str, ...]]:
    """Those that the front matter of these incidents' postmortems names."""
    begun = func.substr(Postmortem.markdown, 1, _FRONT)
    query = select(Postmortem.incident_id, begun).where(col(Postmortem.incident_id).in_(numbers))
    return {number: _patterns(text) for number, text in (await session.execute(query)).all()}


def _patterns(markdown: str) -> tuple[str, ...]:
    """Those that a postmortem's front matter names, each once."""
    head = cut(markdown)[0]
    if "patterns:" not in head or "\npatterns: []\n" in head:  # reading YAML takes long
        return ()
    named = read(head).get("patterns")
    found = [e.get("id") if isinstance(e, dict) else e for e in named] if isinstance(named, list) else []  # fmt: skip
    return tuple(dict.fromkeys(str(each)[:64] for each in found if each))


async def open_now(session: AsyncSession, moment: datetime) -> list[Open]:
    """Follow-ups of incidents that everybody may see, with their tickets."""
    query = (
        select(Task)
        .join(Incident, col(Incident.id) == col(Task.incident_id))
        .where(col(Task.state) == "open", col(Task.after), ~col(Incident.private), ~col(Incident.drill))
    )  # fmt: skip
    tickets = {
        (a.incident_id, a.task): a for a in await open_actions(session) if a.ticket != "gone"
    }
    found = []
    for task in (await session.execute(query)).scalars():
        days, late = (moment - task.created_at).days, bool(task.due_at and task.due_at < moment)
        ticket = tickets.get((task.incident_id, task.number))
        named = (ticket.reference, ticket.url) if ticket else ("", "")
        found.append(Open(task.incident_id, task.text, days, late, *named))
    return found

"""Reads what a draft is told about beside its own record: past incidents, and what they left open."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from bot.incidents import Incident, Task
from bot.postmortems.case import Action, Around, Related

_OVER = ("resolved", "closed")
_BACK = timedelta(days=365)
_READ, _SHOWN = 500, 8


async def around(session: AsyncSession, incident: Incident) -> Around:
    """Incidents of the year before that touched one of its services, and all open actions of both.

    Nobody is told of private incidents; drills stand beside drills only.
    """
    query = (
        select(Incident)
        .where(col(Incident.status).in_(_OVER), col(Incident.drill) == incident.drill)
        .where(col(Incident.id) != incident.number, ~col(Incident.private))
        .where(
            col(Incident.declared_at) < incident.declared_at,
            col(Incident.declared_at) > incident.declared_at - _BACK,
            col(Incident.merged_into).is_(None),
        )
        .order_by(col(Incident.id).desc())
        .limit(_READ)
    )
    past = [_related(each) for each in (await session.execute(query)).scalars()]
    shared = [each for each in past if set(each.services) & set(incident.services)][:_SHOWN]
    merged = select(Incident.id).where(Incident.merged_into == incident.number)
    inside = [number for number in (await session.execute(merged)).scalars() if number is not None]
    numbers = [incident.number, *inside, *(each.number for each in shared)]
    open_ = select(Task).where(col(Task.incident_id).in_(numbers), Task.state == "open")
    tasks = list((await session.execute(open_.order_by(col(Task.id)))).scalars())
    links = tuple((str(link.get("title", "")), str(link.get("url", ""))) for link in incident.links)
    return Around(tuple(shared), _actions(tasks), looked=True, links=links)


def _related(incident: Incident) -> Related:
    ended = incident.resolved_at
    took = (ended - incident.declared_at).total_seconds() / 60 if ended else None
    return Related(
        incident.number, incident.title, incident.severity, incident.declared_at, took,
        tuple(incident.services),
    )  # fmt: skip


def _actions(tasks: Sequence[Task]) -> tuple[Action, ...]:
    return tuple(
        Action(task.incident_id, task.name, task.text, task.owner, task.due_at) for task in tasks
    )

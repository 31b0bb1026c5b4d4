"""Reads what a draft is told about beside its own record: past incidents, and what they left open."""

from collections.abc import Callable, Sequence
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from bot.catalog import Catalog
from bot.incidents import Incident, Task
from bot.incidents.similar import Past, Similar
from bot.postmortems.case import Action, Around, Related
from bot.postmortems.learning import patterns_of

_BACK = timedelta(days=365)
_SHOWN = 8


async def around(
    session: AsyncSession, incident: Incident, catalog: Callable[[], Catalog]
) -> Around:
    """Earlier incidents that were like it, and the actions that it, they and its services' have open.

    Nobody is told of private incidents; drills stand beside drills only.
    """
    similar = Similar(catalog, patterns_of)
    past = await similar.find(session, incident.number, earlier=True, shown=_SHOWN)
    merged = select(Incident.id).where(Incident.merged_into == incident.number)
    inside = [number for number in (await session.execute(merged)).scalars() if number is not None]
    numbers = [incident.number, *inside, *(each.number for each in past)]
    tasks = [*await _open(session, numbers), *await _of_services(session, incident, numbers)]
    links = tuple((str(link.get("title", "")), str(link.get("url", ""))) for link in incident.links)
    return Around(tuple(map(_related, past)), _actions(tasks), looked=True, links=links)


async def _open(session: AsyncSession, numbers: Sequence[int]) -> list[Task]:
    query = select(Task).where(col(Task.incident_id).in_(numbers), Task.state == "open")
    return list((await session.execute(query.order_by(col(Task.id)))).scalars())


async def _of_services(session: AsyncSession, incident: Incident, but: Sequence[int]) -> list[Task]:
    """Open ones of the year before that its services' other incidents left, alike or not."""
    query = (
        select(Task, Incident.services)
        .join(Incident, col(Incident.id) == col(Task.incident_id))
        .where(
            Task.state == "open", col(Task.after), col(Incident.drill) == incident.drill,
            ~col(Incident.private), col(Incident.id).not_in(but),
            col(Incident.declared_at) < incident.declared_at,
            col(Incident.declared_at) > incident.declared_at - _BACK,
        )
        .order_by(col(Task.id))
    )  # fmt: skip
    rows = (await session.execute(query)).all()
    return [task for task, services in rows if set(services) & set(incident.services)]


def _related(past: Past) -> Related:
    return Related(
        past.number, past.title, past.severity, past.declared_at, past.minutes, past.services,
        past.because, past.ended,
    )  # fmt: skip


def _actions(tasks: Sequence[Task]) -> tuple[Action, ...]:
    return tuple(
        Action(task.incident_id, task.name, task.text, task.owner, task.due_at) for task in tasks
    )

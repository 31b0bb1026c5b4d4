"""What keeps a run from beginning although people have agreed to it: its incident is over, a change
freeze, a taken target.
"""

from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session
from sqlmodel import col, select

from bot.catalog import Catalog
from bot.errors import Conflict
from bot.incidents import Incident, require_unmerged
from bot.runbooks import statements
from bot.runbooks.tables import Run, TargetLock
from bot.store import now


def over(incident: Incident) -> str:
    """That nothing is run in the incident any more, in words, or ''."""
    ended = incident.status in ("closed", "cancelled", "merged")
    return f"#{incident.number} is {incident.standing}: nothing is run in it" if ended else ""


def require_open(incident: Incident) -> None:
    """Raises `Conflict` for an incident in which nothing is run any more."""
    require_unmerged(incident)
    if why := over(incident):
        raise Conflict(f"{why}.", hint="/incident reopen opens it again.")


def frozen(run: Run, catalog: Catalog, services: list[str]) -> str:
    """The change freeze that holds the run back at this moment, in words, or ''."""
    freeze = catalog.frozen(now(), services)
    if not freeze or not run.plan["freeze"]["honour"] or "freeze" in run.overrides:
        return ""
    return f"The change freeze {freeze.name!r} holds until {freeze.until:%Y-%m-%d %H:%M} UTC"


def lent(connection: Connection | Session, holder: int, caller: int | None) -> bool:
    """Whether the holder of a target is who called the run, or called that one, and so on."""
    while caller is not None and caller != holder:
        caller = connection.execute(statements.PARENT, {"of": caller}).scalar()
    return caller == holder


async def held_up(session: AsyncSession, run: Run, catalog: Catalog) -> str:
    """The same for the run's message, with what to do about it; '' if nothing does."""
    if run.state == "waiting" and "freeze" in run.plan:
        incident = await session.get_one(Incident, run.incident_id)
        if why := over(incident):
            return why
        why = frozen(run, catalog, incident.services)
        return f"{why}: /runbook override {run.id} WHY" if why else ""
    if run.state != "approved":
        return ""
    query = select(TargetLock).where(
        col(TargetLock.target).in_(run.plan.get("targets", [])), TargetLock.run_id != run.id
    )
    for lock in (await session.execute(query.order_by(TargetLock.target))).scalars():
        if not await session.run_sync(lent, lock.run_id, run.parent_id):
            return f"It waits for {lock.target}, on which run {lock.run_id} acts"
    return ""

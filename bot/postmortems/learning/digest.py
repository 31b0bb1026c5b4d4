"""Reads what a week's digest is of. Private incidents are never in it, whoever asks."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, or_, select

from bot.catalog import Catalog
from bot.incidents import Incident
from bot.incidents.due import paper_due
from bot.postmortems.editing.states import FINAL, REVIEW
from bot.postmortems.learning.flow import open_now, past_of
from bot.postmortems.learning.weekly import RECENT, Due, Weekly, weekly
from bot.postmortems.learning.weeks import Week, week_of
from bot.postmortems.patterns.catalogue import catalogue
from bot.postmortems.tables import Postmortem
from bot.store import now

_NONE = "not drafted"


def asked_week(catalog: Catalog, text: str) -> Week:
    """The week that somebody names, or the last one, in the first digest's time zone. Raises `BadInput`."""
    timezone = catalog.digests[0].timezone if catalog.digests else "UTC"
    return week_of(text, timezone, now())


async def digest(session: AsyncSession, catalog: Catalog, week: Week) -> Weekly:
    """The week as it is known now; what is open is open now."""
    at = now()
    query = select(Incident).where(
        col(Incident.declared_at) >= min(week.before.since, week.until - RECENT),
        col(Incident.declared_at) < week.until, ~col(Incident.private),
        col(Incident.status) != "cancelled", col(Incident.merged_into).is_(None),
    )  # fmt: skip
    incidents = list((await session.execute(query.order_by(col(Incident.id)))).scalars())
    inside = [i for i in incidents if i.declared_at >= week.since]
    others = [i for i in incidents if i.declared_at < week.since]
    past = [*await past_of(session, inside), *await past_of(session, others, clocks=False)]
    papers = await _papers(session, catalog, at)
    return weekly(week, at, past, papers, await open_now(session, at), pattern_titles())


def pattern_titles() -> Mapping[str, str]:
    """What the patterns that ship are called."""
    return {each.id: each.title for each in catalogue().patterns}


async def _papers(session: AsyncSession, catalog: Catalog, at: datetime) -> list[Due]:
    """Those that are asked for and not final, and those that somebody reviews."""
    query = (
        select(Incident, Postmortem.state)
        .outerjoin(Postmortem, col(Postmortem.incident_id) == col(Incident.id))
        .where(~col(Incident.private), ~col(Incident.drill), col(Incident.merged_into).is_(None))
        .where(
            or_(
                (col(Incident.status) == "resolved")
                & or_(col(Postmortem.state).is_(None), col(Postmortem.state) != FINAL),
                (col(Incident.status) == "closed") & (col(Postmortem.state) == REVIEW),
            )
        )
    )
    found = []
    for incident, stored in (await session.execute(query)).all():
        due_at, state = paper_due(incident, catalog.severity(incident.severity)), stored or _NONE
        if due_at or state == REVIEW:
            late = bool(due_at and due_at < at)
            found.append(Due(incident.number, incident.title, state, due_at, late))
    return found

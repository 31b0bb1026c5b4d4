"""Rows as JSON, the same for the API and for the command line's ``--json``."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from bot.errors import NotFound
from bot.incidents import Incident, under
from bot.incidents.shown import incident_json
from bot.runbooks import Run
from bot.timeline import Ledger, rows_of
from bot.timeline.ledger import Problem


def run_json(run: Run) -> dict[str, Any]:
    """One run with its plan."""
    return {
        "id": run.number,
        "runbook": run.runbook_id,
        "title": run.title,
        "state": run.state,
        "requester": run.requester or None,
        "inputs": run.inputs,
        "plan": run.plan,
        "plan_digest": run.plan_digest,
        "error": run.error,
        "started_at": run.started_at.isoformat() if run.started_at else None,
        "ended_at": run.ended_at.isoformat() if run.ended_at else None,
    }


async def whole_incident(session: AsyncSession, number: int) -> dict[str, Any]:
    """An incident with its timeline and runs (newest first). Raises `NotFound`."""
    incident = await session.get(Incident, number)
    if incident is None:
        raise NotFound(f"There is no incident {number}.")
    query = select(Run).where(Run.incident_id == number).order_by(col(Run.id).desc())
    return {
        **incident_json(incident),
        "merged": [each.number for each in await under(session, [number])],
        "runs": [run_json(r) for r in (await session.execute(query)).scalars()],
        "timeline": [e.as_json() for e in await rows_of(session, number)],
    }


async def verified(
    session: AsyncSession, ledger: Ledger, number: int | None = None
) -> list[Problem]:
    """Every break in one incident's record, or in all; an incident without one counts too.

    Raises `NotFound`.
    """
    declared = (await session.execute(select(Incident.id))).scalars()
    expected = [each for each in declared if each is not None]
    if number is not None and number not in expected:
        raise NotFound(f"There is no incident {number}.")
    return await ledger.verify(session, number, expected=expected)

"""Whose yes counts at this moment: to a run, and to one of its steps."""

from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from bot.catalog import Catalog
from bot.runbooks.model import Approvals
from bot.runbooks.tables import Approval, Run
from bot.store import now


def approvals(count: int, whom: str) -> str:
    """``1 approval of approver``."""
    return f"{count} approval{'' if count == 1 else 's'} of {whom}"


async def approvers(session: AsyncSession, run: Run) -> list[str]:
    """Who said yes to the run's plan, first one first; a yes expires unless the run has begun."""
    expires = run.started_at is None and bool(run.plan)
    return await _said(session, run, run.plan_digest, expires=expires)


async def said_yes(session: AsyncSession, run: Run, step: str) -> list[str]:
    """Whose yes to one of the run's steps has not expired, whether or not it counts."""
    return await _said(session, run, of_step(run, step), expires=True)


async def step_approvers(
    session: AsyncSession, run: Run, step: str, who: str, catalog: Catalog
) -> list[str]:
    """Who said yes to one of the run's steps and may say so now; it expires as one to a run does.

    Roles are looked up anew, and who asked for the run never counts.
    """
    agreed = await said_yes(session, run, step)
    people = [catalog.person(name) for name in agreed if name != run.requester]
    return [person.id for person in people if person is not None and person.has(who)]


def of_step(run: Run, step: str) -> str:
    """What an approval of one step is bound to."""
    return f"{step}:{run.plan_digest}"


async def _said(session: AsyncSession, run: Run, digest: str, *, expires: bool) -> list[str]:
    query = select(Approval.person).where(Approval.run_id == run.id, Approval.plan_digest == digest)
    if expires:
        good = timedelta(seconds=run.plan["approvals"].get("ttl", Approvals().ttl))
        query = query.where(Approval.at > now() - good)
    return list((await session.execute(query.order_by(col(Approval.at)))).scalars())

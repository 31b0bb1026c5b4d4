"""Which incidents are part of others, and the groups of alerts that they hold for them."""

from collections.abc import Iterable

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from bot.errors import Conflict
from bot.incidents.tables import Incident


async def under(session: AsyncSession, numbers: Iterable[int]) -> list[Incident]:
    """All that are merged into these, straight or by others, nearest first."""
    found: list[Incident] = []
    ring = list(numbers)
    while ring:
        query = (
            select(Incident).where(col(Incident.merged_into).in_(ring)).order_by(col(Incident.id))
        )
        inner = list((await session.execute(query)).scalars())
        found += inner
        ring = [incident.number for incident in inner]
    return found


async def family(session: AsyncSession, number: int) -> list[int]:
    """An incident and all that are merged into it."""
    return [number, *(incident.number for incident in await under(session, [number]))]


async def tops(session: AsyncSession, numbers: Iterable[int]) -> dict[int, int]:
    """Each incident and where it goes on: itself, or what it is merged into at last."""
    found = {number: number for number in numbers}
    while True:
        query = select(Incident.id, Incident.merged_into).where(
            col(Incident.id).in_(set(found.values())), col(Incident.merged_into).is_not(None)
        )
        up = {row[0]: row[1] for row in (await session.execute(query)).all()}
        if not up:
            return found
        found = {number: up.get(at, at) for number, at in found.items()}


def require_unmerged(incident: Incident) -> None:
    """Raises `Conflict`: what is part of another incident is done there."""
    if incident.merged_into is not None:
        raise Conflict(
            f"#{incident.number} is merged into #{incident.merged_into}.",
            hint=f"Do it there, or /incident unmerge #{incident.number}.",
        )

"""What somebody who joins late is told, and nobody else: what stands, by plain rules."""

from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from bot.catalog import Catalog
from bot.chat.blocks import TEXT, escape, joined, section
from bot.chat.command import Reply
from bot.chat.standing import standing
from bot.incidents import Incident
from bot.store import now

LATE = timedelta(minutes=5)  # who comes sooner has missed nothing


def is_late(incident: Incident) -> bool:
    """Whether who joins now has missed something."""
    return now() - incident.declared_at > LATE


async def caught_up(session: AsyncSession, catalog: Catalog, incident: Incident) -> Reply:
    """The incident in the order in which people ask."""
    stands = await standing(session, catalog, incident)
    what, *rest = [escape(line) for line in stands.lines]
    text = joined([f"*{what}*", *(f"• {line}" for line in rest)], TEXT - 200)
    more = "`/incident this` has the buttons, `/incident tasks` the list."
    blocks = [section(f"{text}\n{more}")]
    return Reply(f"Where #{incident.number} stands", blocks, incident_id=incident.number)

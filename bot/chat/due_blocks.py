"""What the card and the digest's line show of updates and of legal clocks. Reads only."""

from sqlalchemy.ext.asyncio import AsyncSession

from bot.catalog import Catalog
from bot.chat.blocks import Block, context
from bot.chat.update_card import updates_line
from bot.incidents import Incident
from bot.incidents.updates import latest
from bot.store import now


async def due_blocks(session: AsyncSession, catalog: Catalog, incident: Incident) -> list[Block]:
    """For the card: a line for what there is, nothing where there is nothing."""
    updates = await updates_words(session, catalog, incident)
    return [context(f"📣 Updates: {updates}")] if updates else []


async def updates_words(session: AsyncSession, catalog: Catalog, incident: Incident) -> str:
    """When people were told last and when they will be next; may be empty."""
    found = await latest(session, [incident.number])
    sent = {audience: update for (_, audience), update in found.items()}
    return updates_line(catalog, incident, sent, now())

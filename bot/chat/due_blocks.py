"""What the card and the digest's line show of updates and of legal clocks. Reads only."""

from sqlalchemy.ext.asyncio import AsyncSession

from bot.catalog import Catalog
from bot.chat.blocks import Block, context
from bot.chat.clock_card import duty_words
from bot.chat.update_card import updates_line
from bot.incidents import Incident
from bot.incidents.clocks import in_order
from bot.incidents.regulated import standing
from bot.incidents.updates import latest
from bot.store import now

_CLOCKS = 4  # on the card; /incident clocks shows all


async def due_blocks(session: AsyncSession, catalog: Catalog, incident: Incident) -> list[Block]:
    """For the card: a line for what there is, nothing where there is nothing."""
    updates = await updates_words(session, catalog, incident)
    clocks = await _clocks(session, catalog, incident)
    lines = [f"📣 Updates: {updates}"] if updates else []
    return [context(line) for line in [*lines, *([clocks] if clocks else [])]]


async def _clocks(session: AsyncSession, catalog: Catalog, incident: Incident) -> str:
    """The clocks that run, the first due one first; nothing where no law applies."""
    if not catalog.regulations:
        return ""
    found = [d for d in in_order(await standing(session, catalog, incident)) if d.running]
    return f"⚖️ {'; '.join(duty_words(d, now()) for d in found[:_CLOCKS])}" if found else ""


async def updates_words(session: AsyncSession, catalog: Catalog, incident: Incident) -> str:
    """When people were told last and when they will be next; may be empty."""
    found = await latest(session, [incident.number])
    sent = {audience: update for (_, audience), update in found.items()}
    return updates_line(catalog, incident, sent, now())

"""A postmortem's card as it stands now: as an answer, and as the message that has its places."""

from sqlalchemy.ext.asyncio import AsyncSession

from bot.catalog import Catalog
from bot.chat.blocks import Block, section
from bot.chat.paper_card import paper_blocks
from bot.incidents import Incident
from bot.postmortems import Postmortem
from bot.postmortems.editing.papers import standing_of
from bot.postmortems.editing.publishing import spots_of


async def shown_paper(
    session: AsyncSession, catalog: Catalog, incident: Incident, paper: Postmortem, base: str | None
) -> list[Block]:
    """``base`` is where the console is, "" inside it, None where nobody knows."""
    standing = await standing_of(session, paper)
    spots = await spots_of(session, catalog, incident)
    blocks = paper_blocks(catalog, paper, standing, _pages(incident.number, base), spots)
    if paper.redraw_by:
        blocks.append(section("It is being drawn anew: look again in a moment."))
    return blocks


def _pages(number: int, base: str | None) -> list[str]:
    if base is None:
        return ["`/incident export` brings it as a file."]
    found = {"Read it": "postmortem", "Work on it": "postmortem/edit",
             "postmortem.html": "postmortem.html", "postmortem.md": "postmortem.md"}  # fmt: skip
    return [f"<{base}/incidents/{number}/{page}|{title}>" for title, page in found.items()]

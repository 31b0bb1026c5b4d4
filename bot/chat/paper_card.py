"""A postmortem as people see it in chat: state, link, who, what it needs, where it is, its buttons. Pure."""

from bot.catalog import Catalog
from bot.chat.blocks import Block, actions, button, context, escape, section
from bot.chat.spot_words import spot_blocks
from bot.chat.standing import person_name
from bot.postmortems import Postmortem
from bot.postmortems.editing.publishing import Spot
from bot.postmortems.editing.states import DRAFT, FINAL, REVIEW, Standing, counts, missing

PAPER_CLICKS = ("paper_approve", "paper_final", "paper_draft", "paper_redraw", "paper_publish")


def paper_text(paper: Postmortem) -> str:
    """For notifications; plain text."""
    being = "a draft" if paper.state == DRAFT else paper.state
    return (
        f"The postmortem of #{paper.incident_id} is {being}, drawn from {paper.drawn_from} rows "
        "of the timeline."
    )


def paper_blocks(
    catalog: Catalog, paper: Postmortem, standing: Standing, pages: list[str], spots: list[Spot]
) -> list[Block]:
    """``pages`` are links, or what is said where there are none; ``spots`` where it may be published."""
    named = {
        "Owner": person_name(catalog, standing.owner),
        "Facilitator": person_name(catalog, standing.facilitator),
    }
    who = [f"{role}: {escape(name) or 'nobody yet'}" for role, name in named.items()]
    reviewers = [
        f"{'✅' if counts(standing, each) else '▫️'} {escape(person_name(catalog, each.person))}"
        for each in standing.reviewers
    ]
    who.append(f"Reviewers: {', '.join(reviewers) or 'nobody yet'}")
    if paper.meeting_at:
        who.append(f"Meeting: {paper.meeting_at:%Y-%m-%d %H:%M} UTC")
    blocks = [section(f"{paper_text(paper)} {' · '.join(pages)}".strip()), context(" · ".join(who))]
    if paper.state != FINAL and (left := missing(standing)):
        blocks.append(context(f"Before it is final it needs {'; '.join(left)}."))
    final = paper.state == FINAL
    blocks += spot_blocks(catalog, paper.incident_id, paper.version, spots, final=final)
    return [*blocks, actions(*_buttons(paper))]


def _buttons(paper: Postmortem) -> list[Block]:
    value = str(paper.incident_id)
    back = button("Back to draft", "paper_draft", value)
    anew = button("Draw it anew", "paper_redraw", value)
    if paper.state == FINAL:
        return [back]
    if paper.state == REVIEW:
        seen = f"{value}|{paper.version}"
        approve = button("Approve", "paper_approve", seen, style="primary")
        return [approve, button("Make it final", "paper_final", value), back, anew]
    return [anew]

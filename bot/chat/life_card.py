"""The parts of the live card that follow an incident's life: what runs, what is open, what is next."""

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from bot.catalog import Catalog
from bot.chat.blocks import (
    LINKABLE,
    TEXT,
    Block,
    button,
    context,
    cut,
    dated,
    escape,
    joined,
    section,
)
from bot.chat.standing import next_step, standing
from bot.incidents import ACTIVE, Incident, Task, family
from bot.incidents.tasks import tasks_of
from bot.runbooks import Run
from bot.store import now

_GOES_ON = ("waiting", "approved", "running", "held", "paused", "unknown")
_STEP = 200  # characters of a step's heading


async def now_blocks(session: AsyncSession, incident: Incident) -> list[Block]:
    """The current run with its next step, and the open tasks."""
    blocks = []
    if run := await current_run(session, incident.number):
        step = cut(await next_step(session, run), _STEP) if run.state in _GOES_ON else ""
        text = f"*Runbook* {escape(run.title)} — *{run.state}*"
        blocks.append(section(text + (f" · next: {escape(step)}" if step else "")))
    if tasks := await tasks_of(session, await family(session, incident.number)):
        blocks.append(context(_open(tasks)))
    return blocks


async def current_run(session: AsyncSession, number: int) -> Run | None:
    """The newest that goes on, else the newest."""
    query = select(Run).where(Run.incident_id == number).order_by(col(Run.id).desc())
    going = query.where(col(Run.state).in_(_GOES_ON), col(Run.parent_id).is_(None))
    for each in (going, query):
        if run := (await session.execute(each.limit(1))).scalar_one_or_none():
            return run
    return None


async def overview_blocks(
    session: AsyncSession, catalog: Catalog, incident: Incident
) -> list[Block]:
    """What the card leaves out. The card has the rest."""
    stands = await standing(session, catalog, incident)
    lines = [escape(cut(line, _STEP)) for line in (*stands.tried, *stands.tasks, *stands.latest)]
    blocks = [section(joined(lines, TEXT))] if lines else []
    links = [
        f"<{url}|{escape(link['title'])}>"
        for link in incident.links
        if LINKABLE.fullmatch(url := escape(link["url"]))
    ]
    return [*blocks, context(joined(links, TEXT, " · "))] if links else blocks


def life_buttons(incident: Incident) -> list[Block]:
    """What fits the state; the first is the next thing to do, and the only one that stands out."""
    number = str(incident.number)
    resolve = f"Resolve incident {number}? Its postmortem is drafted then."
    export = f"Resolve incident {number}, and take its timeline along as files?"
    close = f"Close incident {number}? Nothing is left to do then."
    wanted: list[tuple[str, str, str]] = []
    if incident.status in ACTIVE:
        if not incident.commander:
            wanted.append(("Take command", "incident_lead", ""))
        if incident.status != "monitoring":
            wanted.append(("Mitigated, monitoring", "incident_monitoring", ""))
        wanted.append(("Resolve", "incident_resolve", resolve))
        wanted.append(("Resolve and export", "incident_resolve_export", export))
    elif incident.status == "resolved":
        wanted = [("Close", "incident_close", close), ("Reopen", "incident_reopen", "")]
    return [
        button(text, action, number, style="" if place else "primary", confirm=confirm)
        for place, (text, action, confirm) in enumerate(wanted)
    ]


def _open(tasks: list[Task]) -> str:
    """``3 open tasks, the next by 14:30``; mrkdwn."""
    text = f"*{len(tasks)} open task{'s' if len(tasks) > 1 else ''}*"
    late = sum(1 for task in tasks if task.due_at and task.due_at < now())
    if late:
        return f"{text}, {late} late"
    first = tasks[0].due_at
    return text + (f", the next by {dated(first)}" if first else "")

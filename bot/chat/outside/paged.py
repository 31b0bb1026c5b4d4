"""What is sent to somebody who is paged, from the state at that moment."""

from sqlalchemy.ext.asyncio import AsyncSession

from bot.catalog import Catalog
from bot.contract import Notice
from bot.delivery import Delivery, Job
from bot.incidents import Incident
from bot.paging.flow import WAITS
from bot.paging.links import token
from bot.paging.tables import Page

_SUBJECT = 200


def reached_there(catalog: Catalog, job: Job) -> bool:
    """Whether the person is still reached by that notifier at that address."""
    person = catalog.person(job.payload["person"])
    there = (job.payload["notifier"], job.payload["to"])
    return person is not None and there in {(r.notifier, r.to) for r in person.reach}


async def still_waits(session: AsyncSession, job: Job) -> bool:
    """Whether nobody has acknowledged the page yet."""
    page = await session.get(Page, job.payload["page"])
    return page is not None and page.state in WAITS


async def page_notice(session: AsyncSession, job: Job, key: bytes, public_url: str) -> Notice:
    """The page in words; of a private incident none of its own."""
    page = await session.get_one(Page, job.payload["page"])
    incident = await session.get_one(Incident, page.incident_id)
    person, step = str(job.payload["person"]), int(job.payload["step"])
    drill = "[drill] " if incident.drill else ""
    title = "private" if incident.private else incident.title
    lines = [f"Since {incident.declared_at:%H:%M} UTC, {incident.standing}. Page {page.number}.{step}."]  # fmt: skip
    if page.why and not incident.private:
        lines.append(" ".join(page.why.split()))
    if public_url:
        lines.append(f"{public_url}/incidents/{incident.number}")
    return Notice(
        id=f"jackline-page-{job.id}",
        thread=thread_of(page),
        subject=f"PAGE {drill}#{incident.number} {incident.severity.upper()}: {title}"[:_SUBJECT],
        text="\n".join(lines),
        link=f"{public_url}/ack?token={token(key, page.number, step, person)}"
        if public_url and person
        else "",
        at=(await session.get_one(Delivery, job.id)).created_at,  # of this step, not of the first
    )


def thread_of(page: Page) -> str:
    """The same for all that is sent about one page: what other systems know it by."""
    return f"jackline-page-{page.number}-{int(page.opened_at.timestamp())}"

"""Where the link of a page leads. Looking at it does nothing: mail scanners follow links, too."""

import re

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from bot.chat.console.desk import Desk
from bot.errors import NotFound
from bot.incidents import Incident
from bot.paging.tables import Page

_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")


async def look(desk: Desk, request: Request) -> Response:
    """What the page is about, and the button; nothing that the message did not say."""
    given = _token(request)
    async with desk.store.read() as session:
        link = await desk.clicks.paging.link(session, given)
        page = await session.get_one(Page, link.page_id)
        incident = await session.get_one(Incident, page.incident_id)
    return _drawn(desk, page, incident, link.person)


async def acknowledge(desk: Desk, request: Request) -> Response:
    """The button. The link works once; a second click shows who has it."""
    given = _token(request)
    async with desk.store.read() as session:  # who guesses does not keep others from writing
        await desk.clicks.paging.link(session, given)
    async with desk.store.write() as session:
        page = await desk.clicks.paging.acknowledge_by_link(session, given)
        link = await desk.clicks.paging.link(session, given)
        incident = await session.get_one(Incident, page.incident_id)
    return _drawn(desk, page, incident, link.person)


def _drawn(desk: Desk, page: Page, incident: Incident, person: str) -> Response:
    body = desk.draw(
        "ack.html", me=None, page=page, incident=incident, who=desk.cards.name(f"person:{person}"),
        by=desk.cards.name(page.acknowledged_by) if page.acknowledged_by else "",
    )  # fmt: skip
    return HTMLResponse(body)


def _token(request: Request) -> str:
    given = request.query_params.get("token", "")
    if not _TOKEN.fullmatch(given):
        raise NotFound("This link leads to no page.", hint="Open the console instead.")
    return given

"""The page of figures over many incidents, and its picture."""

import asyncio

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from bot.catalog import Person
from bot.chat.console.desk import Desk
from bot.postmortems.learning import Figures, figures
from bot.postmortems.learning.flow import DAYS
from bot.postmortems.page import span


async def page(desk: Desk, request: Request, person: Person) -> Response:
    """Counts, medians and open follow-ups of the last days."""
    days = _days(request)
    found = await _found(desk, days)
    return HTMLResponse(desk.draw("figures.html", me=person, found=found, days=days, span=span))


async def picture(desk: Desk, request: Request, person: Person) -> Response:
    """PNG."""
    del person
    from bot.postmortems.learning.picture import picture as draw  # noqa: PLC0415 - matplotlib is slow to load

    found = await _found(desk, _days(request))
    return Response(await asyncio.to_thread(draw, found), media_type="image/png")


async def _found(desk: Desk, days: int) -> Figures:
    async with desk.store.read() as session:
        return await figures(session, days)


def _days(request: Request) -> int:
    typed = request.query_params.get("days", "")
    return int(typed[:4]) or DAYS if typed.isascii() and typed.isdigit() else DAYS

"""The page that shows who is on call, who comes next, and who stands in."""

import asyncio

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from bot.catalog import Person
from bot.chat.console.desk import Desk
from bot.contract import Duty

PATIENCE = 3.0  # seconds for other pagers: our own schedules are what is here for certain


async def oncall(desk: Desk, request: Request, person: Person) -> Response:
    """Every schedule, and what other pagers say in time."""
    del request
    async with desk.store.read() as session:
        found = await desk.commands.oncall.rosters(session)
    elsewhere: list[tuple[str, list[Duty]]] = []
    late = False
    try:
        async with asyncio.timeout(PATIENCE):
            elsewhere = await desk.commands.oncall.elsewhere()
    except TimeoutError:
        late = True
    page = desk.draw("oncall.html", me=person, rosters=found, elsewhere=elsewhere, late=late)
    return HTMLResponse(page)

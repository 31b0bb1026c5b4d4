"""The page that shows who is on call, who comes next, and who stands in."""

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from bot.catalog import Person
from bot.chat.console.desk import Desk


async def oncall(desk: Desk, request: Request, person: Person) -> Response:
    """Every schedule, and what other pagers say within a few seconds."""
    del request
    async with desk.store.read() as session:
        found = await desk.commands.oncall.rosters(session)
    elsewhere = await desk.commands.oncall.elsewhere()
    page = desk.draw("oncall.html", me=person, rosters=found, elsewhere=elsewhere)
    return HTMLResponse(page)

"""The page of the settings, for the platform team: read only, and secrets as set or not set."""

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from bot.catalog import Person
from bot.chat.console.desk import Desk
from bot.errors import NotAllowed


async def settings(desk: Desk, request: Request, person: Person) -> Response:
    """Every setting, its value and where that came from. Raises `NotAllowed`."""
    del request
    if not person.has("admin"):
        raise NotAllowed("The settings are for the platform team: that needs the role 'admin'.")
    page = desk.draw("settings.html", me=person, rows=desk.settings())
    return HTMLResponse(page)

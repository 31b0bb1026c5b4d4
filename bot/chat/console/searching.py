"""The page that searches all incidents."""

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from bot.catalog import Person
from bot.chat.console.desk import Desk
from bot.errors import BadInput
from bot.postmortems.search import Found, Search


async def search(desk: Desk, request: Request, person: Person) -> Response:
    """The words in the address, so that a search can be kept and shared; each sees what they may."""
    typed = request.query_params.get("q", "")
    found: list[Found] = []
    problem = ""
    if typed.strip():
        try:
            async with desk.store.read() as session:
                found = await Search(desk.catalog).find(session, typed, person)
        except BadInput as error:
            problem = str(error)
    page = desk.draw("search.html", me=person, typed=typed, found=found, problem=problem)
    return HTMLResponse(page, status_code=400 if problem else 200)

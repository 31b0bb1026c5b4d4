"""The page that shows what stands on what, which runbooks still run when something is down, drills."""

import asyncio

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from bot.access.bag_drills import bag_standing
from bot.access.drills import standings
from bot.access.graph import PARTS, VITAL, graph_of, named, shown
from bot.access.picture import picture
from bot.catalog import Person
from bot.chat.console.desk import Desk
from bot.errors import BadInput
from bot.runbooks.whatif import WhatIf, ways
from bot.store import now

_LONGEST = 1000  # of what is asked for


async def access(desk: Desk, request: Request, person: Person) -> Response:
    """The picture, and an answer for ``?down=``."""
    down = _down(request)
    library, catalog = desk.runs.library, desk.catalog()
    async with desk.store.read() as session:
        drills = await standings(session, catalog, now())
        bag = await bag_standing(session)

    def drawn() -> str:
        question = WhatIf(library.runbooks, catalog, library.registry)
        failed = named(question.graph, down) if down else []
        answers = [question.down(each, failed) for each in library.runbooks.values()]
        own = question.own(failed)
        return desk.draw(
            "access.html",
            me=person,
            down=down,
            answers=[(answer, list(ways(answer))) for answer in answers] if down else [],
            bag=bag.words(now()) if bag else "",
            drills=[(each.cells(), each.wrong) for each in drills],
            own=[(PARTS[part], part in VITAL, shown(chain)) for part, chain in own.items()],
        )

    return HTMLResponse(await asyncio.to_thread(drawn))


async def access_picture(desk: Desk, request: Request, person: Person) -> Response:
    """The picture alone, as SVG."""
    del person
    down, catalog = _down(request), desk.catalog()

    def drawn() -> str:
        failed = named(graph_of(catalog), down) if down else []
        return picture(catalog, failed)

    return Response(await asyncio.to_thread(drawn), media_type="image/svg+xml")


def _down(request: Request) -> str:
    down = request.query_params.get("down", "").strip()
    if len(down) > _LONGEST:
        raise BadInput("That is too much at once.")
    return down

"""An incident's files for taking away. Attached, so that nothing of them runs as our page."""

from starlette.requests import Request
from starlette.responses import Response

from bot.catalog import Person
from bot.chat.console import reads
from bot.chat.console.desk import Desk
from bot.chat.export import KINDS, exported, file_name
from bot.errors import NotFound


async def export(desk: Desk, request: Request, person: Person) -> Response:
    """The timeline in one form."""
    number, kind = int(request.path_params["id"]), str(request.path_params["kind"])
    if kind not in KINDS:
        raise NotFound(f"There is no export as {kind!r}.", hint=f"There are {', '.join(KINDS)}.")
    async with desk.store.read() as session:
        incident = await reads.incident_of(desk, session, number, person)
        body = await exported(session, incident, kind)
    name = f'attachment; filename="{file_name(number, kind)}"'
    return Response(body, media_type=KINDS[kind], headers={"Content-Disposition": name})

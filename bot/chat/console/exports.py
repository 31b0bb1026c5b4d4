"""An incident's files for taking away. Attached, so that nothing of them runs as our page."""

from starlette.requests import Request
from starlette.responses import Response

from bot.catalog import Person
from bot.chat.console import reads
from bot.chat.console.desk import Desk
from bot.chat.export import exported
from bot.errors import NotFound
from bot.incidents import ACTIVE


async def export(desk: Desk, request: Request, person: Person) -> Response:
    """The timeline in one form."""
    return await _file(desk, request, person, str(request.path_params["kind"]))


async def postmortem(desk: Desk, request: Request, person: Person) -> Response:
    """The postmortem in one form."""
    return await _file(desk, request, person, f"postmortem.{request.path_params['kind']}")


async def customers(desk: Desk, request: Request, person: Person) -> Response:
    """Its short version for customers, once it is approved."""
    return await _file(desk, request, person, f"customers.{request.path_params['kind']}")


async def _file(desk: Desk, request: Request, person: Person, kind: str) -> Response:
    number = int(request.path_params["id"])
    async with desk.store.read() as session:
        incident = await reads.incident_of(desk, session, number, person)
        if "." in kind and incident.status in (*ACTIVE, "cancelled"):
            raise NotFound("There is no postmortem yet.", hint="It is drafted at resolution.")
        file = await exported(desk.exports, session, incident, kind)
    headers = {"Content-Disposition": f'attachment; filename="{file.name}"'}
    return Response(file.content, media_type=file.media_type, headers=headers)

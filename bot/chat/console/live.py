"""Server-sent events: `changed` whenever a page would look different. The page then asks."""

import asyncio
from collections.abc import AsyncIterator

import anyio
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.requests import Request
from starlette.responses import Response

from bot.catalog import Person
from bot.chat.console import reads
from bot.chat.console.desk import Desk
from bot.chat.console.looks import Stamp
from bot.log import get

log = get("console")
_GATHER = 0.5  # seconds in which changes gather: each has every open page drawn anew


async def list_events(desk: Desk, request: Request, person: Person) -> Response:
    """For the list of incidents."""
    del person
    return _stream(desk, request, "list", lambda session: reads.list_fingerprint(desk, session))


async def incident_events(desk: Desk, request: Request, person: Person) -> Response:
    """For one incident."""
    number = int(request.path_params["id"])
    async with desk.store.read() as session:
        await reads.incident_of(desk, session, number, person)
    return _stream(
        desk, request, str(number), lambda session: reads.fingerprint(desk, session, number)
    )


def _stream(desk: Desk, request: Request, shown: str, stamp: Stamp) -> Response:
    """The server's shutdown sets ``ending``; the stream then ends by itself, not torn off."""
    ending = anyio.Event()
    return EventSourceResponse(
        _changes(desk, request, shown, stamp, ending), ping=15, shutdown_event=ending,
        shutdown_grace_period=2,
    )  # fmt: skip


async def _changes(
    desk: Desk, request: Request, shown: str, stamp: Stamp, ending: anyio.Event
) -> AsyncIterator[ServerSentEvent]:
    """The page's fingerprint is the event's id, so nothing between two connections is missed.

    A session that ended gets one last `changed`: the page asks, and is sent to sign in.
    """
    known = request.headers.get("last-event-id") or request.query_params.get("seen", "")
    while not ending.is_set():
        seen = desk.store.version
        if await desk.person(request) is None:  # it may have been ended elsewhere
            yield ServerSentEvent("signed out", event="changed")
            return
        try:
            current = await desk.looks.stamp(desk.store, shown, stamp)
        except (DBAPIError, PoolTimeout, OSError) as error:  # the page then says that it is old
            log.warning("console_events_ended", error=str(error))
            return
        if current != known:
            known = current
            yield ServerSentEvent(current, event="changed", id=current)
        await desk.store.wait(seen, 1.0)
        await asyncio.sleep(_GATHER)

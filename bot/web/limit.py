"""No body is read without end, on any route, whatever length it was announced with."""

import asyncio

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

BODY_LIMIT = 5 * 1024 * 1024
BODY_SECONDS = 30.0  # for all of a body, however slowly it drips in


class BodyLimit:
    """Counts what comes in; over the limits, whoever reads it gets a 413 or 408 to answer with."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        await self.app(scope, counted(receive), send)


def counted(receive: Receive) -> Receive:
    """What comes in, up to the limits."""
    received, ends, complete = 0, 0.0, False

    async def some() -> Message:
        nonlocal received, ends, complete
        if complete:  # what comes then is that the other side has gone, whenever that may be
            return await receive()
        ends = ends or asyncio.get_running_loop().time() + BODY_SECONDS
        try:
            async with asyncio.timeout_at(ends):
                message = await receive()
        except TimeoutError:
            text = f"The body was not here within {BODY_SECONDS:g} s. Send it again."
            raise HTTPException(408, text, {"Connection": "close"}) from None
        complete = not message.get("more_body", False)
        received += len(message.get("body", b""))
        if received > BODY_LIMIT:
            raise HTTPException(
                413, f"The body is larger than {BODY_LIMIT} bytes. Send less at once."
            )
        return message

    return some


async def whole(receive: Receive) -> bytes:
    """The body in one piece. Raises `ClientDisconnect`, and `HTTPException` past the limits."""
    some, parts, more = counted(receive), [], True
    while more:
        message = await some()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(parts)

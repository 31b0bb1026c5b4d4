"""No body is read without end, on any route, whatever length it was announced with."""

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

BODY_LIMIT = 5 * 1024 * 1024


class BodyLimit:
    """Counts what comes in; over the limit, whoever reads it gets a 413 to answer with."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        await self.app(scope, counted(receive), send)


def counted(receive: Receive) -> Receive:
    """What comes in, up to the limit."""
    received = 0

    async def some() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > BODY_LIMIT:
            raise HTTPException(
                413, f"The body is larger than {BODY_LIMIT} bytes. Send less at once."
            )
        return message

    return some


async def whole(receive: Receive) -> bytes:
    """The body in one piece. Raises `ClientDisconnect`, and `HTTPException` past the limit."""
    some, parts, more = counted(receive), [], True
    while more:
        message = await some()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(parts)

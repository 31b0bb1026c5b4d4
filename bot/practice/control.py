"""The platform's own switchboard, for tests and demos that run in another process.

GET  /addresses        what `python -m bot.practice.platform` printed, with current pids
POST /kill/{name}      SIGKILL a child: payments-primary, payments-standby, pricing, …
POST /start/{name}     start it again and wait until it answers
POST /load/{rate}      normal or peak
"""

import contextlib
from collections.abc import Awaitable, Callable, Iterator
from typing import Protocol

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route


class Switchable(Protocol):
    """What the switchboard needs of a platform."""

    def addresses(self) -> dict[str, object]: ...
    async def kill(self, name: str) -> None: ...
    async def start(self, name: str) -> None: ...
    async def set_load(self, rate: str) -> None: ...


class Server(uvicorn.Server):
    """A server that leaves the signals to the process that owns the children."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def server(platform: Switchable, port: int) -> Server:
    config = uvicorn.Config(
        _app(platform),
        host="127.0.0.1",
        port=port,
        access_log=False,
        log_level="warning",
        timeout_graceful_shutdown=1,
    )
    return Server(config)


def _app(platform: Switchable) -> Starlette:
    async def addresses(_request: Request) -> Response:
        return JSONResponse(platform.addresses())

    return Starlette(
        routes=[
            Route("/addresses", addresses),
            Route("/kill/{name}", _switch(platform.kill, "name"), methods=["POST"]),
            Route("/start/{name}", _switch(platform.start, "name"), methods=["POST"]),
            Route("/load/{rate}", _switch(platform.set_load, "rate"), methods=["POST"]),
        ]
    )


def _switch(
    act: Callable[[str], Awaitable[None]], parameter: str
) -> Callable[[Request], Awaitable[Response]]:
    """An endpoint that does `act` with its path parameter; an unknown name is a 404."""

    async def endpoint(request: Request) -> Response:
        try:
            await act(request.path_params[parameter])
        except KeyError as error:
            return JSONResponse({"error": str(error.args[0])}, status_code=404)
        return JSONResponse({"ok": True})

    return endpoint

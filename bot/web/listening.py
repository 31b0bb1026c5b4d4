"""The sockets at which Jackline listens, who serves them, and the end of that."""

import asyncio
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from bot.errors import BadSetting
from bot.log import get

log = get("app")


def listening(host: str, port: int, setting: str) -> socket.socket:
    """Listens there. Raises `BadSetting` where the address of ``setting`` cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        made = socket.create_server((host, port), family=family, backlog=2048)
        # Opened again it knows that it speaks TCP; else asyncio leaves Nagle's algorithm on, and
        # every answer of two segments waits 40 ms for the other side's acknowledgement.
        return socket.socket(fileno=made.detach())
    except OSError as error:
        raise BadSetting(
            f"{setting}: cannot listen on {host}:{port}: {error.strerror or error}.",
            hint="Is another Jackline running, or is the address of another machine?",
            field=setting,
        ) from None


def leave_within(seconds: float) -> None:
    """Ends the process though something hangs in its stopping: all that counts is on disk."""

    def leave() -> None:
        log.warning("stop_overdue", seconds=seconds)
        os._exit(0)

    overdue = threading.Timer(seconds, leave)
    overdue.daemon = True
    overdue.start()


class _Joined:
    """A transport on which the first thing written waits for the next, until the loop's next turn.

    uvicorn writes an answer's head and its body: two system calls, each of which wakes the sender.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._held = b""
        self.is_closing = transport.is_closing

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever a transport has
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Sends it with what is held, or holds it."""
        if self._held:
            held, self._held = self._held, b""
            self._transport.write(held + data)
        else:
            self._held = data
            self._loop.call_soon(self._let_go)

    def close(self) -> None:
        """Sends what is held first."""
        self._let_go()
        self._transport.close()

    def _let_go(self) -> None:
        held, self._held = self._held, b""
        if held and not self.is_closing():
            self._transport.write(held)


class _Protocol(HttpToolsProtocol):
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Wraps it."""
        super().connection_made(cast("asyncio.Transport", _Joined(transport, self.loop)))


class Server(uvicorn.Server):
    """uvicorn without its own signal handling: `Jackline.serve` decides when to stop.

    ``grace``: seconds for what is in flight then.
    """

    def __init__(self, app: ASGIApp, grace: int) -> None:
        config = uvicorn.Config(
            app,
            http=_Protocol,
            log_config=None,
            access_log=False,  # some senders can only put their secret into the URL
            lifespan="off",
            timeout_graceful_shutdown=grace - 1,
            proxy_headers=False,
            server_header=False,  # nobody's business, and looked through with each answer
        )
        super().__init__(config)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Not ours to catch."""
        yield

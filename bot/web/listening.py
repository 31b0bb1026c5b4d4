"""The sockets at which Jackline listens, who serves them, and the end of that."""

import asyncio
import json
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any, cast

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from bot.errors import BadSetting
from bot.log import get

log = get("app")
HEAD_SECONDS = 10.0  # for all of a head, however slowly it drips in
HEAD_LIMIT = 64 * 1024


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
    """A request's head has limits too: neither uvicorn nor its parser has any."""

    _in_head = True
    _head = 0  # bytes of it so far
    _due: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Wraps it."""
        super().connection_made(cast("asyncio.Transport", _Joined(transport, self.loop)))
        self._due = self.loop.call_later(HEAD_SECONDS, self._late)

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for any more."""
        self._settled()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Some of a head, of a body, or of both."""
        super().data_received(data)
        if not self._in_head:
            self._settled()
            return
        self._head += len(data)
        if self._head > HEAD_LIMIT:
            self._refuse(431, f"The head of the request is larger than {HEAD_LIMIT} bytes.")
        elif self._due is None:
            self._due = self.loop.call_later(HEAD_SECONDS, self._late)

    def on_message_begin(self) -> None:
        """The parser has seen a first byte."""
        self._in_head, self._head = True, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """What follows is a body, which has limits of its own."""
        self._in_head = False
        super().on_headers_complete()

    def _settled(self) -> None:
        if self._due is not None:
            self._due.cancel()
            self._due = None

    def _late(self) -> None:
        self._due = None
        self._refuse(408, f"The head of the request was not here within {HEAD_SECONDS:g} s.")

    def _refuse(self, status: int, detail: str) -> None:
        """Says so, unless nothing was asked or an answer is under way; then it hangs up."""
        answering = self.cycle is not None and not self.cycle.response_complete
        if self._head and not answering:
            title = HTTPStatus(status).phrase
            body = json.dumps({"type": "about:blank", "title": title, "status": status,
                               "detail": f"{detail} Send it again."})  # fmt: skip
            head = (
                f"HTTP/1.1 {status} {title}\r\ncontent-type: application/problem+json\r\n"
                f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
            )
            self.transport.write((head + body).encode())
        self._settled()
        self.transport.close()


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

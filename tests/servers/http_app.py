"""A tiny HTTP target that a test controls and that remembers what it was asked.

It runs in a thread with its own event loop, so neither a sync test nor a blocked loop stops it
from answering. Also the receiver for other servers' webhooks.
"""

import asyncio
import contextlib
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.servers.process import HOST, free_port, wait_for


@dataclass
class Answer:
    """What a path gives. `drop` closes the connection without a word.

    With `held` it comes once the test has set that: so the test, not the clock, says what happens
    while a request is under way. An answer that is to stay out has a latency that nobody waits for.
    """

    status: int = 200
    body: str = "ok"
    latency: float = 0.0
    held: threading.Event | None = None
    drop: bool = False
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Received:
    method: str
    path: str
    query: str
    headers: dict[str, str]  # names in lower case
    body: str

    def json(self) -> Any:
        return json.loads(self.body)


class HttpApp:
    """Set `answers[path]`, `answers["PUT path"]`, or `default` for all others; read `received`."""

    def __init__(self, name: str, port: int, tls: ssl.SSLContext | None = None) -> None:
        self.name = name
        self.port = port
        self.tls = tls
        self.default = Answer()
        self.answers: dict[str, Answer | list[Answer]] = {}
        self.received: list[Received] = []
        self.keeps = False  # a path gives what was last sent to it, and 404 before that
        self._under_way: set[asyncio.Task[Any]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=name, daemon=True)
        self._runner: web.ServerRunner | None = None
        self._door: socket.socket | None = None

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://{HOST}:{self.port}"

    def count(self, path: str | None = None) -> int:
        """How many requests came, to one path or to any."""
        return len(self.to(path)) if path else len(self.received)

    def to(self, path: str) -> list[Received]:
        return [request for request in self.received if request.path == path]

    def wait_for(self, path: str, count: int = 1, timeout: float = 10.0) -> list[Received]:
        """The requests to `path`, once there are at least `count`."""
        wait_for(
            lambda: len(self.to(path)) >= count,
            timeout=timeout,
            what=f"{count} requests to {self.name}{path} ({len(self.to(path))} came)",
        )
        return self.to(path)

    def down(self) -> None:
        """Stop listening and cut open connections; `up` listens on the same port again."""
        self._do(self._down())

    def up(self) -> None:
        self._do(self._up())

    def _do(self, action: Any) -> None:
        asyncio.run_coroutine_threadsafe(action, self._loop).result(10)

    async def _up(self) -> None:
        if self._runner is None:
            self._runner = web.ServerRunner(web.Server(self._handle), shutdown_timeout=0)
            await self._runner.setup()
            self._door = socket.create_server((HOST, self.port))
            await web.SockSite(self._runner, self._door, ssl_context=self.tls).start()

    async def _down(self) -> None:
        if self._runner is not None and self._door is not None:
            await quiet(self._loop, self._door)
            for task in self._under_way:
                task.cancel()
            await self._runner.cleanup()
            self._runner = None

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        task = asyncio.current_task()
        assert task is not None
        self._under_way.add(task)
        try:
            return await self._answered(request)
        finally:
            self._under_way.discard(task)

    async def _answered(self, request: web.BaseRequest) -> web.StreamResponse:
        received = Received(
            request.method,
            request.path,
            request.query_string,
            {name.lower(): value for name, value in request.headers.items()},
            await request.text(),
        )
        self.received.append(received)
        if self.keeps:
            sent = [r.body for r in self.to(request.path) if r.method != "GET"]
            return web.Response(status=200 if sent else 404, text=sent[-1] if sent else "")
        named = f"{request.method} {request.path}"
        answer = self.answers.get(named) or self.answers.get(request.path, self.default)
        if isinstance(answer, list):  # one after the other; the last one stays
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        if answer.latency:
            await asyncio.sleep(answer.latency)
        while answer.held is not None and not answer.held.is_set():
            await asyncio.sleep(0.01)
        if answer.drop and request.transport is not None:
            request.transport.abort()
        headers = {"X-Served-By": self.name, "Content-Type": "text/plain"} | answer.headers
        return web.Response(status=answer.status, text=answer.body, headers=headers)

    def _start(self) -> None:
        self._thread.start()
        self.up()

    async def _cut(self) -> None:
        """Whoever connected in the last moment is in nobody's list."""
        for transport in list(self._loop._transports.values()):
            transport.abort()
        await asyncio.sleep(0)

    def _end(self) -> None:
        self.down()
        self._do(self._cut())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()


async def quiet(loop: asyncio.AbstractEventLoop, door: socket.socket) -> None:
    """Before an asyncio server is closed: lets in who already connected, and nobody after them.

    A server that is closed while a connection is being made forgets its open socket.
    """
    loop.remove_reader(door)
    for _ in range(3):
        await asyncio.sleep(0)


@contextlib.contextmanager
def http_app(
    name: str = "app", port: int | None = None, tls: ssl.SSLContext | None = None
) -> Iterator[HttpApp]:
    app = HttpApp(name, port or free_port(), tls)
    app._start()
    try:
        yield app
    finally:
        app._end()

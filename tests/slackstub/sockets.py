"""Socket Mode: the app dials in, each envelope goes to one of its sockets, and is acknowledged."""

import asyncio
import contextlib
import json
import uuid
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

from .state import Json, Workspace
from .webapi import cut

MAX_SOCKETS = 10


@dataclass(eq=False)
class Socket:
    wire: web.WebSocketResponse
    request: web.Request
    # told to leave: still read from, no longer written to
    leaving: bool = False
    pending: dict[str, asyncio.Future[Any]] = field(default_factory=dict)


class SocketHub:
    def __init__(self, ws: Workspace) -> None:
        self.ws = ws
        self.sockets: list[Socket] = []
        self.connections = 0
        self._turn = 0

    async def link(self, request: web.Request) -> web.StreamResponse:
        """One socket's life: hello, acks in, pings answered, until either side leaves."""
        if self.ws.settings.down:
            return cut(request)
        ticket = request.query.get("ticket", "")
        if ticket not in self.ws.tickets:
            return web.Response(status=401, text="ticket unknown or used")
        self.ws.tickets.discard(ticket)
        wire = web.WebSocketResponse(autoping=False)
        await wire.prepare(request)
        socket = Socket(wire, request)
        if len(self.sockets) >= MAX_SOCKETS:
            await self._bid_farewell(socket, "too_many_websockets")
            await wire.close()
            return wire
        self.sockets.append(socket)
        self.connections += 1
        pings = asyncio.create_task(self._ping(socket))
        try:
            await self._hello(socket)
            await self._read(socket)
        finally:
            pings.cancel()
            self._forget(socket)
        return wire

    async def _hello(self, socket: Socket) -> None:
        debug = {"host": "applink-stub", "build_number": 1, "approximate_connection_time": 18060}
        about = {"app_id": self.ws.app_id}
        await socket.wire.send_json(
            {
                "type": "hello",
                "num_connections": len(self.sockets),
                "debug_info": debug,
                "connection_info": about,
            }
        )

    async def _read(self, socket: Socket) -> None:
        async for message in socket.wire:
            if self.ws.settings.sockets_frozen:
                continue
            if message.type is WSMsgType.PING:
                await socket.wire.pong(message.data)
            elif message.type is WSMsgType.TEXT:
                self._acknowledged(socket, message.data)

    def _acknowledged(self, socket: Socket, data: str) -> None:
        try:
            answer = json.loads(data)
        except ValueError:
            return
        waiting = socket.pending.get(answer.get("envelope_id", ""))
        if waiting and not waiting.done():
            waiting.set_result(answer.get("payload"))

    async def _ping(self, socket: Socket) -> None:
        while True:
            await asyncio.sleep(self.ws.settings.ping_interval)
            if not self.ws.settings.sockets_frozen and not socket.wire.closed:
                await socket.wire.ping(b"stub")

    def _forget(self, socket: Socket) -> None:
        if socket in self.sockets:
            self.sockets.remove(socket)
        for waiting in socket.pending.values():
            if not waiting.done():
                waiting.set_exception(ConnectionResetError("the socket closed before the ack"))

    def _next(self) -> Socket | None:
        ready = [s for s in self.sockets if not s.leaving and not s.wire.closed]
        if not ready:
            return None
        self._turn += 1
        return ready[self._turn % len(ready)]

    async def send(self, kind: str, payload: Json, attempt: int, reason: str) -> tuple[str, Any]:
        """Hand an envelope to one socket; returns how it went and what the ack carried."""
        socket = self._next()
        if socket is None:
            return "no_target", None
        envelope: Json = {
            "envelope_id": str(uuid.uuid4()),
            "type": kind,
            "payload": payload,
            "accepts_response_payload": kind != "events_api",
        }
        if kind == "events_api":
            envelope |= {"retry_attempt": attempt, "retry_reason": reason}
        waiting = asyncio.get_running_loop().create_future()
        socket.pending[envelope["envelope_id"]] = waiting
        try:
            if not self.ws.settings.sockets_frozen:
                await socket.wire.send_json(envelope)
            body = await asyncio.wait_for(waiting, self.ws.settings.ack_timeout)
        except TimeoutError:
            return "timeout", None
        except (ConnectionError, RuntimeError):
            return "closed", None
        finally:
            del socket.pending[envelope["envelope_id"]]
        return "acked", body or None

    async def _bid_farewell(self, socket: Socket, reason: str) -> None:
        debug = {"host": "applink-stub"}
        await socket.wire.send_json({"type": "disconnect", "reason": reason, "debug_info": debug})

    async def disconnect(self, reason: str, every: bool = True) -> int:
        """Ask sockets to leave, as Slack does every few hours (`refresh_requested`)."""
        chosen = self.sockets[:] if every else self.sockets[:1]
        for socket in chosen:
            socket.leaving = reason != "warning"
            await self._bid_farewell(socket, reason)
        return len(chosen)

    def cut(self) -> int:
        """Break all sockets with no goodbye."""
        chosen = self.sockets[:]
        for socket in chosen:
            socket.leaving = True
            if socket.request.transport is not None:
                socket.request.transport.abort()
        return len(chosen)

    async def close(self) -> None:
        for socket in self.sockets[:]:
            with contextlib.suppress(TimeoutError, ConnectionError, RuntimeError):
                await asyncio.wait_for(socket.wire.close(code=1001), 1)

"""The sockets at which Jackline listens."""

import asyncio
import socket

from bot.web.listening import listening
from tests.servers.process import HOST


async def test_answers_are_not_held_back() -> None:
    """What asyncio accepts there has Nagle's algorithm off: else an answer waits 40 ms for an ACK."""
    found: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def accepted(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = writer.get_extra_info("socket")
        found.set_result(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    door = listening(HOST, 0, "JACKLINE_HTTP_LISTEN")
    async with await asyncio.start_server(accepted, sock=door):
        _, writer = await asyncio.open_connection(*door.getsockname())
        assert await found
        writer.close()

"""A loopback port that leads over an access path: for drivers that want an address."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from asyncssh import SSHReader, SSHWriter

from bot.errors import TargetError

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
HOST = "127.0.0.1"
_bridges: set[asyncio.Task[None]] = set()


@asynccontextmanager
async def forwarded(open_: Callable[[], Awaitable[Streams]]) -> AsyncIterator[tuple[str, int]]:
    """The local address for the time of the block.

    One connection is opened at once, and serves the first client: what cannot be reached is
    known before a driver hides it behind an error of its own. Raises `NotSent`.
    """
    ready: list[Streams] = [await open_()]
    pumps: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            pumps.add(task)
        try:
            far = ready.pop() if ready else await open_()
        except TargetError:
            await _close(writer)  # all that the client can see
            return
        try:
            await asyncio.gather(_pump(reader, far[1]), _pump(far[0], writer))
        except asyncio.CancelledError:
            pass  # the block has ended; asyncio would report a cancelled handler as an error
        finally:
            await _close(writer, far[1])
            if task is not None:
                pumps.discard(task)

    server = await asyncio.start_server(serve, HOST, 0)
    try:
        yield HOST, server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await _close(*(writer for _, writer in ready))
        for task in list(pumps):
            task.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)


async def bridged(reader: SSHReader[bytes], writer: SSHWriter[bytes]) -> Streams:
    """A channel of SSH as a socket's streams: only these can be turned into TLS."""
    here, there = socket.socketpair()
    near = await asyncio.open_connection(sock=there)

    async def carry() -> None:
        try:
            await asyncio.gather(_pump(near[0], writer), _pump(reader, near[1]))
        finally:
            writer.close()
            await _close(near[1])

    task = asyncio.create_task(carry())
    _bridges.add(task)  # asyncio itself keeps only a weak hold of it
    task.add_done_callback(_bridges.discard)
    return await asyncio.open_connection(sock=here)


async def _pump(
    reader: asyncio.StreamReader | SSHReader[bytes], writer: asyncio.StreamWriter | SSHWriter[bytes]
) -> None:
    with suppress(OSError):
        while chunk := await reader.read(65536):
            writer.write(chunk)
            await writer.drain()
    with suppress(OSError, RuntimeError):  # RuntimeError: closed by the other direction
        writer.write_eof()


async def _close(*writers: asyncio.StreamWriter) -> None:
    for writer in writers:
        writer.close()
    for writer in writers:
        with suppress(OSError):
            await writer.wait_closed()

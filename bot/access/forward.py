"""A loopback port that leads over an access path: for drivers that want an address."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from bot.errors import NotSent

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
HOST = "127.0.0.1"


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
        except NotSent:
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


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
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

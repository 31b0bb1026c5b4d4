"""A loopback port that leads over an access path: for drivers that want an address."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import asyncssh
from asyncssh import SSHReader, SSHWriter

from bot.catalog.path import is_address
from bot.errors import TargetError

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Tasks = set[asyncio.Task[None]]
HOST = "127.0.0.1"
PARTING = 1.0  # seconds that the other side has to take leave
_LOST = (OSError, asyncssh.Error)
_Channel = tuple["SSHReader[bytes]", "SSHWriter[bytes]"]


@asynccontextmanager
async def forwarded(open_: Callable[[], Awaitable[Streams]]) -> AsyncIterator[tuple[str, int]]:
    """The local address for the time of the block.

    One connection is opened at once, and serves the first client: what cannot be reached is
    known before a driver hides it behind an error of its own. Raises `NotSent`.
    """
    ready: list[Streams] = [await open_()]
    clients: list[asyncio.StreamWriter] = []
    tasks: Tasks = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far = ready.pop() if ready else await open_()
        except TargetError:
            await closed(writer)  # all that the client can see
            return
        try:
            await _both_ways((reader, writer), far)
        except _LOST:  # each side must see that the other one broke off: no end as if all were said
            _abort(writer, far[1])
        finally:
            await closed(writer, far[1])

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        clients.append(writer)
        _keep(tasks, asyncio.create_task(serve(reader, writer)))

    try:
        server = await asyncio.start_server(accept, HOST, 0)
        try:
            yield HOST, server.sockets[0].getsockname()[1]
        finally:
            server.close()
    finally:
        await ended(tasks)
        await closed(*clients, *(writer for _, writer in ready))


async def bridged(channel: _Channel, tasks: Tasks) -> Streams:
    """A channel of SSH as a socket's streams: only these can be turned into TLS.

    What carries the bytes is put into ``tasks``, for the caller to end.
    """
    here, there = socket.socketpair()
    try:
        near = await streams(there)
    except BaseException:
        here.close()
        raise
    try:
        ours = await streams(here)
    except BaseException:
        _abort(near[1])
        raise

    async def carry() -> None:
        try:
            await _both_ways(near, channel)
        except _LOST as error:
            ours[0].set_exception(ConnectionResetError(f"the line broke: {error}"))
        finally:
            channel[1].close()
            await closed(near[1])

    _keep(tasks, asyncio.create_task(carry()))
    return ours


async def connected(
    host: str, port: int, seconds: float, *, card: str = "", source: str = ""
) -> socket.socket:
    """A socket to the first of the name's addresses that answers.

    By a network ``card``, or from an address of ours, if one is named. One that is silent takes no
    more than its share of the time. asyncio would try the next one beside it; uvloop does not.
    """
    loop = asyncio.get_running_loop()
    problem = OSError(f"{host} has no address")
    found = await _addresses(host, port)
    for family, where in found:
        taken = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        try:
            taken.setblocking(False)
            if card:
                taken.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, card.encode())
            if source:
                taken.bind((source, 0))
            async with asyncio.timeout(seconds / len(found)):
                await loop.sock_connect(taken, where)
        except OSError as error:
            taken.close()
            problem = error
        except BaseException:
            taken.close()
            raise
        else:
            return taken
    raise problem


async def _addresses(host: str, port: int) -> list[tuple[int, Any]]:
    """Families, and where to connect to; an address need not be looked up."""
    if is_address(host):
        return [(socket.AF_INET6 if ":" in host else socket.AF_INET, (host, port))]
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [(family, where) for family, _, _, _, where in found]


async def streams(taken: socket.socket) -> Streams:
    """A connected socket's streams; the socket is theirs, or closed."""
    try:
        return await asyncio.open_connection(sock=taken)
    except BaseException:
        taken.close()
        raise


async def closed(*writers: asyncio.StreamWriter) -> None:
    """Closes in good order; who does not take leave in time is cut off."""
    for writer in writers:
        writer.close()
    try:
        async with asyncio.timeout(PARTING):
            for writer in writers:
                with suppress(OSError):
                    await writer.wait_closed()
    except TimeoutError:
        pass
    finally:
        _abort(*writers)


async def ended(tasks: Tasks) -> None:
    """Cancels what still carries bytes, and waits for its end."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _abort(*writers: asyncio.StreamWriter) -> None:
    for writer in writers:
        writer.transport.abort()


def _keep(tasks: Tasks, task: asyncio.Task[None]) -> None:
    tasks.add(task)  # asyncio itself keeps only a weak hold of it
    task.add_done_callback(tasks.discard)


async def _both_ways(one: Streams, other: "Streams | _Channel") -> None:
    """Until both have ended. Raises what broke one of them off."""
    pumps = [
        asyncio.create_task(_pump(one[0], other[1])),
        asyncio.create_task(_pump(other[0], one[1])),
    ]
    try:
        await asyncio.gather(*pumps)
    finally:
        await ended(set(pumps))


async def _pump(
    reader: "asyncio.StreamReader | SSHReader[bytes]",
    writer: "asyncio.StreamWriter | SSHWriter[bytes]",
) -> None:
    while chunk := await reader.read(65536):
        try:
            writer.write(chunk)
            await writer.drain()
        except _LOST:
            return  # nobody takes it any more; what they had said is the other direction's
    with suppress(OSError, RuntimeError):  # RuntimeError: closed by the other direction
        writer.write_eof()

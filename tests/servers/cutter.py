"""A line that a test cuts: a TCP proxy in front of a real server, on an address of its own.

It counts nothing: whether something arrived is for the real server to tell.
"""

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from tests.servers.process import HOST

Ends = list[asyncio.StreamWriter]


@dataclass
class Cut:
    """Where a connection is cut; the first that carries `word` is, or the next one if it is empty.

    `asked` and `answered` are how many bytes get through of each direction, None all of them. With
    `answered=0` the request is whole and the server has begun to answer. `rough`: a reset, not an
    end. `whole`: the answer gets through first. `dead`: nobody answers here from then on.
    """

    asked: int | None = None
    answered: int | None = None
    word: bytes = b""
    rough: bool = True
    whole: bool = False
    dead: bool = False


@dataclass
class Cutter:
    """Set `cut`; it is spent by one connection, unless `always`. `refuse` is what `dead` comes to."""

    address: str
    port: int
    cut: Cut | None = None
    always: bool = False
    spent: int = 0
    _server: asyncio.Server | None = None
    _open: list[Ends] = field(default_factory=list)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def listen(self) -> None:
        self._server = await asyncio.start_server(self._accept, self.address, self.port)

    def refuse(self) -> None:
        """Nobody listens any more: what comes later is not sent."""
        if self._server is not None:
            self._server.close()
            self._server = None

    def break_off(self, *, dead: bool = False) -> None:
        """Cuts every connection that is open now."""
        if dead:
            self.refuse()
        for ends in self._open:
            _end(ends, rough=True)

    async def close(self) -> None:
        self.refuse()
        self.break_off()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ends = [writer]
        self._open.append(ends)
        try:
            far = await asyncio.open_connection(HOST, self.port)
            ends.append(far[1])
            line = _Line(self, ends)
            there = asyncio.create_task(line.carry(reader, far[1], asked=True))
            back = asyncio.create_task(line.carry(far[0], writer, asked=False))
            await asyncio.gather(there, back)
        except OSError:
            pass  # cut, by us or by one of them
        finally:
            self._open.remove(ends)
            _end(ends, rough=False)


class _Line:
    """One connection."""

    def __init__(self, cutter: Cutter, ends: Ends) -> None:
        self.cutter = cutter
        self.ends = ends
        self.cut: Cut | None = None
        self.said = b""
        self.left = {True: 0, False: 0}

    async def carry(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, asked: bool
    ) -> None:
        while chunk := await reader.read(65536):
            if asked:
                self._seen(chunk)
            limit = self._limit(asked=asked)
            part = chunk if limit is None else chunk[: max(0, limit - self.left[asked])]
            self.left[asked] += len(part)
            if part:
                writer.write(part)
                await writer.drain()
            if self._reached(asked=asked):
                return
        with contextlib.suppress(OSError, RuntimeError):
            writer.write_eof()

    def _seen(self, chunk: bytes) -> None:
        self.said += chunk
        cut = self.cutter.cut
        if self.cut is None and cut is not None and cut.word in self.said:
            self.cut = cut
            self.cutter.spent += 1
            if not self.cutter.always:
                self.cutter.cut = None

    def _limit(self, *, asked: bool) -> int | None:
        if self.cut is None:
            return None
        return self.cut.asked if asked else self.cut.answered

    def _reached(self, *, asked: bool) -> bool:
        limit = self._limit(asked=asked)
        if self.cut is None:
            return False
        if not (self.cut.whole and not asked) and (limit is None or self.left[asked] < limit):
            return False
        if self.cut.dead:
            self.cutter.refuse()
        _end(self.ends, rough=self.cut.rough)
        return True


def _end(ends: Ends, *, rough: bool) -> None:
    for writer in ends:
        if rough and not writer.is_closing():
            taken = writer.get_extra_info("socket")
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
        else:
            writer.close()


@contextlib.asynccontextmanager
async def cutter(address: str, port: int) -> AsyncIterator[Cutter]:
    """Before the server at `port` of the usual loopback address; same port, another address."""
    line = Cutter(address, port)
    await line.listen()
    try:
        yield line
    finally:
        await line.close()

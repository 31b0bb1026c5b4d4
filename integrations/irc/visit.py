"""A short visit to an IRC server: come in, say it, wait until it is taken, leave."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from bot.contract import Connection
from bot.contract.tls import server_name, trusting
from bot.errors import AuthFailed, NotSent, Rejected, TargetError

from .lines import Line, parsed

_WRONG_PASSWORD = {"464"}
_NICK_TAKEN = {"433", "436"}
_JOIN_REFUSED = {"403", "405", "407", "437", "471", "473", "474", "475", "476", "477", "489"}
_NOT_TAKEN = {"401", "402", "403", "404", "407", "411", "412", "413", "414", "531"}
_NICK_TRIES = 4


class Visit:
    """One connection; its verbs in the order in which they are used."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, target: str
    ) -> None:
        self.reader = reader
        self.writer = writer
        self.target = target
        self.nick = ""

    async def enter(self, nick: str, password: str) -> None:
        """Signs on. Raises `AuthFailed` for the password, `Rejected` for a ban."""
        if password:
            await self._send(f"PASS {password}")
        self.nick = nick
        await self._send(f"NICK {nick}", "USER jackline 0 * :Jackline")
        async for line in self._lines():
            if line.command == "001":
                return
            if line.command in _NICK_TAKEN:
                self.nick += "_"
                if len(self.nick) >= len(nick) + _NICK_TRIES:
                    raise Rejected(f"{self.target}: the nick {nick} and its like are taken.")
                await self._send(f"NICK {self.nick}")
            elif line.command in _WRONG_PASSWORD:
                raise AuthFailed(f"{self.target} refuses the password: {line.text}.")
            elif line.command in {"432", "465", "466"}:
                raise Rejected(f"{self.target} does not let us in: {line.text}.")

    async def join(self, channel: str, key: str) -> int:
        """Goes into the channel; how many others are there."""
        await self._send(f"JOIN {channel} {key}".rstrip())
        here = 0
        async for line in self._lines():
            if line.command == "353":
                here += len(line.text.split())
            elif line.command == "366":
                return max(0, here - 1)
            elif line.command in _JOIN_REFUSED:
                raise Rejected(f"{self.target}: {channel}: {line.text}.")
        return 0

    async def say(self, to: str, lines: list[str]) -> None:
        """Says it, and returns once the server has gone through all of it without a no."""
        await self._send(*(f"PRIVMSG {to} :{line}" for line in lines), "PING :said")
        async for line in self._lines():
            if line.command == "PONG" and line.text == "said":
                return
            if line.command in _NOT_TAKEN:
                raise Rejected(f"{self.target}: {to}: {line.text}.")

    async def leave(self) -> None:
        """Says goodbye and waits for the server to close: what it holds for others is out then."""
        with suppress(OSError, TargetError, TimeoutError):
            async with asyncio.timeout(1):
                await self._send("QUIT :said")
                while await self.reader.read(4096):
                    pass

    async def _lines(self) -> AsyncIterator[Line]:
        """The server's lines, its PINGs answered. Raises `ConnectionError` at the end."""
        while raw := await self.reader.readline():
            line = parsed(raw)
            if line.command == "PING":
                await self._send(f"PONG :{line.text}")
            elif line.command == "ERROR":
                if "password" in line.text.lower():
                    raise AuthFailed(f"{self.target} refuses the password: {line.text}.")
                raise ConnectionError(line.text)
            else:
                yield line
        raise ConnectionError("the server closed the line")

    async def _send(self, *lines: str) -> None:
        for line in lines:
            if set(line) & {"\r", "\n", "\0"}:
                raise Rejected("A line for IRC must not hold a line's end.")
            self.writer.write(line.encode() + b"\r\n")
        await self.writer.drain()


@asynccontextmanager
async def visit(connection: Connection, seconds: float) -> AsyncIterator[Visit]:
    """The open line, with TLS by the server's own name. Raises `NotSent`."""
    context = _tls(connection)
    name = server_name(connection)
    async with connection.forward() as local:
        try:
            async with asyncio.timeout(seconds):
                reader, writer = await asyncio.open_connection(
                    *local, ssl=context, server_hostname=name if context else None
                )
        except (OSError, TimeoutError) as error:
            why = str(error) or "no answer in time"
            raise NotSent(f"{connection.target} cannot be reached: {why}.") from error
        try:
            yield Visit(reader, writer, connection.target)
        finally:
            # who has something to say says goodbye by `leave`: TLS itself would wait for a server
            # that hangs longer than the notice has, and other paths with it
            writer.transport.abort()


def _tls(connection: Connection) -> ssl.SSLContext | None:
    settings = connection.settings
    tls = settings.get("tls", "verify")
    if tls not in {"verify", "off"}:
        raise Rejected(f"tls is {tls!r}.", hint="It is `verify` or `off`.")
    if tls == "off":
        if settings.get("password"):
            raise Rejected("A password is not sent without TLS.", hint="Set tls to `verify`.")
        return None
    return trusting(connection, ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))

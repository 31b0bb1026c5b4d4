"""A path on its way to one target, and httpx on top of that."""

import asyncio
import functools
import os
import ssl
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpcore
import httpx

from bot.access.forward import Streams, closed
from bot.access.openers import Opener
from bot.errors import BadInput, NotSent, TargetError

_PORTS = {"https": 443, "ssh": 22}
_LARGEST = 64 * 1024 * 1024  # bytes of an answer: it is held in memory as a whole


@dataclass
class Way:
    """Opens connections to a target: its addresses are tried in order. ``opened``: one came about.

    ``within``: seconds that opening one may take, where that is less than the path would have.
    """

    opener: Opener
    addresses: Sequence[str]
    within: float | None = None
    opened: bool = False

    async def open(self, address: tuple[str, int] | None = None) -> Streams:
        """To the target, or to that ``address`` and no other. Raises the last one's error."""
        try:
            async with asyncio.timeout(self.within):
                streams = await self._first(address)
        except TimeoutError:
            raise NotSent(f"no connection in {self.within:.1f} s.") from None
        self.opened = True
        return streams

    async def _first(self, address: tuple[str, int] | None) -> Streams:
        tried = [address] if address else [host_and_port(each) for each in self.addresses]
        for host, port in tried[:-1]:
            try:
                return await self.opener.open(host, port)
            except TargetError:
                continue
        return await self.opener.open(*tried[-1])


def host_and_port(address: str, *, of: str = "a target") -> tuple[str, int]:
    """Raises `BadInput`, naming the target it is the address ``of``, when it is none."""
    try:
        parts = urlsplit(address)
        return parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 80)
    except ValueError as error:
        raise BadInput(f"The address of {of} is wrong: {error}.") from error


class PathTransport(httpx.AsyncHTTPTransport):
    """httpx's own transport on connections that the path opens."""

    def __init__(self, way: Way) -> None:
        super().__init__(verify=trusted())
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=trusted(), network_backend=_PathBackend(way)
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await super().handle_async_request(request)
        assert isinstance(answer.stream, httpx.AsyncByteStream)  # noqa: S101 - for the types
        answer.stream = _Bounded(answer.stream)
        return answer


class AnswerTooLargeError(httpx.ReadError):
    """Larger than is taken into memory."""


class _Bounded(httpx.AsyncByteStream):
    """An answer's body, which breaks off where it is larger than anything that is asked for."""

    def __init__(self, stream: httpx.AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for part in self._stream:
            size += len(part)
            if size > _LARGEST:
                raise AnswerTooLargeError(f"The answer is larger than {_LARGEST} bytes.")
            yield part

    async def aclose(self) -> None:
        await self._stream.aclose()


def trusted(use: str = "http") -> ssl.SSLContext:
    """The system's certificates, or those that ``SSL_CERT_FILE`` and ``SSL_CERT_DIR`` name.

    One context for each ``use``: httpcore writes the protocols of its own into the one it is given.
    """
    return _trusted(use, os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))


@functools.cache
def _trusted(use: str, file: str | None, folder: str | None) -> ssl.SSLContext:
    """Read once for each place: that takes longer than a call."""
    del use, file, folder  # OpenSSL reads the variables itself
    return ssl.create_default_context()


class _PathBackend(httpcore.AsyncNetworkBackend):
    """Opens TCP by the path. TLS still checks the certificate against the target's own name."""

    def __init__(self, way: Way) -> None:
        self._way = way

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """To the host; the target's first address stands for all of them, in order."""
        del local_address, socket_options  # the path decides
        try:
            async with asyncio.timeout(timeout):
                own = (host, port) == host_and_port(self._way.addresses[0])
                return _Stream(*await self._way.open(None if own else (host, port)))
        except TimeoutError:
            raise httpcore.ConnectTimeout from None
        except TargetError as error:
            raise httpcore.ConnectError(error.message) from error

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class _Stream(httpcore.AsyncNetworkStream):
    """asyncio's streams as httpcore wants them."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 - httpcore's signature
        try:
            async with asyncio.timeout(timeout):
                return await self._reader.read(max_bytes)
        except TimeoutError:
            raise httpcore.ReadTimeout from None
        except OSError as error:
            raise httpcore.ReadError(str(error)) from error

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109 - httpcore's signature
        try:
            async with asyncio.timeout(timeout):
                self._writer.write(buffer)
                await self._writer.drain()
        except TimeoutError:
            raise httpcore.WriteTimeout from None
        except OSError as error:
            raise httpcore.WriteError(str(error)) from error

    async def aclose(self) -> None:
        await closed(self._writer)

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
    ) -> httpcore.AsyncNetworkStream:
        try:
            async with asyncio.timeout(timeout):
                await self._writer.start_tls(ssl_context, server_hostname=server_hostname)
        except TimeoutError:
            raise httpcore.ConnectTimeout from None
        except OSError as error:  # an ssl.SSLError is one
            await self.aclose()
            raise httpcore.ConnectError(str(error)) from error
        return self

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 - httpcore's signature
        if info == "is_readable":  # an idle connection that has something to say has ended
            return (
                self._reader.at_eof() or self._writer.is_closing() or bool(_waiting(self._reader))
            )
        names = {"client_addr": "sockname", "server_addr": "peername"}
        return self._writer.get_extra_info(names.get(info, info))


def _waiting(reader: asyncio.StreamReader) -> bytes:
    """What has come and nobody has read."""
    return bytes(getattr(reader, "_buffer", b""))

"""Opens connections to targets over access paths: the one seam through which actions reach out.

A path is a way to open a TCP connection to (host, port). httpx runs over it by its own network
backend, line protocols by `Link.exchange`.
"""

import asyncio
import os
import ssl
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpcore
import httpx

from bot.catalog import Catalog, Target
from bot.catalog.model import Path
from bot.errors import AuthFailed, BadInput, NotFound, NotSent, Unknown

CONNECT_TIMEOUT = 3.0
_ANSWER_LIMIT = 8 * 1024 * 1024


@dataclass
class Link:
    """An open access path to one target: implements ``bot.contract.Connection``."""

    target: str
    path: str
    http: httpx.AsyncClient
    address: tuple[str, int]

    async def exchange(self, request: bytes, *, timeout: float = 5.0) -> bytes:  # noqa: ASYNC109 - the contract's signature
        """Sends ``request`` and reads until the other side closes."""
        host, port = self.address
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT):
                reader, writer = await asyncio.open_connection(host, port)
        except (OSError, TimeoutError) as error:
            raise NotSent(f"{self.target} cannot be reached over {self.path}: {error}.") from error
        try:
            async with asyncio.timeout(timeout):
                writer.write(request)
                await writer.drain()
                return await _read_all(reader)
        except (OSError, TimeoutError) as error:
            raise Unknown(f"{self.target} did not answer over {self.path}.") from error
        finally:
            writer.close()


class Dialer:
    """Knows the catalog's targets and paths, and connects one over the other."""

    def __init__(self, catalog: Callable[[], Catalog]) -> None:
        self.catalog = catalog

    def paths(self, target: str, via: Iterable[str] = ()) -> list[str]:
        """The paths to try for a target, in order; ``via`` overrides the catalog's."""
        return list(via) or self._target(target).via

    @asynccontextmanager
    async def connect(self, target: str, path: str = "") -> AsyncIterator[Link]:
        """A connection for the time of the block. Opening is lazy: nothing is sent yet.

        Raises `NotFound` for an unknown target or path, `BadInput` for an address that is none,
        `AuthFailed` for a missing credential.
        """
        entry = self._target(target)
        way = self.catalog().path(path or entry.via[0])
        if way is None:
            raise NotFound(f"There is no access path {path!r}.")
        host, port = _host_and_port(entry)
        address = (way.connect_to.get(host, host), port)
        headers = {k: _secret(v) for k, v in entry.headers.items()}
        base = entry.url.replace("tcp://", "http://", 1)
        client = httpx.AsyncClient(
            base_url=base,
            headers=headers,
            transport=_PathTransport(way),
            timeout=httpx.Timeout(5.0, connect=CONNECT_TIMEOUT),
            trust_env=False,
        )
        async with client:
            yield Link(target, way.name, client, address)

    def _target(self, name: str) -> Target:
        entry = self.catalog().target(name)
        if entry is None:
            known = ", ".join(t.name for t in self.catalog().targets) or "none"
            raise NotFound(f"There is no target {name!r} in the catalog.", hint=f"Known: {known}.")
        return entry


class _PathTransport(httpx.AsyncHTTPTransport):
    """httpx's own transport on sockets that the path opens."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=ssl.create_default_context(), network_backend=_PathBackend(path)
        )


class _PathBackend(httpcore.AsyncNetworkBackend):
    """Opens TCP by the path. TLS still checks the certificate against the target's own name."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        address = self._path.connect_to.get(host, host)
        return await self._inner.connect_tcp(
            address,
            port,
            timeout=timeout,
            local_address=local_address,
            socket_options=socket_options,
        )

    async def sleep(self, seconds: float) -> None:
        await self._inner.sleep(seconds)


async def _read_all(reader: asyncio.StreamReader) -> bytes:
    received = bytearray()
    while chunk := await reader.read(65536):
        received += chunk
        if len(received) > _ANSWER_LIMIT:
            raise Unknown(f"The answer is larger than {_ANSWER_LIMIT} bytes.")
    return bytes(received)


def _host_and_port(target: Target) -> tuple[str, int]:
    try:
        parts = urlsplit(target.url)
        return parts.hostname or "", parts.port or {"https": 443}.get(parts.scheme, 80)
    except ValueError as error:
        raise BadInput(f"The address of {target.name} is wrong: {error}.") from error


def _secret(value: str) -> str:
    """``env:NAME`` inside a header's value is read from the environment."""
    head, mark, name = value.rpartition("env:")
    if not mark:
        return value
    if name not in os.environ:
        raise AuthFailed(f"The credential env:{name} is not set.", hint=f"Set {name}.")
    return head + os.environ[name]

"""How a path opens TCP connections, and httpx on top of that."""

import functools
import os
import ssl
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpcore
import httpx

from bot.catalog.model import Path
from bot.errors import BadInput

CONNECT_TIMEOUT = 3.0
_PORTS = {"https": 443, "ssh": 22}


@dataclass(frozen=True)
class Way:
    """A path on its way to one target, whose addresses are tried in order."""

    path: Path
    addresses: Sequence[str]

    def address_of(self, host: str) -> str:
        """Where the path connects to for this host."""
        return self.path.connect_to.get(host, host)


def host_and_port(address: str, *, of: str = "a target") -> tuple[str, int]:
    """Raises `BadInput`, naming the target it is the address ``of``, when it is none."""
    try:
        parts = urlsplit(address)
        return parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 80)
    except ValueError as error:
        raise BadInput(f"The address of {of} is wrong: {error}.") from error


class PathTransport(httpx.AsyncHTTPTransport):
    """httpx's own transport on sockets that the path opens."""

    def __init__(self, way: Way) -> None:
        trusted = _trusted(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))
        super().__init__(verify=trusted)
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=trusted, network_backend=_PathBackend(way)
        )


@functools.cache
def _trusted(file: str | None, folder: str | None) -> ssl.SSLContext:
    """The system's certificates, read once for each place: that takes longer than a call."""
    del file, folder  # OpenSSL reads the variables itself
    return ssl.create_default_context()


class _PathBackend(httpcore.AsyncNetworkBackend):
    """Opens TCP by the path. TLS still checks the certificate against the target's own name."""

    def __init__(self, way: Way) -> None:
        self._way = way
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """To the host; the target's first address stands for all of them, in order."""
        first, *others = [host_and_port(address) for address in self._way.addresses]
        tried = [(host, port), *others] if (host, port) == first else [(host, port)]
        share = timeout / len(self._way.addresses) if timeout else timeout
        for each_host, each_port in tried[:-1]:
            try:
                return await self._connect(each_host, each_port, share, local_address)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        last_host, last_port = tried[-1]
        return await self._connect(last_host, last_port, share, local_address, socket_options)

    async def _connect(
        self,
        host: str,
        port: int,
        timeout: float | None,  # noqa: ASYNC109 - httpcore's signature
        local_address: str | None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        return await self._inner.connect_tcp(
            self._way.address_of(host),
            port,
            timeout=timeout,
            local_address=local_address,
            socket_options=socket_options,
        )

    async def sleep(self, seconds: float) -> None:
        await self._inner.sleep(seconds)

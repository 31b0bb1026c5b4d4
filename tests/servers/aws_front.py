"""AWS as it is reached over an HTTP proxy: CONNECT to a host of AWS's, TLS by that host's certificate.

What answers behind it is a plain HTTP server: moto's, or one that the test controls.
"""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from tests.servers.authority import Authority
from tests.servers.process import HOST, free_port


@dataclass
class AwsFront:
    """`hosts` are those that somebody wanted to be connected to; `away` answers nobody.

    `scope` is the region and service of whoever is behind, where that is moto's server: it tells its
    services apart by who signed for which, not by the host, and here nothing is signed.
    """

    behind: int
    authority: Authority
    tls: ssl.SSLContext
    scope: str = ""
    port: int = field(default_factory=free_port)
    hosts: list[str] = field(default_factory=list)
    away: bool = False

    @property
    def path(self) -> dict[str, str]:
        """The catalog's access path that leads here."""
        return {"name": "aws", "kind": "proxy", "proxy": f"http://{HOST}:{self.port}"}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            asked = await reader.readuntil(b"\r\n\r\n")
            self.hosts.append(asked.split()[1].decode())
            if not self.away:
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                await writer.start_tls(self.tls)
                await self._bridge(reader, writer)
        writer.close()

    async def _bridge(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(HOST, self.behind)
        if self.scope:
            far_writer.write(await reader.readline() + scoped(self.scope).encode() + b"\r\n")
        ways = (_pump(reader, far_writer), _pump(far_reader, writer))
        _, left = await asyncio.wait(
            [asyncio.create_task(way) for way in ways], return_when=asyncio.FIRST_COMPLETED
        )
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        far_writer.close()


def scoped(scope: str) -> str:
    """The header by which moto's server knows where a request belongs."""
    return f"Authorization: AWS4-HMAC-SHA256 Credential=nobody/20261126/{scope}/aws4_request"


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while chunk := await reader.read(65536):
            writer.write(chunk)
            await writer.drain()


@contextlib.asynccontextmanager
async def aws_front(
    behind: int, authority: Authority, host: str, scope: str = ""
) -> AsyncIterator[AwsFront]:
    front = AwsFront(behind, authority, authority.server(host), scope)
    server = await asyncio.start_server(front.serve, HOST, front.port)
    try:
        yield front
    finally:
        server.close()

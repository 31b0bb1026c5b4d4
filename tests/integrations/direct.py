"""A connection over plain TCP: what the access paths will hand to integrations, at its simplest."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx

from bot.errors import NotSent, Unknown


@dataclass
class Direct:
    """Satisfies `bot.contract.Connection`."""

    target: str
    url: str
    http: httpx.AsyncClient
    path: str = "direct"

    async def exchange(self, request: bytes, *, timeout: float = 5.0) -> bytes:
        address = urlsplit(self.url)
        try:
            reader, writer = await asyncio.open_connection(address.hostname, address.port)
        except OSError as error:
            raise NotSent(str(error)) from error
        try:
            writer.write(request)
            return await asyncio.wait_for(reader.read(), timeout)
        except (OSError, TimeoutError) as error:
            raise Unknown(repr(error)) from error
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


@contextlib.asynccontextmanager
async def direct(target: str, url: str, *, timeout: float = 5.0) -> AsyncIterator[Direct]:
    base = url.replace("tcp://", "http://")
    async with httpx.AsyncClient(base_url=base, timeout=timeout) as client:
        yield Direct(target, url, client)


@dataclass
class Scripted:
    """Answers `exchange` from a list and keeps what was asked."""

    answers: list[bytes]
    asked: list[bytes]
    http: httpx.AsyncClient
    target: str = "haproxy/lb1"
    path: str = "scripted"

    async def exchange(self, request: bytes, *, timeout: float = 5.0) -> bytes:
        self.asked.append(request)
        return self.answers.pop(0)

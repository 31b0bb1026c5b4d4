"""A connection over the direct path to one address: what the engine hands to integrations."""

import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field

import httpx

from bot.access import Dialer
from bot.access.dialer import Link
from bot.catalog import Catalog


@contextlib.asynccontextmanager
async def direct(
    target: str,
    url: str,
    *,
    timeout: float = 5.0,
    also: list[str] | None = None,
    headers: Mapping[str, str] | None = None,
    settings: Mapping[str, str] | None = None,
) -> AsyncIterator[Link]:
    """`timeout` is httpx's, in seconds; the others are the target's entry in the catalog."""
    entry = {"name": target, "url": url, "also": also or [], "headers": dict(headers or {}),
             "settings": dict(settings or {})}  # fmt: skip
    catalog = Catalog.model_validate({"targets": [entry]})
    async with Dialer(lambda: catalog).connect(target) as link:
        link.http.timeout = httpx.Timeout(timeout)
        yield link


@dataclass
class Scripted:
    """Answers `exchange` from a list and keeps what was asked."""

    answers: list[bytes]
    asked: list[bytes]
    http: httpx.AsyncClient
    target: str = "haproxy/lb1"
    path: str = "scripted"
    settings: Mapping[str, str] = field(default_factory=dict)

    async def exchange(self, request: bytes, *, timeout: float = 5.0) -> bytes:
        self.asked.append(request)
        return self.answers.pop(0)

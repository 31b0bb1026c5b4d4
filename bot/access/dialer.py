"""Opens connections to targets over access paths: the one seam through which actions reach out.

A path is a way to open a TCP connection to (host, port), see `bot.access.ways`. httpx runs over
it by its own network backend, line protocols by `Link.exchange`, drivers that want an address by
`Link.forward`, programs on a host by `Link.run`.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cached_property

import httpx

from bot.access.forward import closed, forwarded
from bot.access.openers import CONNECT_TIMEOUT, opener, patience
from bot.access.secrets import Secrets
from bot.access.ssh import run_command
from bot.access.ways import PathTransport, Way, host_and_port
from bot.catalog import Catalog, Target
from bot.catalog.path import Path
from bot.contract import Completed
from bot.errors import NotFound, Unknown

__all__ = ["CONNECT_TIMEOUT", "Dialer", "Link"]
_SCHEME = re.compile(r"^(tcp|ssh)://")
_ANSWER_LIMIT = 8 * 1024 * 1024


@dataclass
class Link:
    """An open access path to one target: implements ``bot.contract.Connection``."""

    target: str
    path: str
    over: Path
    settings: Mapping[str, str]
    headers: Mapping[str, str]
    entry: Target
    way: Way

    @cached_property
    def http(self) -> httpx.AsyncClient:
        """Made when it is first used: many actions speak another protocol."""
        return httpx.AsyncClient(
            base_url=_SCHEME.sub("http://", self.entry.url),
            headers=self.headers,
            transport=PathTransport(self.way),
            timeout=httpx.Timeout(5.0, connect=patience(self.over) * len(self.way.addresses)),
            trust_env=False,
        )

    async def close(self) -> None:
        """Ends what was opened."""
        try:
            if "http" in self.__dict__:
                await self.http.aclose()
        finally:
            await self.way.opener.close()

    async def exchange(self, request: bytes, *, timeout: float = 5.0) -> bytes:  # noqa: ASYNC109 - the contract's signature
        """Sends ``request`` and reads until the other side closes."""
        reader, writer = await self.way.open()
        try:
            async with asyncio.timeout(timeout):
                writer.write(request)
                await writer.drain()
                return await _read_all(reader)
        except (OSError, TimeoutError) as error:
            raise Unknown(f"{self.target} did not answer over {self.path}.") from error
        finally:
            await closed(writer)

    @asynccontextmanager
    async def forward(
        self, address: tuple[str, int] | None = None
    ) -> AsyncIterator[tuple[str, int]]:
        """A loopback address that leads to the target, or to another address over this path."""
        async with forwarded(lambda: self.way.open(address)) as local:
            yield local

    async def run(
        self,
        argv: Sequence[str],
        *,
        stdin: str = "",
        hold: float = 0.0,
        timeout: float = 30.0,  # noqa: ASYNC109 - the contract's signature
    ) -> Completed:
        """Runs a program on the host, over SSH."""
        async with self.forward() as local:
            return await run_command(
                local, self.entry, self.settings, argv, stdin=stdin, hold=hold, limit=timeout
            )


class Dialer:
    """Knows the catalog's targets and paths, and connects one over the other."""

    def __init__(
        self, catalog: Callable[[], Catalog], sealed: Mapping[str, str] | None = None
    ) -> None:
        self.catalog = catalog
        self.secrets = Secrets(catalog, sealed=sealed)

    def paths(self, target: str, via: Iterable[str] = ()) -> list[str]:
        """The paths to try for a target, by rank and in order; ``via`` overrides the catalog's."""
        known = {path.name: path.rank for path in self.catalog().paths}
        listed = list(via) or self._target(target).via
        return sorted(listed, key=lambda name: known.get(name, 0))

    @asynccontextmanager
    async def connect(
        self, target: str | Target, path: str = "", *, within: float | None = None
    ) -> AsyncIterator[Link]:
        """A connection for the time of the block. Opening is lazy: nothing is sent yet.

        ``target``: a name in the catalog, or one that stands nowhere in it. Without a ``path``
        over its first one. ``within``: seconds for opening it, where other paths wait for their turn.

        Raises `NotFound` for an unknown target or path, `BadInput` for an address that is none,
        `AuthFailed` for a missing credential.
        """
        entry = self._target(target) if isinstance(target, str) else target
        name = path or entry.via[0]
        found = self.catalog().path(name)
        if found is None and not path and name == "direct":
            found = Path(name=name)  # a catalog need not name it
        if found is None:
            raise NotFound(f"There is no access path {name!r}.")
        for address in (entry.url, *entry.also):
            host_and_port(address, of=entry.name)
        settings = {k: await self.secrets.setting(k, v) for k, v in entry.settings.items()}
        headers = {k: await self.secrets.header(v) for k, v in entry.headers.items()}
        way = Way(opener(found, self.secrets), [entry.url, *entry.also], within)
        link = Link(entry.name, found.name, found, settings, headers, entry, way)
        try:
            yield link
        finally:
            await link.close()

    def _target(self, name: str) -> Target:
        entry = self.catalog().target(name)
        if entry is None:
            known = ", ".join(t.name for t in self.catalog().targets) or "none"
            raise NotFound(f"There is no target {name!r} in the catalog.", hint=f"Known: {known}.")
        return entry


async def _read_all(reader: asyncio.StreamReader) -> bytes:
    received = bytearray()
    while chunk := await reader.read(65536):
        received += chunk
        if len(received) > _ANSWER_LIMIT:
            raise Unknown(f"The answer is larger than {_ANSWER_LIMIT} bytes.")
    return bytes(received)

"""How each kind of path opens a TCP connection to (host, port). Every failure is `NotSent`.

What comes out is a plain pair of asyncio streams over a socket, whatever lies between, so that TLS
and every protocol work over it alike.
"""

import asyncio
from typing import Protocol
from urllib.parse import urlsplit

import asyncssh
from python_socks import ProxyError, ProxyType
from python_socks.async_.asyncio import Proxy

from bot.access.forward import Streams, Tasks, bridged, connected, ended, streams
from bot.access.secrets import Secrets
from bot.access.ssh import hang_up, log_in
from bot.access.tunnel import tunnelled
from bot.catalog.path import Path, is_address
from bot.errors import AuthFailed, NotSent

CONNECT_TIMEOUT = 3.0  # seconds for one address
_DETOUR = 12.0  # seconds over a proxy or bastions, which connect on our behalf


def patience(path: Path) -> float:
    """Seconds that opening one connection over the path may take."""
    return _DETOUR if path.kind in ("proxy", "ssh") else CONNECT_TIMEOUT


class Opener(Protocol):
    """Opens connections over one path until it is closed."""

    async def open(self, host: str, port: int) -> Streams:
        """Raises `NotSent`, also where the path's own credential is refused: nothing got through."""

    async def close(self) -> None:
        """Lets go of what the path itself holds open."""


def opener(path: Path, secrets: Secrets) -> Opener:
    """The opener of the path's kind."""
    match path.kind:
        case "proxy":
            return _OverProxy(path, secrets)
        case "ssh":
            return _OverBastions(path, secrets)
    return _Straight(path)


class _Straight:
    """As the machine does, by a pinned address, or from one of its own addresses or cards."""

    def __init__(self, path: Path) -> None:
        self.path = path

    async def open(self, host: str, port: int) -> Streams:
        address = self.path.connect_to.get(host, host)
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT):
                return await _connect(address, port, self.path.bind)
        except OSError as error:
            raise _no_way(self.path, host, port, error) from error

    async def close(self) -> None:
        """Holds nothing."""


def _no_way(path: Path, host: str, port: int, error: Exception) -> NotSent:
    """Also where the path's own credential is refused: nothing got through to the target."""
    said = str(error).rstrip(".") or "no answer in time"
    return NotSent(f"{host}:{port} cannot be reached over {path.name}: {said}.")


async def _connect(address: str, port: int, bind: str) -> Streams:
    by = {} if not bind else {"source": bind} if is_address(bind) else {"card": bind}
    return await streams(await connected(address, port, CONNECT_TIMEOUT, **by))


class _OverProxy:
    """SOCKS5 or HTTP CONNECT; the proxy looks names up, not this machine."""

    def __init__(self, path: Path, secrets: Secrets) -> None:
        self.path = path
        self.secrets = secrets

    async def open(self, host: str, port: int) -> Streams:
        try:
            async with asyncio.timeout(_DETOUR):
                return await self._through(host, port)
        except UnicodeError:  # its text would quote a part of the credential
            error = ValueError("the proxy's protocol cannot carry the credential or the name")
            raise _no_way(self.path, host, port, error) from None
        except (AuthFailed, ProxyError, OSError, ValueError) as error:
            raise _no_way(self.path, host, port, error) from error

    async def _through(self, host: str, port: int) -> Streams:
        name, login = self.path.credential, ""
        if name:
            login = await self.secrets.resolved(f"credential:{name}")
        at = urlsplit(self.path.proxy)
        where = str(at.hostname), at.port or 0
        if at.scheme == "http":
            return await tunnelled(where, host, port, login)
        user, _, password = login.partition(":")
        proxy = Proxy(ProxyType.SOCKS5, *where, user or None, password or None)
        return await streams(await proxy.connect(host, port, timeout=_DETOUR))

    async def close(self) -> None:
        """Holds nothing."""


class _OverBastions:
    """A channel of SSH, over one host or several in turn, each with its pinned key."""

    def __init__(self, path: Path, secrets: Secrets) -> None:
        self.path = path
        self.secrets = secrets
        self._chain: list[asyncssh.SSHClientConnection] = []
        self._carriers: Tasks = set()
        self._turn = asyncio.Lock()

    async def open(self, host: str, port: int) -> Streams:
        try:
            async with asyncio.timeout(_DETOUR):
                last = await self._last()
                channel = await last.open_connection(host, port)
            return await bridged(channel, self._carriers)
        except (AuthFailed, NotSent, OSError, asyncssh.Error) as error:
            raise _no_way(self.path, host, port, error) from error

    async def _last(self) -> asyncssh.SSHClientConnection:
        """The end of the chain; one that broke, or came about only in part, is made anew."""
        async with self._turn:
            if any(each.is_closed() for each in self._chain):
                await self._hang_up()
            if not self._chain:
                try:
                    await self._log_in()
                except BaseException:
                    await self._hang_up()
                    raise
            return self._chain[-1]

    async def _log_in(self) -> None:
        for hop in self.path.hops:
            at = urlsplit(hop.url)
            key = await self.secrets.resolved(hop.key)
            before = self._chain[-1] if self._chain else None
            where = str(at.hostname), at.port or 22
            self._chain.append(
                await log_in(
                    f"{at.hostname}:{where[1]}",
                    where,
                    str(at.username),
                    (key, hop.host_key),
                    before,
                )
            )

    async def _hang_up(self) -> None:
        chain, self._chain = self._chain, []
        await hang_up(*chain)

    async def close(self) -> None:
        await ended(self._carriers)
        await self._hang_up()

"""How each kind of path opens a TCP connection to (host, port). Every failure is `NotSent`.

What comes out is a plain pair of asyncio streams over a socket, whatever lies between, so that TLS
and every protocol work over it alike.
"""

import asyncio
import socket
from contextlib import AsyncExitStack
from typing import Protocol
from urllib.parse import urlsplit

import asyncssh
from python_socks import ProxyError, ProxyTimeoutError
from python_socks.async_.asyncio import Proxy

from bot.access.forward import Streams, bridged
from bot.access.secrets import Secrets
from bot.catalog.model import Hop, Path
from bot.errors import AuthFailed, NotSent

CONNECT_TIMEOUT = 3.0  # seconds for one address
_DETOUR = 12.0  # seconds over a proxy or bastions, which connect on our behalf


def patience(path: Path) -> float:
    """Seconds that opening one connection over the path may take."""
    return _DETOUR if path.kind in ("proxy", "ssh") else CONNECT_TIMEOUT


class Opener(Protocol):
    """Opens connections over one path until it is closed."""

    async def open(self, host: str, port: int) -> Streams:
        """Raises `NotSent`, or `AuthFailed` where a credential of the path's own is refused."""

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
        except TimeoutError:
            raise NotSent(f"{host}:{port} does not answer over {self.path.name}.") from None
        except OSError as error:
            raise NotSent(
                f"{host}:{port} cannot be reached over {self.path.name}: {error}."
            ) from error

    async def close(self) -> None:
        """Holds nothing."""


async def _connect(address: str, port: int, bind: str) -> Streams:
    if not bind:
        return await asyncio.open_connection(address, port)
    if ":" in bind or bind.replace(".", "").isdigit():
        return await asyncio.open_connection(address, port, local_addr=(bind, 0))
    loop = asyncio.get_running_loop()
    family, kind, protocol, _, where = (
        await loop.getaddrinfo(address, port, type=socket.SOCK_STREAM)
    )[0]
    card = socket.socket(family, kind, protocol)
    try:
        card.setblocking(False)
        card.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, bind.encode())
        await loop.sock_connect(card, where)
        return await asyncio.open_connection(sock=card)
    except BaseException:
        card.close()
        raise


class _OverProxy:
    """SOCKS5 or HTTP CONNECT; the proxy looks names up, not this machine."""

    def __init__(self, path: Path, secrets: Secrets) -> None:
        self.path = path
        self.secrets = secrets

    async def open(self, host: str, port: int) -> Streams:
        user, password = None, None
        if self.path.credential:
            both = await self.secrets.resolved(f"credential:{self.path.credential}")
            user, _, password = both.partition(":")
        proxy = Proxy.from_url(self.path.proxy, username=user, password=password)
        try:
            taken = await proxy.connect(dest_host=host, dest_port=port, timeout=_DETOUR)
            return await asyncio.open_connection(sock=taken)
        except (ProxyError, ProxyTimeoutError, OSError, TimeoutError) as error:
            said = str(error) or "no answer in time"
            raise NotSent(
                f"{host}:{port} cannot be reached over {self.path.name}: {said}."
            ) from error

    async def close(self) -> None:
        """Holds nothing."""


class _OverBastions:
    """A channel of SSH, over one host or several in turn, each with its pinned key."""

    def __init__(self, path: Path, secrets: Secrets) -> None:
        self.path = path
        self.secrets = secrets
        self._held = AsyncExitStack()
        self._last: asyncssh.SSHClientConnection | None = None
        self._turn = asyncio.Lock()

    async def open(self, host: str, port: int) -> Streams:
        try:
            async with asyncio.timeout(_DETOUR):
                async with self._turn:
                    last = self._last or await self._log_in()
                far = await last.open_connection(host, port)
        except TimeoutError:
            raise NotSent(f"{host}:{port}: {self.path.name} does not answer in time.") from None
        except (OSError, asyncssh.Error) as error:
            raise NotSent(
                f"{host}:{port} cannot be reached over {self.path.name}: {error}."
            ) from error
        return await bridged(*far)

    async def _log_in(self) -> asyncssh.SSHClientConnection:
        last: asyncssh.SSHClientConnection | None = None
        for hop in self.path.hops:
            last = await self._held.enter_async_context(await self._hop(hop, last))
        if last is None:
            raise NotSent(f"{self.path.name} has no hops.")
        self._last = last
        return last

    async def _hop(
        self, hop: Hop, before: asyncssh.SSHClientConnection | None
    ) -> asyncssh.SSHClientConnection:
        address = urlsplit(hop.url)
        try:
            key = asyncssh.import_private_key(await self.secrets.resolved(hop.key))
            known = asyncssh.import_known_hosts(f"* {hop.host_key}")
        except (asyncssh.KeyImportError, ValueError) as error:
            raise AuthFailed(f"A key of {self.path.name} cannot be used: {error}.") from None
        try:
            return await asyncssh.connect(
                str(address.hostname), address.port or 22, tunnel=before,
                username=address.username, client_keys=[key], known_hosts=known,
                agent_path=None, config=None, keepalive_interval=10,
            )  # fmt: skip
        except asyncssh.HostKeyNotVerifiable as error:
            raise AuthFailed(
                f"{address.hostname} of {self.path.name} does not show the pinned host key: {error}."
            ) from error
        except asyncssh.PermissionDenied as error:
            raise AuthFailed(
                f"{address.hostname} of {self.path.name} refuses {address.username}'s key: {error}."
            ) from error

    async def close(self) -> None:
        self._last = None
        await self._held.aclose()

"""HTTP CONNECT: asks a proxy for a connection to a host and port.

What the host says right after the proxy's answer (SSH and others speak first) is kept: it may
come in the same packet, which is why the proxy library, that drops it, is not used for this.
"""

import asyncio
import base64
import re

from bot.access.forward import Streams, closed, connected, streams

_CONNECT = 5.0  # seconds until the proxy has taken the connection
_NAME = re.compile(r"[A-Za-z0-9._:%-]+")
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})([^\r\n]*)")


async def tunnelled(proxy: tuple[str, int], host: str, port: int, login: str = "") -> Streams:
    """The streams to (host, port); ``login`` is user:password. Raises `OSError` in words."""
    if not _NAME.fullmatch(host):
        raise OSError("its name is none that a proxy can be asked for")
    where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    lines = [f"CONNECT {where} HTTP/1.1", f"Host: {where}"]
    if login:
        lines.append(f"Proxy-Authorization: Basic {base64.b64encode(login.encode()).decode()}")
    try:
        reader, writer = await streams(await connected(*proxy, _CONNECT))
    except OSError as error:
        raise OSError(f"could not connect to proxy {proxy[0]}:{proxy[1]}: {error}") from error
    try:
        writer.write("\r\n".join([*lines, "", ""]).encode())
        _check(await reader.readuntil(b"\r\n\r\n"))
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
        await closed(writer)
        raise OSError("the proxy's answer is none") from error
    except BaseException:
        await closed(writer)
        raise
    return reader, writer


def _check(answer: bytes) -> None:
    found = _STATUS.match(answer)
    if found is None:
        raise OSError("the proxy's answer is none")
    if not found[1].startswith(b"2"):
        raise OSError(f"the proxy answers {found[1].decode()}{found[2].decode('ascii', 'replace')}")

"""The sockets at which Jackline listens."""

import socket

from bot.errors import BadSetting


def listening(host: str, port: int, setting: str) -> socket.socket:
    """Listens there. Raises `BadSetting` where the address of ``setting`` cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        made = socket.create_server((host, port), family=family, backlog=2048)
        # Opened again it knows that it speaks TCP; else asyncio leaves Nagle's algorithm on, and
        # every answer of two segments waits 40 ms for the other side's acknowledgement.
        return socket.socket(fileno=made.detach())
    except OSError as error:
        raise BadSetting(
            f"{setting}: cannot listen on {host}:{port}: {error.strerror or error}.",
            hint="Is another Jackline running, or is the address of another machine?",
            field=setting,
        ) from None

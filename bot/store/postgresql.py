"""PostgreSQL's driver over connections that notice when nobody is there any more."""

import socket
from typing import Any

SILENT = 15.0  # seconds in which a host must confirm what was sent to it
REACHED = 10.0  # seconds for a new connection


async def connect(*given: Any, **more: Any) -> Any:  # noqa: ANN401 - asyncpg's own
    """Opens one.

    A host that dies, or a network that parts, says nothing. The system would send again for a
    quarter of an hour, and wait for ever for an answer: every worker with it, though another
    server has long taken over.
    """
    import asyncpg  # type: ignore[import-untyped]  # noqa: PLC0415 - it has none; not for SQLite

    made = await asyncpg.connect(*given, **{"timeout": REACHED, **more})
    line: socket.socket = made._transport.get_extra_info("socket")  # noqa: SLF001 - it has no door
    if line.family != socket.AF_UNIX:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in (
            ("TCP_USER_TIMEOUT", round(SILENT * 1000)),
            ("TCP_KEEPIDLE", max(1, round(SILENT / 3))),
            ("TCP_KEEPINTVL", max(1, round(SILENT / 3))),
            ("TCP_KEEPCNT", 3),
        ):
            if (option := getattr(socket, name, None)) is not None:  # not all are everywhere
                line.setsockopt(socket.IPPROTO_TCP, option, value)
    return made

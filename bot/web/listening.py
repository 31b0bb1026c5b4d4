"""The sockets at which Jackline listens, who serves them, and the end of that."""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from bot.errors import BadSetting
from bot.log import get

log = get("app")


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


def leave_within(seconds: float) -> None:
    """Ends the process though something hangs in its stopping: all that counts is on disk."""

    def leave() -> None:
        log.warning("stop_overdue", seconds=seconds)
        os._exit(0)

    overdue = threading.Timer(seconds, leave)
    overdue.daemon = True
    overdue.start()


class Server(uvicorn.Server):
    """uvicorn without its own signal handling: `Jackline.serve` decides when to stop.

    ``grace``: seconds for what is in flight then.
    """

    def __init__(self, app: ASGIApp, grace: int) -> None:
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,  # some senders can only put their secret into the URL
            lifespan="off",
            timeout_graceful_shutdown=grace - 1,
            proxy_headers=False,
        )
        super().__init__(config)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Not ours to catch."""
        yield

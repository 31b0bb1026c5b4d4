"""A page's app behind a real server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from tests.servers.process import HOST, free_port


@asynccontextmanager
async def serving(app: ASGIApp) -> AsyncIterator[str]:
    """Its address. What is still open at the end, such as a page's stream, is cut."""
    port = free_port()
    config = uvicorn.Config(app, HOST, port, log_level="error", ws="none", lifespan="off")
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    yield f"http://{HOST}:{port}"
    server.should_exit = server.force_exit = True
    await task
    left: list[Any] = list(server.server_state.connections)
    for connection in left:
        connection.transport.abort()
    await asyncio.sleep(0.01)

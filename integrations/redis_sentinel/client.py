"""Redis' protocol over the access path, and what its failures mean."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import redis.asyncio
from redis import exceptions
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from bot.contract import Connection
from bot.errors import AuthFailed, Rejected, Retryable, TargetError, Unknown

Address = tuple[str, int]
_PATIENCE = 3.0  # seconds for one answer


class Server:
    """One Sentinel or Redis, connected."""

    def __init__(self, client: "redis.asyncio.Redis", what: str) -> None:
        self._client = client
        self._what = what

    async def ask(self, *words: str, read: bool = True) -> Any:  # noqa: ANN401 - whatever the command answers
        """One command's answer. ``read``: asking again would do no harm."""
        try:
            return await self._client.execute_command(*words)  # type: ignore[no-untyped-call]  # redis-py leaves it without types
        except (exceptions.AuthenticationError, exceptions.NoPermissionError) as error:
            raise AuthFailed(f"{self._what} refused the credential: {error}") from error
        except (exceptions.ConnectionError, exceptions.TimeoutError) as error:
            said = f"{self._what} did not answer: {error}"
            raise _lost(said, read=read) from error
        except exceptions.ResponseError as error:
            if str(error).startswith("NOAUTH"):
                raise AuthFailed(f"{self._what} wants a password.") from error
            raise Rejected(f"{self._what} refused {words[0]}: {error}") from error


def _lost(said: str, *, read: bool) -> TargetError:
    return Retryable(said) if read else Unknown(said)


@asynccontextmanager
async def sentinel(connection: Connection, address: Address | None = None) -> AsyncIterator[Server]:
    """The target's Sentinel, or the one at an address. Raises `NotSent` when nobody answers."""
    found = connection.settings
    async with _open(connection, address, found.get("username"), found.get("password")) as client:
        yield Server(client, f"The Sentinel {_shown(address) or connection.target}")


@asynccontextmanager
async def server(connection: Connection, address: Address) -> AsyncIterator[Server]:
    """The Redis at an address, over the same path."""
    user, password = (connection.settings.get(f"redis_{key}") for key in ("username", "password"))
    async with _open(connection, address, user, password) as client:
        yield Server(client, f"The Redis {_shown(address)}")


@asynccontextmanager
async def _open(
    connection: Connection, address: Address | None, user: str | None, password: str | None
) -> AsyncIterator["redis.asyncio.Redis"]:
    async with connection.forward(address) as (host, port):
        client = redis.asyncio.Redis(
            host=host, port=port, username=user, password=password, decode_responses=True,
            socket_timeout=_PATIENCE, socket_connect_timeout=_PATIENCE, protocol=2, retry=Retry(NoBackoff(), 0),
        )  # fmt: skip
        try:
            yield client
        finally:
            await client.aclose()


def _shown(address: Address | None) -> str:
    return f"{address[0]}:{address[1]}" if address else ""


def pairs(row: Any) -> dict[str, str]:  # noqa: ANN401 - a flat list, or a mapping where redis-py made one
    """A Sentinel's flat list of names and values as a mapping."""
    if isinstance(row, dict):
        return {str(key): str(value) for key, value in row.items()}
    return dict(zip(row[::2], row[1::2], strict=True))

"""SSH: logging in at a host, and running a program there.

The host's key is pinned; no agent, no configuration file.
"""

import asyncio
import shlex
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack, closing, suppress
from typing import Any
from urllib.parse import urlsplit

import asyncssh

from bot.access.forward import PARTING, connected
from bot.catalog import Target
from bot.contract import Completed
from bot.errors import AuthFailed, BadInput, NotSent, Unknown

_LOGIN = 10.0  # seconds
_CONNECT = 4.0  # of these, until the host has taken the connection
_OUTPUT = 256 * 1024  # characters kept of each stream: the end is what tells


async def run_command(
    local: tuple[str, int],
    target: Target,
    settings: Mapping[str, str],
    argv: Sequence[str],
    *,
    stdin: str,
    hold: float,
    limit: float,
) -> Completed:
    """Logs in at ``local`` as the target's user, checks its pinned host key, runs ``argv``.

    The protocol carries one command line, which the host's login shell splits: each argument is
    quoted, so none can be more than one word. Settings: ``key`` (a private key), ``host_key``
    (the host's public key, as in known_hosts without the name). ``hold`` is as in the contract.
    """
    connection = await _login(local, target, settings)
    try:
        async with asyncio.timeout(limit):
            done = await _ran(connection, shlex.join(argv), stdin, hold)
    except TimeoutError:
        raise Unknown(f"{argv[0]} on {target.name} did not end in {limit:.0f} s.") from None
    except (OSError, asyncssh.Error) as error:
        raise Unknown(f"{argv[0]} on {target.name}: the connection broke: {error}.") from error
    finally:
        await hang_up(connection)
    if done.returncode is None:
        raise Unknown(f"{argv[0]} on {target.name} ended without a status.")
    return Completed(status=done.returncode, stdout=_end(done.stdout), stderr=_end(done.stderr))


async def _ran(
    connection: asyncssh.SSHClientConnection, line: str, stdin: str, hold: float
) -> asyncssh.SSHCompletedProcess:
    """Its input ends after ``hold`` seconds, and when nobody waits for it any more."""
    process = await connection.create_process(line, encoding="utf-8", errors="replace")
    process.stdin.write(stdin)
    ending = asyncio.get_running_loop().call_later(hold, process.stdin.write_eof)
    try:
        return await process.wait()
    finally:
        ending.cancel()
        process.stdin.write_eof()
        with suppress(TimeoutError):
            async with asyncio.timeout(PARTING):
                await process.wait_closed()


async def _login(
    local: tuple[str, int], target: Target, settings: Mapping[str, str]
) -> asyncssh.SSHClientConnection:
    address = urlsplit(target.url)
    if address.scheme != "ssh" or not address.username:
        raise BadInput(
            f"{target.name} runs no programs.",
            hint="Its url must be ssh://user@host in the catalog.",
        )
    try:
        keys = settings["key"], settings["host_key"]
    except KeyError as error:
        raise AuthFailed(f"{target.name} has no setting {error} in the catalog.") from None
    return await log_in(target.name, local, address.username, keys)


async def log_in(
    host: str,
    where: tuple[str, int],
    user: str,
    keys: tuple[str, str],
    tunnel: asyncssh.SSHClientConnection | None = None,
) -> asyncssh.SSHClientConnection:
    """At the ``host`` (its name for people), by the user's private key and the host's public one.

    Raises `AuthFailed` or `NotSent`.
    """
    try:
        key = asyncssh.import_private_key(keys[0])
        known = asyncssh.import_known_hosts(f"* {keys[1]}")
    except (asyncssh.KeyImportError, ValueError) as error:
        raise AuthFailed(f"A key of {host} cannot be used: {error}.") from None
    try:
        async with asyncio.timeout(_LOGIN), AsyncExitStack() as given:
            way: dict[str, Any] = {"tunnel": tunnel}
            if tunnel is None:
                way = {"sock": given.enter_context(closing(await connected(*where, _CONNECT)))}
            made = await asyncssh.connect(
                *where, username=user, client_keys=[key], known_hosts=known,
                agent_path=None, config=None, keepalive_interval=10, **way,
            )  # fmt: skip
            given.pop_all()  # until here the socket may be nobody's
            return made
    except TimeoutError:
        raise NotSent(f"{host} did not complete the SSH login in {_LOGIN:.0f} s.") from None
    except asyncssh.HostKeyNotVerifiable as error:
        raise AuthFailed(f"{host} does not show the pinned host key: {error}.") from error
    except asyncssh.PermissionDenied as error:
        raise AuthFailed(f"{host} refuses {user}'s key: {error}.") from error
    except (OSError, asyncssh.Error) as error:
        raise NotSent(f"{host}: no SSH login: {error}.") from error


async def hang_up(*connections: asyncssh.SSHClientConnection) -> None:
    """The last one first, as each may stand on the one before; who does not answer is cut off."""
    for connection in reversed(connections):
        connection.close()
        try:
            async with asyncio.timeout(PARTING):
                await connection.wait_closed()
        except TimeoutError:
            pass
        finally:
            connection.abort()


def _end(text: object) -> str:
    return str(text or "")[-_OUTPUT:]

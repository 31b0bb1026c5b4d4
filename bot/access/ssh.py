"""Runs a program on a host over SSH. The host's key is pinned; no agent, no configuration file."""

import asyncio
import shlex
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

import asyncssh

from bot.catalog import Target
from bot.contract import Completed
from bot.errors import AuthFailed, BadInput, NotSent, Unknown

_LOGIN = 10.0  # seconds
_OUTPUT = 256 * 1024  # characters kept of each stream: the end is what tells


async def run_command(
    local: tuple[str, int],
    target: Target,
    settings: Mapping[str, str],
    argv: Sequence[str],
    *,
    stdin: str,
    limit: float,
) -> Completed:
    """Logs in at ``local`` as the target's user, checks its pinned host key, runs ``argv``.

    The protocol carries one command line, which the host's login shell splits: each argument is
    quoted, so none can be more than one word. Settings: ``key`` (a private key), ``host_key``
    (the host's public key, as in known_hosts without the name).
    """
    try:
        async with asyncio.timeout(_LOGIN):
            connection = await _login(local, target, settings)
    except TimeoutError:
        raise NotSent(f"{target.name} did not complete the SSH login in {_LOGIN:.0f} s.") from None
    async with connection:
        try:
            async with asyncio.timeout(limit):
                done = await connection.run(shlex.join(argv), input=stdin, encoding="utf-8",
                                            errors="replace", check=False)  # fmt: skip
        except TimeoutError:
            raise Unknown(f"{argv[0]} on {target.name} did not end in {limit:.0f} s.") from None
        except (OSError, asyncssh.Error) as error:
            raise Unknown(f"{argv[0]} on {target.name}: the connection broke: {error}.") from error
    if done.returncode is None:
        raise Unknown(f"{argv[0]} on {target.name} ended without a status.")
    return Completed(status=done.returncode, stdout=_end(done.stdout), stderr=_end(done.stderr))


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
        key = asyncssh.import_private_key(settings["key"])
        known = asyncssh.import_known_hosts(f"* {settings['host_key']}")
    except KeyError as error:
        raise AuthFailed(f"{target.name} has no setting {error} in the catalog.") from None
    except (asyncssh.KeyImportError, ValueError) as error:
        raise AuthFailed(f"A key of {target.name} cannot be used: {error}.") from None
    try:
        return await asyncssh.connect(
            *local, username=address.username, client_keys=[key], known_hosts=known,
            agent_path=None, config=None, keepalive_interval=10,
        )  # fmt: skip
    except asyncssh.HostKeyNotVerifiable as error:
        raise AuthFailed(f"{target.name} does not show the pinned host key: {error}.") from error
    except asyncssh.PermissionDenied as error:
        raise AuthFailed(f"{target.name} refuses {address.username}'s key: {error}.") from error
    except (OSError, asyncssh.Error) as error:
        raise NotSent(f"{target.name}: no SSH login: {error}.") from error


def _end(text: object) -> str:
    return str(text or "")[-_OUTPUT:]

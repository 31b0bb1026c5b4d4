"""Runs ipmitool on the jump host, and what its failures mean.

The password goes in by standard input, which the program opens as a file: never in an argument,
which every user of the jump host could read, and not in the environment, which SSH does not pass.
"""

import re
from collections.abc import Mapping

from bot.contract import Completed, Connection
from bot.errors import AuthFailed, NotSent, Rejected, Retryable, TargetError, Unknown

_ADDRESS = re.compile(r"([A-Za-z0-9][A-Za-z0-9.-]{0,252})(?::(\d{1,5}))?")
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@-]{0,15}")
_CIPHER = re.compile(r"\d{1,2}")
_NO_PROGRAM = 127
_NO_SESSION = "Unable to establish"
_WRONG = re.compile(r"HMAC is invalid|unauthorized|[Ii]nvalid role|integrity check value")
_REFUSED = re.compile(r"failed: (.+)|Invalid command|command is not supported", re.IGNORECASE)
# Completion codes C3, CE and FF: the BMC did not come to the end of it, or lost what came of it.
_UNCLEAR = re.compile(
    r"failed: (?:Timeout|Command response could not be provided|Unspecified error)"
)
_LIMIT = 30.0  # seconds of one call


async def ipmitool(
    connection: Connection, *words: str, reading: bool = True, chatty: bool = True
) -> str:
    """Its standard output. ``chatty`` makes it say why a session failed, in other places too."""
    settings = connection.settings
    argv = [*_start(settings, chatty=chatty), *words]
    try:
        done = await connection.run(argv, stdin=f"{settings['password']}\n", timeout=_LIMIT)
    except Unknown as error:
        raise (Retryable(error.message) if reading else error) from error
    if done.status == 0:
        return done.stdout
    raise failure(done, settings["address"], reading=reading)


async def listening(connection: Connection, seconds: float, *words: str) -> Completed:
    """How a call ended that reads and goes on until its input ends, after ``seconds``.

    ``timeout`` is for a jump host that has lost us without noticing: the program ends all the same.
    """
    settings = connection.settings
    limit = seconds + _LIMIT
    argv = ["timeout", f"{limit:.0f}", *_start(settings, chatty=True), *words]
    try:
        return await connection.run(
            argv, stdin=f"{settings['password']}\n", hold=seconds, timeout=limit
        )
    except Unknown as error:
        raise Retryable(f"The jump host broke off before it told: {error.message}") from error


def _start(settings: Mapping[str, str], *, chatty: bool) -> list[str]:
    """The program and its options. Raises `Rejected` for settings that cannot be meant."""
    host, port = _matched(settings, "address", _ADDRESS).groups()
    user = _matched(settings, "username", _USER)[0]
    if not settings.get("password"):
        raise AuthFailed("The target has no setting 'password' in the catalog.")
    cipher = _matched(settings, "cipher_suite", _CIPHER)[0] if "cipher_suite" in settings else ""
    return [
        "ipmitool", *(["-v"] if chatty else ["-c", "-Z"]), "-I", "lanplus",
        "-H", host, "-p", port or "623", "-U", user, "-f", "/dev/stdin",
        "-L", "OPERATOR",  # all that these verbs need
        *(["-C", cipher] if cipher else []),
        "-N", "1", "-R", "2",
    ]  # fmt: skip


def _matched(settings: Mapping[str, str], name: str, pattern: re.Pattern[str]) -> re.Match[str]:
    found = pattern.fullmatch(settings.get(name, ""))
    if found is None:
        raise Rejected(f"The setting {name!r} of the target is missing or wrong.")
    return found


def failure(done: Completed, address: str, *, reading: bool = True) -> TargetError:
    """What a call that ended badly means."""
    lines = [line.strip(" >") for line in done.stderr.splitlines() if line.strip(" >")]
    last = lines[-1][:300] if lines else "no words"
    if done.status == _NO_PROGRAM:
        return Rejected("The jump host has no ipmitool.", hint="Install it there.")
    if _WRONG.search(done.stderr):
        return AuthFailed(
            f"The BMC at {address} refuses the credential.",
            hint="Look at the target's username and password, and at the user's privilege.",
        )
    if _NO_SESSION in done.stderr:  # without a session no order leaves the jump host
        why = "; ".join(dict.fromkeys(lines[-3:]))[:300]
        return NotSent(f"The BMC at {address} begins no session: {why}")
    if _REFUSED.search(last) and not _UNCLEAR.search(last):
        return Rejected(f"The BMC at {address} refused: {last}")
    said = f"ipmitool on the jump host ended with {done.status}: {last}"
    return Retryable(said) if reading else Unknown(said)

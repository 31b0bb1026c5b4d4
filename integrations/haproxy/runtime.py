"""HAProxy's runtime API: one line of commands, one answer in plain text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.contract import Connection
from bot.errors import AuthFailed, Rejected, Retryable, Unknown

_MAINTENANCE = 0x01 | 0x02 | 0x20 | 0x40  # forced, inherited, unresolved name, host name
_DRAIN = 0x08 | 0x10  # forced, inherited
_STATE_VERSION = "1"
_ABSENT = "Can't find backend."


@dataclass(frozen=True)
class Server:
    """One server of a backend, as ``show servers state`` tells it."""

    name: str
    running: bool
    maintenance: bool
    draining: bool
    weight: int
    initial_weight: int

    @property
    def serving(self) -> bool:
        """Whether new requests go there."""
        return self.running and not self.maintenance and not self.draining and self.weight > 0

    @property
    def capacity(self) -> int:
        """Its part of the backend's capacity, in weight."""
        return self.weight if self.serving else 0

    @property
    def shown(self) -> str:
        """For people: administrative state, then what the health checks say."""
        admin = "maint" if self.maintenance else "drain" if self.draining else "ready"
        return f"{admin}, weight {self.weight}" + ("" if self.running else ", down")


async def ask(connection: Connection, question: str) -> str:
    """A ``show`` command. One that got no answer did no harm and may be asked again."""
    try:
        return await _exchange(connection, question)
    except Unknown as error:
        raise Retryable(f"HAProxy did not answer: {error.message}") from error


async def order(connection: Connection, commands: Sequence[str]) -> None:
    """Commands that answer nothing when they worked: any text is HAProxy's refusal.

    All on one line, so that they reach HAProxy together or not at all.
    """
    if commands and (said := await _exchange(connection, "; ".join(commands))):
        raise refusal(said)


async def _exchange(connection: Connection, line: str) -> str:
    """HAProxy ends each answer with an empty line, also one that says nothing.

    Without it the line was cut: silence would look like success, and a part like the whole.
    """
    said = (await connection.exchange(f"{line}\n".encode())).decode("utf-8", "replace")
    if (said.strip("\n") and not said.endswith("\n\n")) or not said:
        raise Unknown("HAProxy's answer broke off.")
    return said.strip()


def refusal(said: str) -> AuthFailed | Rejected:
    """HAProxy's one line as an error."""
    line = " / ".join(said.split("\n"))[:200]
    if said.startswith("Permission denied"):
        return AuthFailed(f"HAProxy said: {line}", hint="The stats socket needs `level admin`.")
    return Rejected(f"HAProxy said: {line}")


async def servers(connection: Connection, backend: str) -> dict[str, Server]:
    """The servers of a backend by name."""
    lines = (await ask(connection, f"show servers state {backend}")).splitlines()
    if len(lines) < 2 or lines[0] != _STATE_VERSION:  # noqa: PLR2004 - version, then header
        raise refusal(lines[0] if lines else _ABSENT)
    header = lines[1].removeprefix("# ").split()
    rows = [dict(zip(header, line.split(), strict=False)) for line in lines[2:] if line.strip()]
    return {row["srv_name"]: _server(row) for row in rows}


def _server(row: Mapping[str, str]) -> Server:
    flags = int(row["srv_admin_state"])
    return Server(
        name=row["srv_name"],
        running=row["srv_op_state"] in {"1", "2"},  # starting (slow start), running
        maintenance=bool(flags & _MAINTENANCE),
        draining=bool(flags & _DRAIN),
        weight=int(row["srv_uweight"]),
        initial_weight=int(row["srv_iweight"]),
    )


async def map_entries(connection: Connection, file: str) -> dict[str, str]:
    """The entries of a map; of a key that stands twice, the first, which is the one used."""
    said = await ask(connection, f"show map {file}")
    entries: dict[str, str] = {}
    for line in said.splitlines():
        reference, _, rest = line.partition(" ")
        if not reference.startswith("0x"):
            raise refusal(said)
        key, _, value = rest.partition(" ")
        entries.setdefault(key, value)
    return entries

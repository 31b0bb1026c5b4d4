"""Runs commands of a host's allow-list; three verbs, by what repeating one means."""

import json
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field

from bot.contract import Call, Change, Completed, Connection, Effect, Frozen, Preview
from bot.errors import Rejected

from .commands import Command, allowed

_SHOWN = 4000  # characters of each stream that are kept: the end tells
_SPOKEN = range(126)  # a program's own word; above, a shell's: not found, not to be run, killed


class CommandParams(Frozen):
    """Which command on which host."""

    host: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,63}$")] = Field(
        description="The host: `db1` is the target `ssh/db1` of the catalog."
    )
    command: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,62}$")] = Field(
        description="A command of the host's allow-list."
    )
    args: dict[str, Annotated[str, Field(max_length=500)]] = Field(
        default={}, description="Its arguments by name; each must match the list's pattern."
    )
    ok_status: list[Annotated[int, Field(ge=0, le=255)]] = Field(
        default=[0], min_length=1, description="Exit statuses that count as success."
    )


class _Host:
    """What every verb here shares."""

    effect: ClassVar[Effect]

    def target(self, params: CommandParams) -> str:
        return f"ssh/{params.host}"

    async def preview(self, params: CommandParams, connection: Connection) -> Preview:
        """The words that would be run; the host is not asked, as only running them tells."""
        command = self._allowed(params, connection)
        words = " ".join(command.words(params.args, command.argv))
        change = Change(
            target=self.target(params), what=params.command, before="not run", after=words
        )
        reading = self.effect is Effect.READ
        state = {"undo": command.undo}
        return Preview(changes=[] if reading else [change], state=state, told=False)

    async def apply(self, params: CommandParams, connection: Connection) -> dict[str, Any]:
        command = self._allowed(params, connection)
        words = command.words(params.args, command.argv)
        done = await connection.run(words, timeout=command.timeout)
        if done.status not in params.ok_status:
            said = (done.stderr or done.stdout).strip()[-500:]
            raise Rejected(
                f"{params.command} ended with {done.status}: {said or 'no words'}",
                partly=self.effect is not Effect.READ,
            )
        return _out(done)

    async def verify(self, params: CommandParams, connection: Connection) -> bool | None:
        """By the list's own ``verify``; nobody can tell without one, or if it does not run."""
        command = self._allowed(params, connection)
        if not command.verify:
            return True if self.effect is Effect.READ else None
        done = await connection.run(command.words(params.args, command.verify))
        return done.status == 0 if done.status in _SPOKEN else None

    def undo(self, params: CommandParams, state: Mapping[str, Any]) -> Call | None:
        """The list's undo, with the same arguments."""
        if self.effect is Effect.READ or not state.get("undo"):
            return None
        again = {"host": params.host, "command": state["undo"], "args": params.args}
        return Call(action=f"ssh.{_VERBS[self.effect]}", params=again)

    def _allowed(self, params: CommandParams, connection: Connection) -> Command:
        command = allowed(connection.settings, params.command, params.args)
        if command.effect != self.effect.value:
            verb = _VERBS[Effect(command.effect)]
            raise Rejected(
                f"{params.command} is listed as {command.effect}.", hint=f"Use ssh.{verb} for it."
            )
        return command


class Read(_Host):
    """Looks: a command that changes nothing."""

    name: ClassVar[str] = "ssh.read"
    effect: ClassVar[Effect] = Effect.READ
    reverts: ClassVar[bool] = False
    Params: ClassVar[type[CommandParams]] = CommandParams


class Ensure(_Host):
    """Brings about a state: running it again changes nothing more."""

    name: ClassVar[str] = "ssh.ensure"
    effect: ClassVar[Effect] = Effect.IDEMPOTENT
    reverts: ClassVar[bool] = False
    Params: ClassVar[type[CommandParams]] = CommandParams


class Run(_Host):
    """Runs a command once: never again unless a person says so."""

    name: ClassVar[str] = "ssh.run"
    effect: ClassVar[Effect] = Effect.ONCE
    reverts: ClassVar[bool] = False
    Params: ClassVar[type[CommandParams]] = CommandParams


_VERBS = {Effect.READ: "read", Effect.IDEMPOTENT: "ensure", Effect.ONCE: "run"}


def _out(done: Completed) -> dict[str, Any]:
    return {
        "status": done.status,
        "stdout": done.stdout[-_SHOWN:],
        "stderr": done.stderr[-_SHOWN:],
        "json": _json(done.stdout),
    }


def _json(text: str) -> Any:  # noqa: ANN401 - any JSON
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None

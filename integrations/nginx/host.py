"""The nginx on its host, over SSH: its file, its test, its reload, and what it really runs."""

import asyncio
import json
import re
from typing import Annotated

from pydantic import Field, ValidationError, field_validator

from bot.contract import Completed, Connection, Frozen
from bot.errors import AuthFailed, NotSent, Rejected, Retryable, TargetError, Unknown

from .shed import Shed, is_prefix, parse, parse_state, render

_PATIENCE = 15.0  # seconds for one command
_SETTLE = 15.0  # seconds for new workers to take over
_LOOK, _SIGHTS = 0.2, 2  # seconds before each look whether they have, and how often they must
_SHOWN = 200  # characters of a command line, in an error
_Argv = list[Annotated[str, Field(min_length=1, max_length=500)]]


class Settings(Frozen):
    """The settings of one nginx, read from its target."""

    file: str = "/etc/nginx/jackline/shed.conf"
    services: dict[str, str] = Field(default={})
    test: _Argv = Field(default=["sudo", "-n", "nginx", "-t"], min_length=1)
    reload: _Argv = Field(default=["sudo", "-n", "nginx", "-s", "reload"], min_length=1)
    running: _Argv = Field(default=[])
    retry_after: int = Field(default=30, ge=1, le=3600)

    @field_validator("file")
    @classmethod
    def _absolute(cls, value: str) -> str:
        if not re.fullmatch(r"(/[A-Za-z0-9_-][A-Za-z0-9_.-]*)+", value):
            raise ValueError("must be an absolute path of plain names")
        return value

    @field_validator("services")
    @classmethod
    def _prefixes(cls, value: dict[str, str]) -> dict[str, str]:
        for name, prefix in value.items():
            if not is_prefix(prefix):
                raise ValueError(f"{prefix!r}, of {name}, is no plain path prefix")
        return value


class Host:
    """One nginx."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.settings = _settings(connection)

    def prefix(self, service: str) -> str:
        """The service's path prefix. Raises `Rejected` for one that may not be shed."""
        allowed = self.settings.services
        if service not in allowed:
            known = ", ".join(sorted(allowed)) or "none"
            raise Rejected(f"No service {service!r} may be shed here.", hint=f"There are {known}.")
        return allowed[service]

    async def written(self) -> Shed:
        """What the file says, which nginx takes up when it is started or reloaded."""
        return parse((await self._read(["cat", "--", self.settings.file])).stdout)

    async def running(self) -> Shed | None:
        """What nginx itself says that it runs; None where it is not asked."""
        if not self.settings.running:
            return None
        said = (await self._read(self.settings.running)).stdout.strip()
        if (shed := parse_state(said)) is None:
            raise Rejected(f"nginx's own word about what it runs is unclear: {said[:200]!r}.")
        return shed

    async def change(self, before: Shed, shed: Shed) -> None:
        """From what the file says to what it is to say.

        Writes it, tests all of nginx's configuration with it, and reloads. nginx reads the file only at the reload: what fails before leaves in force what was, and
        puts the file back.
        """
        file = self.settings.file
        if before != shed:
            await self._write(f"{file}.new", render(shed))
            await self._do(["cp", "-f", "--", file, f"{file}.old"])
            await self._do(["mv", "-f", "--", f"{file}.new", file], begun=True)
        for command in (self.settings.test, self.settings.reload):
            try:
                await self._do(command, begun=True)
            except (Rejected, AuthFailed) as refused:
                if before != shed:
                    await self._put_back(refused)
                raise
        await self._settled(shed)

    async def _put_back(self, refused: TargetError) -> None:
        file = self.settings.file
        try:
            await self._do(["mv", "-f", "--", f"{file}.old", file], begun=True)
        except TargetError as error:
            raise Unknown(
                f"{refused.message}; and the file was not put back: {error.message}",
                hint=f"Nothing was reloaded. Before anybody does, move {file}.old to {file}.",
            ) from refused

    async def _settled(self, shed: Shed) -> None:
        """Until nginx says so twice: old and new workers both take requests for 0.1 s or so."""
        if not self.settings.running:
            return
        seen = 0
        try:
            async with asyncio.timeout(_SETTLE):
                while seen < _SIGHTS:
                    await asyncio.sleep(_LOOK)
                    seen = seen + 1 if await self.running() == shed else 0
        except (TimeoutError, Retryable, NotSent) as error:
            raise Unknown("nginx was told to reload, and is not seen to have done so.") from error

    async def _write(self, file: str, text: str) -> None:
        done = await self._do(["tee", "--", file], stdin=text)
        if done.stdout != text:
            raise Rejected(f"{file} was not written as a whole.")

    async def _read(self, argv: list[str]) -> Completed:
        try:
            return await self._do(argv)
        except Unknown as error:
            raise Retryable(error.message) from error

    async def _do(self, argv: list[str], *, stdin: str = "", begun: bool = False) -> Completed:
        """Runs it. ``begun``: something was changed before, so that no word can be *not sent*."""
        try:
            done = await self._connection.run(argv, stdin=stdin, timeout=_PATIENCE)
        except NotSent as error:
            if begun:
                raise Unknown(f"In the middle of the change: {error.message}") from error
            raise
        if done.status == 0:
            return done
        words = (done.stderr or done.stdout).strip()[-500:].splitlines()
        said = " / ".join(words) or "no words"
        what = " ".join(argv)[:_SHOWN]
        if said.startswith("sudo:"):
            raise AuthFailed(f"{what}: {said}", hint="See the README for sudo's rule.")
        raise Rejected(f"{what} ended with {done.status}: {said}")


def _settings(connection: Connection) -> Settings:
    """The target's settings; all but the file are JSON. Raises `Rejected` naming the wrong one."""
    given = {name: connection.settings.get(name) for name in Settings.model_fields}
    try:
        read = {
            name: value if name == "file" else json.loads(value)
            for name, value in given.items()
            if value is not None
        }
        return Settings.model_validate(read)
    except ValidationError as error:
        first = error.errors()[0]
        where, why = ".".join(map(str, first["loc"])), first["msg"]
    except (ValueError, RecursionError) as error:
        where, why = "one", f"it is no JSON ({error})"
    raise Rejected(f"{connection.target}, setting {where}: {why}.")

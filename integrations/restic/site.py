"""Where a target's backups are drilled: its settings, and the programs that run there."""

import re
from collections.abc import Sequence
from typing import Annotated, Self

from pydantic import Field, Json, ValidationError, field_validator

from bot.contract import Completed, Connection, Frozen
from bot.errors import NotSent, Rejected, Unknown

_NOISE = "could not change directory to"  # the home of whoever logged in is not the other user's
_SHOWN = 600  # characters of a program's last lines
_PATH = r"^/[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$"  # no `..`, no spaces
_LOGIN = re.compile(r"://[^/\s@]*@")  # of a repository's address

Folder = Annotated[str, Field(pattern=_PATH)]
Filter = Annotated[str, Field(pattern=r"^([^-\s][^\s,]{0,200})?$")]


class Site(Frozen):
    """A target's settings, checked. The repository's address and password are files on the host."""

    repository_file: Folder
    password_file: Folder
    scratch: Annotated[str, Field(pattern=_PATH, max_length=60)]  # a socket's path is short
    host: Filter = ""
    path: Filter = ""
    tag: Filter = ""
    bin: Folder = "/usr/bin"
    program: Folder = "/usr/bin/restic"
    as_user: Json[list[str]] = Field(default=[])

    @field_validator("as_user")
    @classmethod
    def _a_program_first(cls, value: list[str]) -> list[str]:
        if value and value[0].startswith("-"):
            raise ValueError("the first word is the program, such as sudo")
        return value

    @classmethod
    def of(cls, connection: Connection) -> Self:
        """Raises `Rejected` naming the setting."""
        given = {k: v for k, v in connection.settings.items() if k in cls.model_fields}
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            first = error.errors()[0]
            raise Rejected(
                f"{connection.target}: the setting `{first['loc'][0]}` is wrong: {first['msg']}.",
                hint="Correct it in the catalog.",
            ) from None

    @property
    def restic(self) -> list[str]:
        """The program with what every command takes: secrets from files, nothing from a cache.

        Without a lock: a drill only reads, also with a credential that can only read.
        """
        files = [
            f"--repository-file={self.repository_file}",
            f"--password-file={self.password_file}",
        ]
        return [self.program, *files, "--no-lock", "--no-cache"]

    @property
    def only(self) -> list[str]:
        """Which snapshots are this target's, as options."""
        filters = {"host": self.host, "path": self.path, "tag": self.tag}
        return [f"--{name}={value}" for name, value in filters.items() if value]


class Host:
    """Runs programs as the user that may read the repository."""

    def __init__(self, connection: Connection, as_user: Sequence[str]) -> None:
        self.connection = connection
        self.as_user = list(as_user)
        self.reached = False

    async def run(self, argv: Sequence[str], *, stdin: str = "", limit: float = 60) -> Completed:
        """Raises `NotSent` only while nothing was run at all, later `Unknown`."""
        try:
            done = await self.connection.run([*self.as_user, *argv], stdin=stdin, timeout=limit)
        except NotSent as error:
            if not self.reached:
                raise
            raise Unknown(f"The way to the host was lost half-way: {error.message}") from error
        self.reached = True
        return done

    async def must(
        self, what: str, argv: Sequence[str], *, stdin: str = "", limit: float = 60
    ) -> str:
        """What the program said. Raises `Rejected` with its last lines if it ends non-zero."""
        done = await self.run(argv, stdin=stdin, limit=limit)
        if done.status:
            raise Rejected(f"{what}: {last_lines(done)}")
        return done.stdout

    async def within(self, what: str, argv: Sequence[str], limit: int) -> str:
        """As `must`; ended on the host itself when it takes too long, also when nobody listens."""
        timed = ["timeout", "--kill-after=5", str(limit), *argv]
        done = await self.run(timed, limit=limit + 30)
        if done.status in (124, 137):
            raise Rejected(f"{what}: did not end in {limit} s.", hint="Give it a larger `limit`.")
        if done.status:
            raise Rejected(f"{what}: {last_lines(done)}")
        return done.stdout


def last_lines(done: Completed) -> str:
    """How a program ended, in its own words, without a login that an address may hold."""
    lines = [line.strip() for line in (done.stdout + done.stderr).splitlines()]
    said = "; ".join(line for line in lines if line and not line.startswith(_NOISE))
    return f"ended with {done.status}: {_LOGIN.sub('://…@', said)[-_SHOWN:] or 'no words'}"

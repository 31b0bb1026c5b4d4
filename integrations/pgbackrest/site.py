"""Where a target's backups are drilled: its settings, and the programs that run there."""

from collections.abc import Sequence
from typing import Annotated, Self

from pydantic import Field, Json, ValidationError, field_validator

from bot.contract import Completed, Connection, Frozen
from bot.errors import NotSent, Rejected, Unknown

_NAME = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$"
_NOISE = "could not change directory to"  # the home of whoever logged in is not the other user's
_SHOWN = 600  # characters of a program's last lines
_PATH = r"^/[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$"  # no `..`, no spaces

Folder = Annotated[str, Field(pattern=_PATH)]


class Site(Frozen):
    """A target's settings, checked. Paths are plain: they are also written into configurations."""

    stanza: Annotated[str, Field(pattern=_NAME)]
    scratch: Annotated[str, Field(pattern=_PATH, max_length=60)]  # a socket's path is short
    bin: Folder
    config: Folder | None = None
    superuser: Annotated[str, Field(pattern=_NAME)] = "postgres"
    preload: Annotated[str, Field(pattern=r"^[a-z0-9_, ]{0,200}$")] = ""
    program: Folder = "/usr/bin/pgbackrest"
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
    def pgbackrest(self) -> list[str]:
        """The program with what every command of it takes; nothing is logged into a file."""
        config = [f"--config={self.config}"] if self.config else []
        return [self.program, *config, f"--stanza={self.stanza}", "--log-level-file=off"]


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


def last_lines(done: Completed) -> str:
    """How a program ended, in its own words."""
    lines = [line.strip() for line in (done.stderr + done.stdout).splitlines()]
    said = "; ".join(line for line in lines if line and not line.startswith(_NOISE))
    return f"ended with {done.status}: {said[-_SHOWN:] or 'no words'}"

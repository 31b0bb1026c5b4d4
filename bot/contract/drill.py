"""What restore drills on a host do alike, for the integrations of backup programs.

Programs run as the user that may read the backups; a scratch folder is cleared whatever happens; a
note on the host says what was proven. How a backup is restored, and what is looked at then, each
integration says itself.
"""

import json
import re
import secrets
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any, Self

from pydantic import Field, Json, ValidationError, field_validator

from bot.contract import Completed, Connection, Frozen
from bot.errors import NotSent, Rejected, TargetError, Unknown

_NOISE = "could not change directory to"  # the home of whoever logged in is not the other user's
_LOGIN = re.compile(r"://[^/\s@]*@")  # of a repository's address
_SHOWN = 600  # characters of a program's last lines
_ROOM = 1.2  # times what is restored that must be free: WAL and the like come on top
_CLEANING = 300  # seconds to remove a scratch folder
_TRIES = 3  # a restore that was cut off may still be writing into the folder
_TOLERATED = 60  # seconds that the clocks of two hosts may differ
_PATH = r"^/[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$"  # no `..`, no spaces

Folder = Annotated[str, Field(pattern=_PATH)]


class DrillSite(Frozen):
    """A target's settings, checked. Paths are plain: they are also written into configurations."""

    scratch: Annotated[str, Field(pattern=_PATH, max_length=60)]  # a socket's path is short
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


class Host:
    """Runs programs as the user that may read the backups."""

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


class DrillFolder:
    """Each drill works in `folder`, which has a new name below `root`.

    So a restore that was cut off, and that still writes, can never mix with this one: its folder
    is gone. A server that was cut off notices within a minute that its folder is gone, and ends.
    Nobody is killed by a process id that may belong to somebody else by now.
    """

    def __init__(self, host: Host, scratch: str, name: str) -> None:
        """``name`` is of the backups that are drilled, and theirs alone on that host."""
        self.host = host
        self.scratch = scratch
        self.root = f"{scratch}/jackline-{name}"
        self.folder = f"{self.root}/{secrets.token_hex(4)}"
        self._note = f"{self.root}.verified.json"

    async def room(self, label: str, size: int) -> int:
        """Bytes on the disk of the scratch folder. Raises `Rejected` where they are too few."""
        argv = ["df", "-B1", "--output=avail", self.scratch]
        said = await self.host.must("the scratch folder cannot be read", argv)
        free = int(said.split()[-1])
        if free < size * _ROOM:
            raise Rejected(
                f"{label} needs {size * _ROOM / 1e6:.0f} MB in {self.scratch}, "
                f"where {free / 1e6:.0f} MB are free."
            )
        return free

    async def make(self, *inside: str) -> None:
        """Makes the folder and those inside it, for their owner alone."""
        argv = ["mkdir", "-p", "-m", "0700", self.folder, *inside]
        await self.host.must("the scratch folder cannot be made", argv)

    async def size(self, folder: str) -> int:
        """Bytes that a folder holds."""
        argv = ["du", "-s", "-B1", "--apparent-size", folder]
        return int((await self.host.must("the size cannot be read", argv)).split()[0])

    async def clear(self) -> None:
        """Removes what this drill and earlier ones have left."""
        said = ""
        for _ in range(_TRIES):
            argv = ["rm", "-rf", "--one-file-system", self.root]
            done = await self.host.run(argv, limit=_CLEANING)
            if done.status == 0:
                return
            said = last_lines(done)
        raise Rejected(f"the scratch folder {self.root} cannot be removed: {said}")

    async def left(self) -> bool:
        """Whether something of a drill lies there."""
        return (await self.host.run(["test", "-e", self.root])).status == 0

    async def prove(
        self, work: Callable[[], Awaitable[dict[str, Any]]], stop: Callable[[], Awaitable[None]]
    ) -> dict[str, Any]:
        """What ``work`` finds, its ``label`` and ``counts`` noted on the host as proven.

        ``stop`` ends what the work has started; then the folder is cleared, whatever happened.
        Raises `Rejected` where the backup is none, and takes the note away: what was proven last
        week is not proven any more.
        """
        try:
            out = await work()
        except Rejected as error:
            await self._given_up(stop)
            try:
                await self._forget()
            except TargetError as another:
                raise Rejected(f"The drill failed, and {another.message}") from another
            raise Rejected(f"The drill failed: {error.message}", hint=error.hint) from error
        except BaseException:
            await self._given_up(stop)
            raise
        await stop()
        await self.clear()
        await self._leave({"label": out["label"], "at": time.time(), "counts": out["counts"]})
        return out

    async def proven(self, now: float) -> dict[str, Any]:
        """What was proven last and how long ago; nothing where there is no note."""
        done = await self.host.run(["cat", self._note])
        if done.status:
            return {}
        try:
            found = json.loads(done.stdout)
            seconds = age(float(found["at"]), now)
            told = {"verified_label": str(found["label"]),
                    "verified_counts": dict(found["counts"])}  # fmt: skip
        except (ValueError, KeyError, TypeError) as error:
            reason = type(error).__name__
            raise Rejected(f"The note of the last drill cannot be read: {reason}.") from None
        return told | ({} if seconds is None else {"verified_age_seconds": seconds})

    async def _given_up(self, stop: Callable[[], Awaitable[None]]) -> None:
        """The drill's own error is what matters; the next one clears what this one leaves."""
        try:
            await stop()
            await self.clear()
        except TargetError:
            return

    async def _leave(self, note: dict[str, Any]) -> None:
        """Written aside and moved into place, so that nobody reads half of it."""
        what = "the note of the drill cannot be written"
        await self.host.must(what, ["tee", f"{self._note}.new"], stdin=json.dumps(note))
        await self.host.must(what, ["mv", "-f", f"{self._note}.new", self._note])

    async def _forget(self) -> None:
        what = "the note of the last drill cannot be removed"
        await self.host.must(what, ["rm", "-f", self._note])


def age(then: float, now: float) -> int | None:
    """Seconds; None where the clocks differ so much that it would lie in the future."""
    return max(0, round(now - then)) if then <= now + _TOLERATED else None


def last_lines(done: Completed) -> str:
    """How a program ended, in its own words, without a login that an address may hold."""
    lines = [line.strip() for line in (done.stdout + "\n" + done.stderr).splitlines()]
    said = "; ".join(line for line in lines if line and not line.startswith(_NOISE))
    return f"ended with {done.status}: {_LOGIN.sub('://…@', said)[-_SHOWN:] or 'no words'}"

"""What the commands share: printing, and a wired Jackline for the time of one question."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from sqlalchemy.engine import make_url

from bot import log, settings
from bot.app import Jackline
from bot.catalog import Person
from bot.chat.printing import Printer
from bot.cli.doctor import NO_DATABASE, why
from bot.errors import BadInput, NotFound, Unavailable
from bot.located import near

_T = TypeVar("_T")
# into a pipe or a file goes every word: only a terminal has an edge
out = Printer(soft_wrap=True, highlight=False, width=None if sys.stdout.isatty() else 1000)
AsJson = Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")]
LARGEST = 2**31 - 1  # of an id on PostgreSQL


def with_parts(work: Callable[[Jackline], Awaitable[_T]]) -> _T:
    """Does something with all parts and a migrated database."""
    log.configure("error")
    return asyncio.run(_opened(settings.load(), work))


def without_database(work: Callable[[Jackline], _T]) -> _T:
    """The same, for what needs nothing stored: it works while the database is away."""
    log.configure("error")
    loaded = settings.load()

    async def done() -> _T:
        parts = Jackline(loaded)
        try:
            return work(parts)
        finally:
            await parts.close()

    return asyncio.run(done())


def from_record(work: Callable[[Jackline], Awaitable[_T]]) -> _T:
    """The same, for questions about what is stored: an empty new database is no answer."""
    log.configure("error")
    loaded = settings.load()
    url = make_url(loaded.store_url)
    if url.drivername.startswith("sqlite") and not Path(url.database or "").exists():
        raise Unavailable(
            f"There is no database at {url.database}.",
            hint="Set JACKLINE_DATA_DIR or JACKLINE_DATABASE_URL as `jackline serve` has it.",
        )
    return asyncio.run(_opened(loaded, work))


def known_person(parts: Jackline, person_id: str) -> Person | None:
    """A person of the catalog; nobody is the command line itself. Raises `NotFound`."""
    if not person_id:
        return None
    people = parts.library.catalog.people
    person = parts.library.catalog.person(person_id)
    if person is None:
        raise NotFound(
            f"There is no person {person_id!r} in the catalog{near(person_id, [p.id for p in people]) or '.'}"
        )
    return person


async def _opened(loaded: settings.Settings, work: Callable[[Jackline], Awaitable[_T]]) -> _T:
    parts = Jackline(loaded)
    try:
        with database():
            await parts.store.migrate()
            return await work(parts)
    finally:
        await parts.close()


def save(content: bytes, to: Path | None) -> None:
    """Into a file, whole or not at all, or to stdout. Raises `BadInput`."""
    if to is None:
        sys.stdout.flush()
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
        return
    aside = to.with_name(f".{to.name}.part")
    try:
        aside.write_bytes(content)
        aside.replace(to)
    except OSError as error:
        raise BadInput(f"Cannot write {to}: {error.strerror}.") from error
    out.print(f"{to}: {len(content)} bytes", markup=False)


@contextmanager
def database() -> Iterator[None]:
    """A database that cannot be used is one sentence, not a traceback."""
    try:
        yield
    except NO_DATABASE as error:
        raise Unavailable(
            f"The database cannot be used: {why(error)}",
            hint="`jackline doctor` looks at what Jackline needs.",
        ) from error

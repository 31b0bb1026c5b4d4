"""Opens Jackline's parts for a command that asks or does one thing."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from sqlalchemy.engine import make_url

from bot import log, settings
from bot.app import Jackline
from bot.cli.doctor import NO_DATABASE, why
from bot.errors import Unavailable

T = TypeVar("T")
Work = Callable[[Jackline], Awaitable[T]]


def with_parts(work: Work[T]) -> T:
    """Runs ``work`` with everything wired as `jackline serve` has it."""
    log.configure("error")
    return asyncio.run(_opened(settings.load(), work))


def from_record(work: Work[T]) -> T:
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


async def _opened(loaded: settings.Settings, work: Work[T]) -> T:
    parts = Jackline(loaded)
    try:
        with database():
            await parts.store.migrate()
            return await work(parts)
    finally:
        await parts.close()

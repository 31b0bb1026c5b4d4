"""Sign-in with password and code, for when neither Slack nor SSO works: kept, proven, taken away.

What was typed is never logged or recorded, not even the name: people type passwords into the wrong
field.
"""

import asyncio
import hmac
import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

from sqlalchemy import text as sql
from sqlalchemy import update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from bot.catalog import Catalog, Person
from bot.chat.console.factors import FREE, Seals, hashed, matches, step_of, wait_after
from bot.chat.console.tables import ConsoleSignin
from bot.errors import NotAllowed, Unavailable
from bot.log import get
from bot.store import Store, now
from bot.timeline import Ledger

log = get("console")
_AT_ONCE, _INSIDE = 2, 10  # hashes of 46 MB and 0.1 s each that run, and with those that wait
_PATIENCE = 1.0  # seconds for the database to say whose sessions ended
_UNKNOWN = 0xFFF  # names that nobody has share so many rows and one
_FIRST = sql(
    "INSERT INTO console_signin (person_id, last_step, failures) VALUES (:person, 0, 0) "
    "ON CONFLICT DO NOTHING"
)


class Passwords:
    """The people's passwords and codes, in the database."""

    def __init__(
        self, store: Store, ledger: Ledger, session_key: bytes, catalog: Callable[[], Catalog]
    ) -> None:
        self.store = store
        self.ledger = ledger
        self.catalog = catalog
        self.seals = Seals(session_key)
        self._key = session_key
        self._running = asyncio.Semaphore(_AT_ONCE)
        self._inside = 0
        self._since: dict[str, float] = {}

    async def prove(
        self, who: str, password: str, code: str, *, signing_in: bool = False
    ) -> Person:
        """The person whose id, password and code these are; the code works once.

        ``signing_in`` is put on record. Raises `NotAllowed`, in the same words whatever is wrong,
        and `Unavailable` when too many try at once.
        """
        async with self._turn():
            person = self.catalog().person(who)
            row = await self._counted(self._unknown(who) if person is None else person.id)
            right = await asyncio.to_thread(matches, row.hash, password)
            secret = self.seals.opened(row.secret or "", row.person_id)
            step = step_of(secret, code, now()) if secret else None
            if person is not None and right and step is not None:
                if await self._taken(person, row, step, signing_in):
                    self._since[person.id] = row.since.timestamp() if row.since else 0.0
                    return person
            elif right and not secret:
                log.error("signin_secret_unreadable", person=row.person_id)
            await self._refused(person, row)
        raise NotAllowed(
            "Person, password and code do not go together.",
            hint=f"A code works once: take the app's next one. {_wait(wait_after(row.failures))}".strip(),
        )

    async def set_up(
        self, person: Person, password: str, seal: str, step: int, *, began: float, by_link: bool
    ) -> None:
        """Stores both, and ends the person's sessions. ``began`` is the asking session's own.

        Raises `NotAllowed` if that one has ended meanwhile, and as `prove` does.
        """
        async with self._turn():
            made = await asyncio.to_thread(hashed, password)
        async with self.store.write(silent=True) as session:
            row = await _locked(session, person.id)
            if row.since is not None and began < row.since.timestamp():
                raise NotAllowed("This session has ended.", hint="Sign in again.")
            row.hash, row.secret, row.last_step = made, seal, step
            row.failures, row.not_before, row.since = 0, None, now()
            how = "a one-time link" if by_link else "the password and code before"
            text = f"{person.name} set up password and code for the console, by {how}"
            await self.ledger.append(session, 0, "signin_set_up", f"person:{person.id}", text)
        self._since[person.id] = row.since.timestamp()

    async def remove(self, person: Person) -> bool:
        """Takes both away and ends the person's sessions; False if there was nothing."""
        async with self.store.write(silent=True) as session:
            gone = await session.execute(
                update(ConsoleSignin)
                .where(
                    col(ConsoleSignin.person_id) == person.id, col(ConsoleSignin.hash).is_not(None)
                )
                .values(hash=None, secret=None, failures=0, not_before=None, since=now())
            )
            found = bool(gone.rowcount)  # type: ignore[attr-defined]  # an UPDATE's CursorResult
            if found:
                text = (
                    f"The console password and code of {person.name} were taken away on the server"
                )
                data = {"person": person.id}
                await self.ledger.append(session, 0, "signin_removed", "jackline", text, data=data)
        return found

    async def end_sessions(self, person: Person, actor: str = "jackline") -> None:
        """Ends all that the person has at this moment, at every replica; password and code stay.

        ``actor``: the person themselves, or Jackline for who works on the server.
        """
        async with self.store.write() as session:
            row = await _locked(session, person.id)
            row.since = now()
            where = "on the server" if actor == "jackline" else "by themselves"
            text = f"All console sessions of {person.name} were ended {where}"
            data = {"person": person.id}
            await self.ledger.append(session, 0, "sessions_ended", actor, text, data=data)
        self._since[person.id] = row.since.timestamp()

    async def kept(self, person: Person) -> ConsoleSignin | None:
        """What is stored of the person, if password and code are set up."""
        async with self.store.read() as session:
            row = await session.get(ConsoleSignin, person.id)
        return row if row is not None and row.hash is not None else None

    def since(self, person_id: str) -> float:
        """Sessions of the person begun before this (seconds of the epoch) ended, as far as known."""
        return self._since.get(person_id, 0.0)

    async def look(self, person_id: str) -> None:
        """Asks the database about `since`. Where it is away, what it said last goes on to hold."""
        query = select(ConsoleSignin.since).where(ConsoleSignin.person_id == person_id)
        try:
            async with asyncio.timeout(_PATIENCE), self.store.read() as session:
                found = (await session.execute(query)).scalar()
        except (DBAPIError, PoolTimeout, OSError) as error:
            log.warning("sessions_not_compared", error=str(getattr(error, "orig", error)))
        else:
            self._since[person_id] = found.timestamp() if found else 0.0

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        """Hashing takes a core and 46 MB: few run, few wait, the others are told to come back."""
        if self._inside >= _INSIDE:
            raise Unavailable(
                "Too many people sign in at this moment.", hint="Try again in a few seconds."
            )
        self._inside += 1
        try:
            async with self._running:
                yield
        finally:
            self._inside -= 1

    async def _counted(self, key: str) -> ConsoleSignin:
        """The row, with this try counted as failed until it proves right.

        Counted first, so that trying many at once, or at several replicas, is no way round the
        wait. Raises `NotAllowed` while the next try must wait.
        """
        async with self.store.write(silent=True) as session:
            row = await _locked(session, key)
            moment = now()
            if row.not_before is not None and row.not_before > moment:
                raise NotAllowed("Too many tries were wrong.", hint=_wait(row.not_before - moment))
            row.failures += 1
            wait = wait_after(row.failures)
            row.not_before = moment + wait if wait else None
        return row

    async def _taken(self, person: Person, row: ConsoleSignin, step: int, signing_in: bool) -> bool:
        """Uses the code up; False if it was used, here or at another replica, or changed."""
        async with self.store.write(silent=True) as session:
            claim = await session.execute(
                update(ConsoleSignin)
                .where(col(ConsoleSignin.person_id) == person.id)
                .where(col(ConsoleSignin.hash) == row.hash, col(ConsoleSignin.last_step) < step)
                .values(last_step=step, failures=0, not_before=None)
            )
            taken = bool(claim.rowcount)  # type: ignore[attr-defined]  # an UPDATE's CursorResult
            if taken and signing_in:
                text = f"{person.name} signed in to the console with password and code"
                await self.ledger.append(session, 0, "signed_in", f"person:{person.id}", text)
        return taken

    async def _refused(self, person: Person | None, row: ConsoleSignin) -> None:
        """On record once, when tries begin to wait: guessing must not fill the record."""
        if row.failures != FREE or person is None:
            return
        log.warning("signin_refused", person=person.id)
        text = f"{FREE} tries in a row to sign in to the console as {person.name} were wrong"
        async with self.store.write(silent=True) as session:
            data = {"person": person.id}
            await self.ledger.append(session, 0, "signin_refused", "jackline", text, data=data)

    def _unknown(self, who: str) -> str:
        """The row for a name that nobody has: they must not fill the table, nor wait less."""
        digest = hmac.digest(self._key, who.encode("utf-8", "replace"), "sha256")
        return f"?{int.from_bytes(digest[:2]) & _UNKNOWN:03x}"  # no person's id begins so


async def _locked(session: AsyncSession, key: str) -> ConsoleSignin:
    """The row, made if there is none, and kept from others until the transaction ends."""
    await session.execute(_FIRST, {"person": key})
    query = select(ConsoleSignin).where(ConsoleSignin.person_id == key).with_for_update()
    return (await session.execute(query)).scalar_one()


def _wait(left: timedelta) -> str:
    """When the next try is possible, and what works at once; nothing if that is now."""
    if not left:
        return ""
    seconds = math.ceil(left.total_seconds())
    span = f"{seconds} s" if seconds <= 90 else f"{math.ceil(seconds / 60)} min"  # noqa: PLR2004
    return (
        f"The next try is possible in {span}; jackline signin PERSON on the server works at once."
    )

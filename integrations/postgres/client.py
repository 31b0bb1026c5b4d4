"""PostgreSQL's protocol over the access path, and what its failures mean."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any

import asyncpg  # type: ignore[import-untyped]  # it has none

from bot.contract import Connection
from bot.contract.tls import server_name, trusting
from bot.errors import AuthFailed, NotSent, Rejected, Retryable, TargetError, Unknown

_LOGIN = 3.0  # seconds
_GRACE = 2.0  # seconds more than the server's own limit: then nobody answers any more
_LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    TimeoutError,
)
_LATER = (
    asyncpg.LockNotAvailableError,
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.TooManyConnectionsError,
    asyncpg.CannotConnectNowError,
)


class Busy(Retryable):
    """Rows or the job are locked by somebody else; the transaction did nothing."""


class TookTooLong(Rejected):
    """A statement met its time limit and was cancelled; its transaction did nothing."""


class Server:
    """One session. Statements have ``seconds`` each; ``read``: nothing here changes anything."""

    def __init__(self, session: Any, what: str, *, read: bool) -> None:  # noqa: ANN401 - asyncpg has no types
        self._session = session
        self._what = what
        self._read = read

    async def rows(self, sql: str, *values: Any) -> list[Any]:  # noqa: ANN401 - whatever PostgreSQL takes
        """All rows of one statement."""
        with self._meaning():
            found: list[Any] = await self._session.fetch(sql, *values)
            return found

    async def row(self, sql: str, *values: Any) -> Any:  # noqa: ANN401 - asyncpg's record
        """The first row, or None."""
        found = await self.rows(sql, *values)
        return found[0] if found else None

    async def value(self, sql: str, *values: Any) -> Any:  # noqa: ANN401 - whatever the column holds
        """The first column of the first row, or None."""
        found = await self.row(sql, *values)
        return found[0] if found else None

    @asynccontextmanager
    async def transaction(self, *, read_only: bool = False) -> AsyncIterator[None]:
        """All of the block or nothing of it. A read-only one sees one moment of the data."""
        level = "repeatable_read" if read_only else "read_committed"
        with self._meaning():
            async with self._session.transaction(isolation=level, readonly=read_only):
                yield

    @contextmanager
    def _meaning(self) -> Iterator[None]:
        try:
            yield
        except TargetError:
            raise
        except asyncpg.QueryCanceledError as error:
            raise TookTooLong(f"{self._what}: {_words(error)}.") from error
        except _LATER as error:
            raise Busy(f"{self._what}: {_words(error)}.") from error
        except _LOST as error:
            said = f"{self._what} did not answer: {_words(error)}."
            raise (Retryable(said) if self._read else Unknown(said)) from error
        except asyncpg.ReadOnlySQLTransactionError as error:
            raise Rejected(
                f"{self._what}: {_words(error)}.", hint="Is this a replica? Name the primary."
            ) from error
        except asyncpg.InsufficientPrivilegeError as error:
            raise Rejected(
                f"{self._what}: {_words(error)}.", hint="The README names the rights it needs."
            ) from error
        except asyncpg.PostgresError as error:
            raise Rejected(f"{self._what}: {_words(error)}.") from error


@asynccontextmanager
async def server(
    connection: Connection,
    *,
    read: bool = True,
    statement_seconds: float = 5.0,
    lock_seconds: float = 2.0,
) -> AsyncIterator[Server]:
    """Logs in at the target. Raises `NotSent` where that does not come about in time."""
    limits = {
        "application_name": "jackline",
        "statement_timeout": f"{round(statement_seconds * 1000)}",
        "lock_timeout": f"{round(lock_seconds * 1000)}",
        "idle_in_transaction_session_timeout": "60000",
    }
    what = f"The PostgreSQL {connection.target}"
    trusted = _tls(connection)  # what is wrong in the catalog is said before anything is opened
    async with connection.forward() as local:
        session = await _login(connection, what, local, trusted, limits, statement_seconds + _GRACE)
        try:
            yield Server(session, what, read=read)
        finally:
            with suppress(*_LOST, asyncpg.PostgresError):
                await session.close(timeout=1)
            session.terminate()


async def _login(
    connection: Connection,
    what: str,
    local: tuple[str, int],
    trusted: ssl.SSLContext | bool,
    limits: Mapping[str, str],
    patience: float,
) -> Any:  # noqa: ANN401 - asyncpg has no types
    settings = connection.settings
    try:
        return await asyncpg.connect(
            host=local[0],
            port=local[1],
            user=settings.get("user", "jackline"),
            password=settings.get("password", ""),
            database=settings.get("database", "postgres"),
            ssl=trusted,
            target_session_attrs="any",
            server_settings=dict(limits),
            timeout=_LOGIN,
            command_timeout=patience,
        )
    except (asyncpg.InvalidAuthorizationSpecificationError, ssl.SSLError) as error:
        raise AuthFailed(f"{what} did not let us in: {_words(error)}.") from error
    except _LATER as error:
        raise Busy(f"{what} takes nobody in now: {_words(error)}.") from error
    except ConnectionError as error:
        if "SSL upgrade" in str(error):
            raise AuthFailed(f"{what} does not speak TLS, and `tls` asks for it.") from error
        raise NotSent(f"{what}: no login: {_words(error)}.") from error
    except _LOST as error:
        raise NotSent(f"{what}: no login: {_words(error)}.") from error
    except asyncpg.PostgresError as error:
        raise Rejected(f"{what}: {_words(error)}.") from error


class _Named(ssl.SSLContext):
    """Checks the certificate against the server's own name: the address is a forward's."""

    name: str

    def wrap_bio(self, *args: Any, **more: Any) -> ssl.SSLObject:  # noqa: ANN401 - the base's own
        given = dict(zip(("incoming", "outgoing", "server_side"), args, strict=False))
        return super().wrap_bio(**{**given, **more, "server_hostname": self.name})


def _tls(connection: Connection) -> ssl.SSLContext | bool:
    settings = connection.settings
    match settings.get("tls", "off"):
        case "off":
            return False
        case "verify":
            context = _Named(ssl.PROTOCOL_TLS_CLIENT)
            context.name = server_name(connection)
        case other:
            raise Rejected(f"tls is {other!r} in the catalog.", hint="It is `off` or `verify`.")
    return trusting(connection, context)


def _words(error: BaseException) -> str:
    """The server's message without its detail, which may hold what rows hold."""
    if isinstance(error, TimeoutError | asyncio.TimeoutError):
        return "no answer in time"
    said = getattr(error, "message", None) or str(error) or type(error).__name__
    return str(said).splitlines()[0][:300].rstrip(".")

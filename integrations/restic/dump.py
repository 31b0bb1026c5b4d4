"""Loads a file by ``pg_dump`` into a PostgreSQL that lives for seconds, and counts its rows.

A dump that holds nothing looks like any other file from outside. The instance is new, listens on
no network, and its folder is its owner's alone.
"""

from bot.contract.drill import Host, last_lines
from bot.errors import Rejected

from .params import Dump

_OWNER, _DATABASE = "drill", "drill"
_SETTINGS = """
listen_addresses = ''
unix_socket_directories = '{data}'
port = 5432
fsync = off
max_wal_size = '256MB'
autovacuum = off
lc_messages = 'C'
"""


class Scratch:
    """The instance, in ``folder``/pg."""

    def __init__(self, host: Host, folder: str, bin_: str) -> None:
        self.host = host
        self.data = f"{folder}/pg"
        self.log = f"{folder}/server.log"
        self.bin = bin_
        self._begun = False

    async def counted(self, dump: Dump, file: str, limit: int) -> dict[str, int]:
        """Rows by table. Raises `Rejected` where it cannot be loaded, or rows are missing."""
        await self._start()
        where = ["-h", self.data, "-p", "5432", "-U", _OWNER]
        argv = [f"{self.bin}/createdb", *where, _DATABASE]
        await self.host.must("the scratch database cannot be made", argv)
        argv = [f"{self.bin}/pg_restore", *where, "-d", _DATABASE, "--exit-on-error", "--no-owner",
                "--no-privileges", "--no-subscriptions", "--no-publications", file]  # fmt: skip
        await self.host.within(f"{dump.path} cannot be loaded", argv, limit)
        asked = [f"SELECT count(*) FROM {_quoted(table)}" for table in dump.tables]  # noqa: S608 - quoted identifiers
        commands = [word for statement in asked for word in ("-c", statement)]
        psql = [f"{self.bin}/psql", "-XAtq", "-v", "ON_ERROR_STOP=1", *where, "-d", _DATABASE]
        said = await self.host.must("the rows cannot be read", [*psql, *commands], limit=limit)
        counts = dict(zip(dump.tables, map(int, said.split()), strict=True))
        for table, least in dump.tables.items():
            if counts[table] < least:
                found = f"has {counts[table]} rows" if counts[table] else "is empty"
                raise Rejected(f"{dump.path}: {table} {found}, and should have {least} at least.")
        return counts

    async def stop(self) -> None:
        """Whatever it is doing."""
        if self._begun:
            await self.host.run([*self._pg_ctl("stop"), "-m", "immediate", "-w"], limit=90)

    async def _start(self) -> None:
        argv = [f"{self.bin}/initdb", "-D", self.data, "-U", _OWNER, "--auth=trust", "--no-sync",
                "--encoding=UTF8", "--locale=C.UTF-8", "--no-instructions"]  # fmt: skip
        await self.host.must("the scratch PostgreSQL cannot be made", argv)
        told = _SETTINGS.format(data=self.data)
        argv = ["tee", "-a", f"{self.data}/postgresql.conf"]
        await self.host.must("the configuration cannot be written", argv, stdin=told)
        self._begun = True
        done = await self.host.run(
            [*self._pg_ctl("start"), "-w", "-t", "60", "-l", self.log], limit=90
        )
        if done.status:
            said = last_lines(await self.host.run(["tail", "-n", "5", self.log]))
            raise Rejected(f"the scratch PostgreSQL does not start: {said}")

    def _pg_ctl(self, verb: str) -> list[str]:
        return [f"{self.bin}/pg_ctl", verb, "-D", self.data, "-s"]


def _quoted(name: str) -> str:
    return ".".join(f'"{word}"' for word in name.split("."))

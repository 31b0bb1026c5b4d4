"""A PostgreSQL that lives for minutes in a folder of its own, and can harm nobody.

It listens on no network, archives nothing, subscribes to nothing and loads nothing that the
original loads. What the original's configuration says is overruled: the file that
``ALTER SYSTEM`` writes comes along in a backup, and whatever stands last in it wins.
"""

import asyncio
import shlex
import time

from bot.contract.drill import DrillFolder
from bot.errors import Rejected

from .backups import Backup
from .params import DrillParams
from .site import Site

_LONGEST_PAUSE = 5.0  # seconds between two looks at a recovery
_SETTINGS = """
listen_addresses = ''
unix_socket_directories = '{data}'
port = 5432
restore_command = '{fetch}'
archive_mode = off
hot_standby = off
primary_conninfo = ''
primary_slot_name = ''
synchronous_standby_names = ''
max_logical_replication_workers = 0
max_prepared_transactions = 500
shared_preload_libraries = '{preload}'
session_preload_libraries = ''
local_preload_libraries = ''
shared_buffers = 128MB
huge_pages = off
autovacuum = off
fsync = off
ssl = off
statement_timeout = 0
logging_collector = off
log_destination = stderr
lc_messages = 'C'
timezone = 'UTC'
"""


class Scratch:
    """One scratch instance, in a drill's folder."""

    def __init__(self, place: DrillFolder, site: Site) -> None:
        self.place = place
        self.host = place.host
        self.site = site
        self.folder = place.folder
        self.data = f"{self.folder}/data"
        self._log = f"{self.folder}/server.log"
        self._begun = False

    async def restore(self, backup: Backup, params: DrillParams) -> None:
        """Fills `data`. The configuration's own folders, wherever they are, are not touched."""
        inside = [f"{self.folder}/{name}" for name in ("data", "tablespaces", "lock")]
        await self.place.make(*inside)
        argv = [
            *self.site.pgbackrest, f"--repo={backup.repository}", f"--set={backup.label}",
            f"--pg1-path={self.data}", f"--tablespace-map-all={inside[1]}",
            f"--lock-path={inside[2]}", "--reset-tablespace-map", "--reset-link-map",
            "--reset-pg1-host", "--no-delta", "--log-level-stderr=off", *params.recovery, "restore",
        ]  # fmt: skip
        await self.host.within("the restore", argv, params.limit)

    async def start(self, params: DrillParams, backup: Backup) -> None:
        """Returns once the server has recovered and takes connections."""
        fetch = [
            *self.site.pgbackrest, f"--repo={backup.repository}", f"--pg1-path={self.data}",
            f"--lock-path={self.folder}/lock", "--no-archive-async", "archive-get",
        ]  # fmt: skip
        words = shlex.join(fetch) + ' %f "%p"'
        told = _SETTINGS.format(data=self.data, fetch=words, preload=self.site.preload)
        what = "the configuration cannot be written"
        access, settings = f"{self.data}/pg_hba.conf", f"{self.data}/postgresql.auto.conf"
        await self.host.must(what, ["tee", access], stdin="local all all trust\n")
        await self.host.must(what, ["tee", "-a", settings], stdin=told)
        self._begun = True
        original = ["-o", "-c config_file=/dev/null"]  # it may lie elsewhere, and is not wanted
        waited = ["-w", "-t", str(params.limit), "-l", self._log]
        argv = [*self._pg_ctl("start"), *original, *waited]
        if (await self.host.run(argv, limit=params.limit + 30)).status:
            raise Rejected(f"the restored server does not start: {await self._logged()}")
        await self._recovered(params.limit)

    async def _recovered(self, limit: int) -> None:
        """It runs, but may still be recovering: waits until it takes connections, or is gone."""
        deadline, pause = time.monotonic() + limit, 0.25
        asked = [f"{self.site.bin}/pg_isready", "-q", "-h", self.data, "-p", "5432"]
        while (await self.host.run(asked)).status:
            if (await self.host.run(self._pg_ctl("status"))).status:
                raise Rejected(f"the restored server gave up: {await self._logged()}")
            if time.monotonic() > deadline:
                said = await self._logged()
                raise Rejected(f"the recovery did not end in {limit} s: {said}")
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    async def _logged(self) -> str:
        """Of the server's last lines those that say why it gave up."""
        lines = (await self.host.run(["tail", "-n", "60", self._log])).stdout.splitlines()
        grave = [line for line in lines if "FATAL:" in line or "PANIC:" in line]
        return "; ".join((grave or lines)[-3:])

    async def counted(self, params: DrillParams) -> tuple[dict[str, int], float | None]:
        """Rows by table, and the newest row's time. Each row is read: an index alone proves little."""
        asked = ["SET enable_indexonlyscan = off"]
        asked += [f"SELECT count(*) FROM {_quoted(t)}" for t in params.tables]  # noqa: S608 - quoted identifiers
        if params.newest:
            table, _, column = params.newest.rpartition(".")
            asked += [f"SELECT extract(epoch FROM max({_quoted(column)})) FROM {_quoted(table)}"]  # noqa: S608 - quoted identifiers
        psql = [f"{self.site.bin}/psql", "-XAtq", "-v", "ON_ERROR_STOP=1", *self._where()]
        commands = [word for statement in asked for word in ("-c", statement)]
        argv = [*psql, "-d", params.database, *commands]
        said = await self.host.must("the rows cannot be read", argv, limit=params.limit)
        counts = dict(zip(params.tables, map(int, said.split()), strict=False))
        rest = said.split()[len(params.tables) :]
        return counts, float(rest[0]) if rest else None

    async def checked(self, params: DrillParams) -> None:
        """Raises `Rejected` where a table or one of its indexes is damaged."""
        if not params.amcheck:
            return
        tables = [word for table in params.tables for word in ("-t", _quoted(table))]
        argv = [f"{self.site.bin}/pg_amcheck", *self._where(), "-d", params.database,
                "--install-missing", *tables]  # fmt: skip
        await self.host.within("pg_amcheck finds damage", argv, params.limit)

    async def stop(self) -> None:
        """Whatever it is doing."""
        if self._begun:
            await self.host.run([*self._pg_ctl("stop"), "-m", "immediate", "-w"], limit=90)

    def _where(self) -> list[str]:
        return ["-h", self.data, "-p", "5432", "-U", self.site.superuser]

    def _pg_ctl(self, verb: str) -> list[str]:
        return [f"{self.site.bin}/pg_ctl", verb, "-D", self.data, "-s"]


def _quoted(name: str) -> str:
    return ".".join(f'"{word}"' for word in name.split("."))

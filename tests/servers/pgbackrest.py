"""A real pgBackRest: it archives and backs up a PostgreSQL into a repository in a folder."""

import contextlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.servers.damage import flip
from tests.servers.postgres import PASSWORD, USER, Postgres, _as_owner, _owner, postgres
from tests.servers.process import scratch
from tests.servers.tools import require

STANZA = "main"
CONFIG = """\
[global]
repo1-path={folder}/repo
log-path={folder}
lock-path={folder}/lock
spool-path={folder}
start-fast=y
job-retry=0
[{stanza}]
pg1-path={data}
pg1-port={port}
pg1-socket-path={sockets}
pg1-user={user}
"""


@dataclass
class PgBackRest:
    """`backup`, `corrupt`, and the settings with which a target of the catalog reaches it."""

    postgres: Postgres
    folder: Path

    @property
    def repo(self) -> Path:
        return self.folder / "repo"

    @property
    def scratch(self) -> Path:
        """Where drills may work."""
        return self.folder / "scratch"

    @property
    def settings(self) -> dict[str, str]:
        return {
            "stanza": STANZA,
            "config": str(self.folder / "pgbackrest.conf"),
            "scratch": str(self.scratch),
            "bin": str(self.postgres.bin),
            "superuser": USER,
            "as_user": json.dumps(_as_owner()),
        }

    def backup(self, kind: str = "full") -> str:
        """The label of a new backup, whose WAL is archived when this returns."""
        self.run("backup", f"--type={kind}")
        return str(self.info()["backup"][-1]["label"])

    def info(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.run("info", "--output=json"))[0]
        return found

    def switch_wal(self) -> None:
        """Has what was written so far archived: after this a recovery can go that far."""
        segment = self.postgres.sql("SELECT pg_walfile_name(pg_switch_wal())")
        self.run("check")  # waits for a segment of its own, which comes after that one
        assert self.info()["archive"][-1]["max"] >= segment

    def corrupt(self, table: str, label: str, database: str = "postgres") -> Path:
        """Flips bytes in the middle of the file that holds a table; once more mends it."""
        inside = self.postgres.sql(f"SELECT pg_relation_filepath('{table}')", database)
        path = self.repo / "backup" / STANZA / label / "pg_data" / f"{inside}.gz"
        flip(path)
        return path

    def run(self, command: str, *options: str) -> str:
        argv = [*_as_owner(), str(require("pgbackrest")), f"--config={self.folder}/pgbackrest.conf",
                f"--stanza={STANZA}", *options, command]  # fmt: skip
        env = {**os.environ, "HOME": str(self.folder), "PGPASSWORD": PASSWORD}
        done = subprocess.run(
            argv, capture_output=True, text=True, check=False, env=env, cwd=self.folder
        )
        if done.returncode:
            raise RuntimeError(f"pgbackrest {command}: {done.stdout}{done.stderr}")
        return done.stdout


@contextlib.contextmanager
def pgbackrest() -> Iterator[PgBackRest]:
    """A PostgreSQL that archives its WAL, and an empty repository; about five seconds to start."""
    binary = require("pgbackrest")
    with postgres() as server, scratch("backups", owner=_owner()) as folder:
        found = PgBackRest(server, folder)
        for path in (found.repo, found.scratch):
            path.mkdir()
            if owner := _owner():
                shutil.chown(path, owner)
        config = folder / "pgbackrest.conf"
        config.write_text(
            CONFIG.format(folder=folder, stanza=STANZA, data=server.folder / "data",
                          port=server.port, sockets=server.folder, user=USER)
        )  # fmt: skip
        push = f"{binary} --config={config} --stanza={STANZA} archive-push %p"
        server.sql("ALTER SYSTEM SET archive_mode = on")
        server.sql(f"ALTER SYSTEM SET archive_command = '{push}'")
        server.stop()
        server.start()
        found.run("stanza-create")
        yield found

"""A real restic repository in a folder, and a folder of dumps that is backed up into it."""

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
from tests.servers.postgres import Postgres, _as_owner, _owner
from tests.servers.process import scratch
from tests.servers.tools import require

PASSWORD = "secret-of-the-repository"


@dataclass
class Restic:
    """`backup`, `corrupt`, and the settings with which a target of the catalog reaches it."""

    folder: Path

    @property
    def dumps(self) -> Path:
        """What is backed up."""
        return self.folder / "dumps"

    @property
    def scratch(self) -> Path:
        """Where drills may work."""
        return self.folder / "scratch"

    @property
    def settings(self) -> dict[str, str]:
        return {
            "repository_file": str(self.folder / "address"),
            "password_file": str(self.folder / "password"),
            "scratch": str(self.scratch),
            "bin": str(require("postgres").parent),
            "program": str(require("restic")),
            "as_user": json.dumps(_as_owner()),
        }

    def dump(self, server: Postgres, name: str = "orders.dump", database: str = "postgres") -> Path:
        """Writes a dump of the server's database, in pg_dump's custom format."""
        path = self.dumps / name
        with path.open("wb") as out:
            argv = [server.bin / "pg_dump", "-Fc", server.dsn_of(database)]
            subprocess.run([str(word) for word in argv], stdout=out, check=True)
        return path

    def backup(self, *options: str) -> dict[str, Any]:
        """The new snapshot of the dumps, as restic lists it."""
        self.run("backup", "--quiet", *options, str(self.dumps))
        return self.newest()

    def newest(self) -> dict[str, Any]:
        listed: list[dict[str, Any]] = json.loads(self.run("snapshots", "--json"))
        return listed[-1]

    def copied(self) -> "Restic":
        """The same repository once more, to be damaged."""
        copy = Restic(self.folder / "copy")
        copy.folder.mkdir()
        shutil.copytree(self.folder / "repo", copy.folder / "repo")
        shutil.copy(self.folder / "password", copy.folder)
        copy.scratch.mkdir()
        (copy.folder / "address").write_text(f"{copy.folder}/repo\n")
        if owner := _owner():
            for path in (copy.folder, *copy.folder.rglob("*")):
                shutil.chown(path, owner)
        return copy

    def corrupt(self) -> Path:
        """Flips bytes in the largest pack of the repository; once more mends it."""
        packs = [path for path in (self.folder / "repo" / "data").rglob("*") if path.is_file()]
        largest = max(packs, key=lambda path: path.stat().st_size)
        flip(largest)
        return largest

    def run(self, *argv: str) -> str:
        files = [
            f"--repository-file={self.folder}/address",
            f"--password-file={self.folder}/password",
        ]
        done = subprocess.run(
            [*_as_owner(), str(require("restic")), *files, *argv],
            capture_output=True, text=True, check=False, cwd=self.folder,
            env={**os.environ, "HOME": str(self.folder)},
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"restic {argv[0]}: {done.stdout}{done.stderr}")
        return done.stdout


@contextlib.contextmanager
def restic() -> Iterator[Restic]:
    """An empty repository and an empty folder of dumps."""
    require("restic")
    with scratch("restic", owner=_owner()) as folder:
        found = Restic(folder)
        for path in (found.dumps, found.scratch):
            path.mkdir()
        (folder / "address").write_text(f"{folder}/repo\n")
        (folder / "password").write_text(f"{PASSWORD}\n")
        if owner := _owner():
            for path in folder.iterdir():
                shutil.chown(path, owner)
        (folder / "password").chmod(0o600)
        found.run("init", "--quiet")
        yield found

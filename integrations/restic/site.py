"""Where a target's backups are drilled: its settings."""

from typing import Annotated

from pydantic import Field

from bot.contract.drill import DrillSite, Folder

Filter = Annotated[str, Field(pattern=r"^([^-\s][^\s,]{0,200})?$")]


class Site(DrillSite):
    """A target's settings, checked. The repository's address and password are files on the host."""

    repository_file: Folder
    password_file: Folder
    host: Filter = ""
    path: Filter = ""
    tag: Filter = ""
    bin: Folder = "/usr/bin"
    program: Folder = "/usr/bin/restic"

    @property
    def restic(self) -> list[str]:
        """The program with what every command takes: secrets from files, nothing from a cache.

        Without a lock: a drill only reads, also with a credential that can only read.
        """
        files = [
            f"--repository-file={self.repository_file}",
            f"--password-file={self.password_file}",
        ]
        return [self.program, *files, "--no-lock", "--no-cache"]

    @property
    def only(self) -> list[str]:
        """Which snapshots are this target's, as options."""
        filters = {"host": self.host, "path": self.path, "tag": self.tag}
        return [f"--{name}={value}" for name, value in filters.items() if value]

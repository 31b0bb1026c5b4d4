"""Where a target's backups are drilled: its settings."""

from typing import Annotated

from pydantic import Field

from bot.contract.drill import DrillSite, Folder

_NAME = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$"


class Site(DrillSite):
    """A target's settings, checked."""

    stanza: Annotated[str, Field(pattern=_NAME)]
    bin: Folder
    config: Folder | None = None
    superuser: Annotated[str, Field(pattern=_NAME)] = "postgres"
    preload: Annotated[str, Field(pattern=r"^[a-z0-9_, ]{0,200}$")] = ""
    program: Folder = "/usr/bin/pgbackrest"

    @property
    def pgbackrest(self) -> list[str]:
        """The program with what every command of it takes; nothing is logged into a file."""
        config = [f"--config={self.config}"] if self.config else []
        return [self.program, *config, f"--stanza={self.stanza}", "--log-level-file=off"]

"""What the verbs on pgBackRest are told: identifiers and times, checked before anything is sent."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, Field

from bot.contract import Frozen

_WORD = r"[A-Za-z_][A-Za-z0-9_]{0,62}"
_NAMED = ("latest", "consistent")


def _moment(value: str) -> str:
    if value in _NAMED:
        return value
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        raise ValueError(
            "must be latest, consistent, or a time such as 2026-01-31T17:20:00Z"
        ) from None
    if found.tzinfo is None:
        raise ValueError("a time needs its zone, such as 2026-01-31T17:20:00Z")
    return found.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f+00")


Table = Annotated[str, Field(pattern=rf"^({_WORD}\.)?{_WORD}$")]


class BackupParams(Frozen):
    """Whose backups."""

    repository: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,40}$")] = Field(
        description="`orders` is the target `pgbackrest/orders` of the catalog."
    )


class DrillParams(BackupParams):
    """What is restored, and what must be in it."""

    tables: dict[Table, Annotated[int, Field(ge=1)]] = Field(
        min_length=1,
        max_length=50,
        description="Table → how many rows it must have at least; `schema.table`, exactly as named.",
    )
    database: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_-]{0,62}$")] = Field(
        default="postgres", description="The database that holds the tables."
    )
    backup: Annotated[str, Field(pattern=r"^(newest|\d{8}-\d{6}F(_\d{8}-\d{6}[DI])?)$")] = Field(
        default="newest", description="`newest`, or a backup's label."
    )
    until: Annotated[str, Field(max_length=40), AfterValidator(_moment)] = Field(
        default="latest",
        description="How far to recover: `latest` (all archived WAL), `consistent`, or a time.",
    )
    newest: Annotated[str, Field(pattern=rf"^(({_WORD}\.)?{_WORD}\.{_WORD})?$")] = Field(
        default="", description="A time column, `schema.table.column`, whose newest value is told."
    )
    amcheck: bool = Field(
        default=True, description="Check the tables and their indexes by pg_amcheck, too."
    )
    limit: Annotated[int, Field(ge=5, le=86_400)] = Field(
        default=1800, description="Seconds for the restore, and again for the recovery."
    )

    @property
    def before(self) -> float | None:
        """The time to recover to, in unix seconds; None where it is no time."""
        return None if self.until in _NAMED else datetime.fromisoformat(self.until).timestamp()

    @property
    def recovery(self) -> list[str]:
        """How far, as options of pgBackRest."""
        if self.until == "latest":
            return ["--type=default"]
        promoted = "--target-action=promote"
        if self.until == "consistent":
            return ["--type=immediate", promoted]
        return ["--type=time", f"--target={self.until}", promoted]

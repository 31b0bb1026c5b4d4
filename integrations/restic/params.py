"""What the verbs on restic are told: paths and identifiers, checked before anything is sent."""

from typing import Annotated

from pydantic import AfterValidator, Field

from bot.contract import Frozen

_WORD = r"[A-Za-z_][A-Za-z0-9_]{0,62}"


def _no_way_out(value: str) -> str:
    if any(part in ("", ".", "..") for part in value.split("/")[1:]):
        raise ValueError("a path in a snapshot is absolute and has no empty, . or .. part")
    return value


Inside = Annotated[str, Field(pattern=r"^/[^\x00-\x1f]{1,500}$"), AfterValidator(_no_way_out)]
Table = Annotated[str, Field(pattern=rf"^({_WORD}\.)?{_WORD}$")]


class SnapshotParams(Frozen):
    """Whose backups."""

    repository: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,40}$")] = Field(
        description="`files` is the target `restic/files` of the catalog."
    )


class Dump(Frozen):
    """A file by `pg_dump` that is to be loaded and counted."""

    path: Inside = Field(description="The file's path in the snapshot; custom or tar format.")
    tables: dict[Table, Annotated[int, Field(ge=1)]] = Field(
        min_length=1, max_length=50, description="Table → how many rows it must have at least."
    )


class DrillParams(SnapshotParams):
    """What is restored, and what must be in it."""

    files: dict[Inside, Annotated[int, Field(ge=1)]] = Field(
        min_length=1,
        max_length=50,
        description="File → how many bytes it must have at least; its path in the snapshot.",
    )
    dump: Dump | None = Field(
        default=None, description="A `pg_dump` to load into a scratch PostgreSQL, and its tables."
    )
    snapshot: Annotated[str, Field(pattern=r"^(newest|[0-9a-f]{8,64})$")] = Field(
        default="newest", description="`newest`, or a snapshot's id."
    )
    read_data: Annotated[int, Field(ge=1, le=100)] = Field(
        default=100, description="Percent of the repository's data that is read and checked."
    )
    limit: Annotated[int, Field(ge=5, le=86_400)] = Field(
        default=1800, description="Seconds for the check, for the restore, and for the load."
    )

"""The allow-list of backfills: their SQL is written in the catalog, never in a runbook's inputs."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field, TypeAdapter, ValidationError

from bot.contract import Frozen
from bot.errors import Rejected

from .params import Column, Table

_NAME = r"^[a-z0-9][a-z0-9_.-]{0,62}$"
_Sql = Annotated[str, Field(min_length=1, max_length=4000)]


class Job(Frozen):
    """One backfill: sets columns of the rows that its ``where`` finds, in the order of ``key``."""

    table: Table
    key: Column = "id"
    set: _Sql = Field(description="what stands after SET, such as total_cents = total * 100")
    where: _Sql = Field(description="which rows lack it, such as total_cents IS NULL")
    undo: str = Field(default="", description="the job that takes it back")


_LIST = TypeAdapter(dict[Annotated[str, Field(pattern=_NAME)], Job])


def allowed(settings: Mapping[str, str], name: str) -> Job:
    """The job of that name. Raises `Rejected` in words."""
    try:
        jobs = _LIST.validate_json(settings.get("backfills", "{}"))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise Rejected(f"The list of backfills is wrong at {where}: {first['msg']}.") from None
    if name not in jobs:
        known = ", ".join(sorted(jobs)) or "none"
        raise Rejected(f"The catalog allows no backfill {name!r}.", hint=f"It allows {known}.")
    job = jobs[name]
    if job.undo and job.undo not in jobs:
        raise Rejected(f"The backfill {name} is undone by {job.undo!r}, which is not on the list.")
    return job

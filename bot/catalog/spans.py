"""Entries that hold for a time: change freezes and planned work. Pure data, checked when it is read."""

from datetime import UTC, date, datetime
from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    ValidationInfo,
    field_validator,
)

from bot.catalog.entry import STRICT, Name
from bot.catalog.matching import Match

UtcTime = Annotated[
    datetime,
    BeforeValidator(
        lambda v: datetime(v.year, v.month, v.day, tzinfo=UTC) if type(v) is date else v
    ),
    AfterValidator(lambda v: v.astimezone(UTC) if v.tzinfo else v.replace(tzinfo=UTC)),
]


class Span(BaseModel):
    """From ``since`` up to ``until``; times are UTC if they say none."""

    model_config = STRICT

    name: str = Field(min_length=1, max_length=100)
    since: UtcTime
    until: UtcTime

    @field_validator("until")
    @classmethod
    def _after(cls, value: datetime, info: ValidationInfo) -> datetime:
        if "since" in info.data and value <= info.data["since"]:
            raise ValueError("must be later than since")
        return value

    def on(self, at: datetime) -> bool:
        """Whether it holds at this time."""
        return self.since <= at < self.until


class Freeze(Span):
    """A time in which runs that honour it need a person's override."""

    services: list[Name] = Field(default=[], description="all services if left out")


class Maintenance(Span):
    """Planned work: alerts that match are held back, and routed after it if they still fire."""

    match: Match

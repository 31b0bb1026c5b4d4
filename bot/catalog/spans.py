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


def _utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    except OverflowError:
        raise ValueError("is no time that there is in UTC: leave its offset out") from None


UtcTime = Annotated[
    datetime,
    BeforeValidator(
        lambda v: datetime(v.year, v.month, v.day, tzinfo=UTC) if type(v) is date else v
    ),
    AfterValidator(_utc),
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

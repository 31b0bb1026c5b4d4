"""A law with deadlines that applies to whoever wrote it into the catalog. Pure data."""

from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, Field, model_validator

from bot.catalog.entry import STRICT, Name
from bot.catalog.rule import Severity
from bot.catalog.schedule import check_timezone

Law = Literal["dora", "nis2", "gdpr", "sec"]


class Aware(BaseModel):
    """Incidents of which one is aware from their declaration on: all that is given must fit."""

    model_config = STRICT

    severity: list[Severity] = Field(default=["sev1", "sev2", "sev3", "sev4"], min_length=1)
    services: list[Name] = Field(default=[], description="left out: whatever is affected")


class Regulation(BaseModel):
    """Its clocks are off unless it is in the catalog; a person starts them, or ``aware`` does."""

    model_config = STRICT

    id: Law
    timezone: Annotated[str, AfterValidator(check_timezone)] = Field(
        default="",
        description="in which working days begin and end; left out: UTC, New York for sec",
    )
    holidays: list[date] = Field(
        default=[], max_length=500, description="days besides Saturday and Sunday that do not count"
    )
    weekend_relief: bool = Field(
        default=False,
        description="dora: your kind of entity may report at noon of the next working day",
    )
    aware: Aware | None = None

    @property
    def home(self) -> str:
        """The time zone that holds."""
        return self.timezone or ("America/New_York" if self.id == "sec" else "UTC")

    @model_validator(mode="after")
    def _only_where_it_counts(self) -> "Regulation":
        if self.weekend_relief and self.id != "dora":
            raise ValueError("weekend_relief: only dora has it")
        if self.aware and self.id == "sec":
            raise ValueError("aware: sec counts from a determination, which a person makes")
        return self

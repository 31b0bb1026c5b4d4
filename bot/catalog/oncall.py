"""On-call schedules: who takes turns, and when they hand over. Pure data, checked when it is read.

Times are those of the schedule's time zone where they say no offset: people hand over by the clock
on their wall, also when it changes. `bot.catalog.rota` says who is on call.
"""

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, model_validator

from bot.catalog.entry import STRICT, Name
from bot.catalog.schedule import check_schedule, check_timezone, zone

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_CLOCK = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])")
_EVERY = re.compile(r"([1-9][0-9]{0,2})([hdw])")
_UNIT = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


def clock(text: str) -> time:
    """``9:30`` as a time of the day. Raises `ValueError`."""
    found = _CLOCK.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is no time of the day: write 09:00")
    return time(int(found[1]), int(found[2]))


def _clock_text(value: object) -> object:
    """YAML reads an unquoted 10:30 as the number 630."""
    return f"{value // 60:02}:{value % 60:02}" if type(value) is int and value >= 0 else value


def _checked_clock(value: str) -> str:
    return f"{clock(value):%H:%M}"


def _checked_every(value: str) -> str:
    if not _EVERY.fullmatch(value):
        raise ValueError(f"{value!r} must be such as 12h, 1d or 2w")
    return value


def _checked_hours(value: str) -> str:
    since, dash, until = value.partition("-")
    if not dash or clock(since) == clock(until):
        raise ValueError(f"{value!r} must be from one time to another, such as 09:00-17:00")
    return f"{clock(since):%H:%M}-{clock(until):%H:%M}"


def _at_midnight(value: Any) -> Any:  # noqa: ANN401 - whatever YAML made of it
    return datetime.combine(value, time()) if type(value) is date else value


Clock = Annotated[str, BeforeValidator(_clock_text), AfterValidator(_checked_clock)]
Local = Annotated[datetime, BeforeValidator(_at_midnight)]


class Layer(BaseModel):
    """People who take turns. The first one begins at the first hand-over on ``since`` or after it."""

    model_config = STRICT

    people: list[Name] = Field(min_length=1, max_length=100)
    since: date = Field(ge=date(1970, 1, 1))
    until: date | None = Field(default=None, description="the first day without this layer")
    handover: str = Field(default="", description="when, as in cron: 0 9 * * mon")
    every: Annotated[str, AfterValidator(_checked_every)] = Field(
        default="", description="how often, counted from `since`: 12h, 1d, 2w"
    )
    at: Clock = Field(default="00:00", description="the time of the day of hand-overs: `every`")
    hours: Annotated[str, AfterValidator(_checked_hours)] = Field(
        default="", description="on call only then: 09:00-17:00, or over midnight 22:00-06:00"
    )
    weekdays: list[Weekday] = Field(
        default=[], description="only on these; of hours over midnight, the day they begin on"
    )

    @model_validator(mode="after")
    def _whole(self) -> "Layer":
        if self.handover and self.every:
            raise ValueError("every: a layer has either it or a handover")
        if not self.handover and not self.every and len(self.people) > 1:
            raise ValueError("handover: several people need it, or every")
        if self.handover:
            check_schedule(self.handover)
            if not self.handover.split()[0].isdigit():
                raise ValueError("handover: not more than one an hour: say which minute")
        if "at" in self.model_fields_set and not self.every:
            raise ValueError("at: only a layer with every has it")
        if self.until is not None and self.until <= self.since:
            raise ValueError("until: must be later than since")
        return self

    @property
    def step(self) -> timedelta:
        """Between two hand-overs of ``every``, by the clock on the wall."""
        found = _EVERY.fullmatch(self.every)
        return int(found[1]) * _UNIT[found[2]] if found else timedelta.max

    @property
    def window(self) -> tuple[time, time] | None:
        """From when to when it is on call each day."""
        since, dash, until = self.hours.partition("-")
        return (clock(since), clock(until)) if dash else None


class Override(BaseModel):
    """Somebody takes over from ``since`` up to ``until``, whoever's turn it is."""

    model_config = STRICT

    person: Name
    since: Local
    until: Local

    @model_validator(mode="after")
    def _in_order(self) -> "Override":
        if (self.since.tzinfo is None) != (self.until.tzinfo is None):
            raise ValueError("until: since and until say an offset both, or neither does")
        if self.until <= self.since:
            raise ValueError("until: must be later than since")
        return self


class Schedule(BaseModel):
    """One person is on call at a time. A later layer goes before those above it, overrides before all."""

    model_config = STRICT

    id: Name
    title: str = Field(default="", max_length=100)
    timezone: Annotated[str, AfterValidator(check_timezone)] = "UTC"
    layers: list[Layer] = Field(min_length=1, max_length=20)
    overrides: list[Override] = Field(default=[], max_length=500)

    @property
    def name(self) -> str:
        """For people."""
        return self.title or self.id

    def moment(self, value: datetime) -> datetime:
        """UTC, of a time that may say no offset. Raises `Unavailable` on a host without time zones.

        One that the clocks leave out is kept later; of one that comes twice the first is meant.
        """
        aware = value if value.tzinfo else value.replace(tzinfo=zone(self.timezone), fold=0)
        return aware.astimezone(UTC)

"""What a severity asks for: who comes, how often whom is told, and from when on nobody is a problem.

Pure data, checked when it is read. A severity that the catalog does not have goes by `DEFAULTS`.
"""

import re
from datetime import datetime, time
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field

from bot.catalog.durations import Duration
from bot.catalog.entry import CHANNEL, STRICT, Name
from bot.catalog.rule import Severity, Who
from bot.catalog.schedule import check_timezone, zone

Audience = Literal["internal", "executives", "customers"]
AUDIENCES: tuple[Audience, ...] = get_args(Audience)


def _hour(value: object) -> object:
    """Without quotes, YAML reads 22:00 as a number."""
    if not isinstance(value, str) or not re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", value):
        raise ValueError('must be a time of day in quotes, such as "22:00"')
    return value


Hour = Annotated[time, BeforeValidator(_hour)]
Pace = Annotated[Duration, Field(ge=60)]


class Night(BaseModel):
    """When reminders wait for the morning: on the wall of who is reminded, where that is known."""

    model_config = STRICT

    from_: Hour = Field(default=time(22), alias="from")
    to: Hour = time(7)
    timezone: Annotated[str, AfterValidator(check_timezone)] = "UTC"

    def covers(self, at: datetime, timezone: str = "") -> bool:
        """Whether it is night there; ``timezone`` is that of the person. Raises `Unavailable`."""
        wall = at.astimezone(zone(timezone or self.timezone)).time()
        if self.from_ <= self.to:
            return self.from_ <= wall < self.to
        return wall >= self.from_ or wall < self.to


class SeverityRule(BaseModel):
    """The rules of one severity; what is left out is not asked for."""

    model_config = STRICT

    id: Severity
    people: list[Who] = Field(
        default=[], max_length=50, description='persons and "@groups" who are invited'
    )
    slack_groups: list[Annotated[str, Field(pattern=r"^(T[A-Z0-9]{2,20}:)?S[A-Z0-9]{2,20}$")]] = (
        Field(
            default=[],
            max_length=10,
            description="ids of Slack's user groups, whose members are invited; in another workspace "
            "than the bot token's T0123:S0456",
        )
    )
    updates: dict[Audience, Pace] = Field(default={}, description="how often each audience hears")
    tell: dict[Audience, Pace] = Field(
        default={}, description="who must be told, and within which time for the first time"
    )
    acknowledge_within: Pace | None = None
    acknowledged_by: Literal["anyone", "commander"] = Field(
        default="anyone", description="who must have done something for it to be acknowledged"
    )
    commander_within: Pace | None = None
    idle_after: Pace | None = Field(default=None, description="without a word or deed of a person")
    postmortem_within: Pace | None = Field(default=None, description="after it is resolved")
    night: Night | None = None

    def first(self, audience: Audience) -> float | None:
        """Seconds from the declaration to the first update; None: none is due."""
        return self.tell.get(audience, self.updates.get(audience))


class AudiencePlace(BaseModel):
    """Where an audience's updates go, besides the incident's channel."""

    model_config = STRICT

    id: Audience
    channels: list[Annotated[str, Field(pattern=CHANNEL)]] = Field(
        default=[],
        max_length=10,
        description="ids of channels in Slack; in another workspace than "
        "the bot token's T0123:C0456",
    )
    notifiers: list[Name] = Field(default=[], max_length=10)
    status_pages: list[Name] = Field(default=[], max_length=5)


def _default(id_: Severity, internal: str, **more: object) -> SeverityRule:
    return SeverityRule.model_validate({"id": id_, "updates": {"internal": internal}} | more)


_CALM = Night()
DEFAULTS: dict[str, SeverityRule] = {
    "sev1": _default("sev1", "30m", acknowledge_within="5m", commander_within="10m",
                     idle_after="45m", postmortem_within="3d"),
    "sev2": _default("sev2", "1h", acknowledge_within="10m", commander_within="20m",
                     idle_after="2h", postmortem_within="5d"),
    "sev3": _default("sev3", "4h", acknowledge_within="1h", commander_within="2h",
                     idle_after="1d", postmortem_within="7d", night=_CALM),
    "sev4": SeverityRule(id="sev4", idle_after="3d", night=_CALM),
}  # fmt: skip

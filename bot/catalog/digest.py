"""The weekly digest: when and where it is posted. Pure data."""

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field

from bot.catalog.entry import CHANNEL, STRICT, Name
from bot.catalog.oncall import Clock, Weekday
from bot.catalog.schedule import check_timezone


def _channel(value: str) -> str:
    if not re.fullmatch(CHANNEL, value):
        raise ValueError(
            f"{value!r} is no channel's id: a channel's details in Slack end with it, such as "
            "C0123ABCD; in another workspace than the bot token's T0123:C0456"
        )
    return value


class WeeklyDigest(BaseModel):
    """A channel that is told once a week about the week before. By its ``id`` it is known what was posted."""

    model_config = STRICT

    id: Name
    channel: Annotated[str, AfterValidator(_channel)] = Field(description="its id in Slack")
    day: Weekday = "mon"
    at: Clock = Field(default="09:00", description="the time of that day, in the time zone")
    timezone: Annotated[str, AfterValidator(check_timezone)] = Field(
        default="UTC", description="in which the post is due, and weeks begin"
    )

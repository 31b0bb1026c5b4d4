"""What every entry of the catalog has in common."""

from typing import Annotated

from pydantic import ConfigDict, Field

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,62}$")]
# a channel's id in Slack, in another workspace than the bot token's with that before it
CHANNEL = r"^((E[A-Z0-9]{2,20}:)?T[A-Z0-9]{2,20}:)?[CG][A-Z0-9]{2,20}$"
Seconds = Annotated[float, Field(gt=0, le=86_400)]
# An unknown field in the catalog is an error, with its file and line.
STRICT = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

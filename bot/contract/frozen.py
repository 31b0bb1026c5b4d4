"""What crosses the border between Jackline and an integration does not change on its way."""

from pydantic import BaseModel, ConfigDict


class Frozen(BaseModel):
    """Strict, immutable data: an unknown field is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")

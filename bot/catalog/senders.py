"""Who sends: sources of alerts, and signs of life that must come."""

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, Field

from bot.catalog.durations import Duration
from bot.catalog.entry import STRICT, Name
from bot.catalog.matching import Match, matches


class Source(BaseModel):
    """A sender of alerts, who sends to ``/webhooks/NAME``: one of several of a kind, or with settings."""

    model_config = STRICT

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")
    integration: Name
    settings: dict[str, str] = {}
    via: list[Name] = Field(
        default=[], description="access paths to its vendor, where that must be asked; else direct"
    )


class Heartbeat(BaseModel):
    """A sign of life that must come: by alerts that match, or to ``/heartbeats/ID``.

    Without one for ``every`` and ``grace`` an alert fires, and ``escalate`` after that a critical one.
    """

    model_config = STRICT

    id: Name
    title: str = Field(default="", max_length=100)
    match: Match | None = Field(default=None, description="labels of the alert that is the sign")
    every: Duration
    grace: Duration = 60.0
    escalate: Duration | None = Field(default=None, description="after it began to fire")
    service: Name | None = None
    severity: Literal["critical", "error", "warning", "info"] = "error"

    @property
    def name(self) -> str:
        """For people."""
        return self.title or self.id

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether an alert with these labels is the sign."""
        return self.match is not None and matches(self.match, labels)

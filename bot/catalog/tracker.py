"""Where action items become tickets. Pure data."""

from pydantic import BaseModel, Field

from bot.catalog.entry import STRICT, Name


class Tracker(BaseModel):
    """A tracker of an integration, for the incidents of some services or of all."""

    model_config = STRICT

    id: Name
    title: str = Field(default="", max_length=100)
    integration: Name
    target: str
    about: dict[str, str] = Field(
        default={}, description="which part of the target it is, such as a repository or a project"
    )
    services: list[Name] = Field(
        default=[], max_length=500, description="whose incidents; left out: all that no other takes"
    )

    @property
    def name(self) -> str:
        """For people."""
        return self.title or self.id

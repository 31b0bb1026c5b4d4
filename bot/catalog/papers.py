"""Places where finished postmortems are published. Pure data."""

from pydantic import BaseModel, Field

from bot.catalog.entry import STRICT, Name


class PaperPlace(BaseModel):
    """A place of an integration that keeps papers, such as a repository or a wiki."""

    model_config = STRICT

    id: Name
    title: str = Field(default="", max_length=100)
    integration: Name
    target: str

    @property
    def name(self) -> str:
        """For people."""
        return self.title or self.id

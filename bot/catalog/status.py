"""Pages that tell customers, and which of their components are our services. Pure data."""

from pydantic import BaseModel, Field

from bot.catalog.entry import STRICT, Name


class StatusPage(BaseModel):
    """A status page of an integration. What stands there is public: only people put it there."""

    model_config = STRICT

    id: Name
    title: str = Field(default="", max_length=100)
    integration: Name
    target: str
    components: dict[Name, str] = Field(
        default={}, max_length=500, description="service → the component's id or name on the page"
    )

    @property
    def name(self) -> str:
        """For people."""
        return self.title or self.id

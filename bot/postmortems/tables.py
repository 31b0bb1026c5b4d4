"""The drafts, kept with the record that they were drawn from."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from bot.store import UtcDateTime, now


class Postmortem(SQLModel, table=True):
    """One incident's postmortem. ``drawn_from`` is the last row of the timeline it has seen."""

    __tablename__ = "postmortem"

    incident_id: int = Field(primary_key=True)
    state: str = "draft"
    markdown: str
    html: str
    drawn_from: int
    created_at: datetime = Field(sa_type=UtcDateTime, default_factory=now)

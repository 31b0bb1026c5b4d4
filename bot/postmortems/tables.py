"""The drafts, kept with the record that they were drawn from."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from bot.store import UtcDateTime, now


class Postmortem(SQLModel, table=True):
    """One incident's postmortem. ``drawn_from`` is the last row of the timeline it has seen.

    ``markdown`` is its current ``version``, ``html`` the same as a page, or empty until somebody
    reads it. ``redraw_by`` is the person who wants it drawn anew.
    """

    __tablename__ = "postmortem"

    incident_id: int = Field(primary_key=True)
    state: str = "draft"
    markdown: str
    html: str
    drawn_from: int
    created_at: datetime = Field(sa_type=UtcDateTime, default_factory=now)
    version: int = 0
    owner: str = ""
    facilitator: str = ""
    meeting_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    redraw_by: str = ""

"""What arrived from Slack."""

from datetime import datetime
from typing import Any

from sqlmodel import Field, SQLModel

from bot.store import JsonColumn, UtcDateTime, now


class SlackRequest(SQLModel, table=True):
    """A command, form, click, mention or message: stored, acknowledged to Slack, then worked off.

    ``new → answering → done``; where there is nothing to answer, ``new → done``. Its text and the
    answer are removed when it is done; the key stays, so that a repeat is known as one.
    """

    __tablename__ = "slack_request"

    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(unique=True)
    kind: str
    body: dict[str, Any] = Field(sa_type=JsonColumn, default_factory=dict)
    answer: dict[str, Any] = Field(sa_type=JsonColumn, default_factory=dict)
    state: str = Field(default="new", index=True)
    received_at: datetime = Field(sa_type=UtcDateTime, default_factory=now)
    worked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)

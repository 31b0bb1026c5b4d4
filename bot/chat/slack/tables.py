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


class SlackInstallation(SQLModel, table=True):
    """A workspace that Jackline was installed in by its own page, or a whole enterprise of them.

    ``key`` is the workspace's id, or the enterprise's where the app is installed for all of it.
    ``token`` is sealed, and is empty once it was removed there.
    """

    __tablename__ = "slack_installation"

    key: str = Field(primary_key=True)
    team_id: str
    team_name: str
    enterprise_id: str = ""
    enterprise_name: str = ""
    is_enterprise_install: bool = False
    app_id: str = ""
    token: str = Field(repr=False)
    bot_id: str
    bot_user_id: str
    scopes: str = ""
    installed_by: str
    installed_at: datetime = Field(sa_type=UtcDateTime, default_factory=now)
    removed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)

    @property
    def name(self) -> str:
        """For people: the workspace's or the enterprise's, and its id."""
        name = self.enterprise_name if self.is_enterprise_install else self.team_name
        return f"{name} ({self.key})" if name else self.key


class SlackInstallState(SQLModel, table=True):
    """An installation that somebody has begun: what Slack must bring back, once and in time."""

    __tablename__ = "slack_install_state"

    digest: str = Field(primary_key=True)
    person: str
    expires_at: datetime = Field(sa_type=UtcDateTime)

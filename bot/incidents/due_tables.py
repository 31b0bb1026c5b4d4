"""What was told to whom, who was reminded of what, and the facts that legal clocks run from."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from bot.store import Numbered, UtcDateTime, now


class Update(Numbered, SQLModel, table=True):
    """One update to an audience: written, shown to its author, then sent once.

    ``corrects`` is the first of the updates that this one takes the place of; none is ever changed.
    ``severity`` is the incident's when it was written: a promise of the next one is made for that.
    """

    __tablename__ = "incident_update"

    id: int | None = Field(default=None, primary_key=True)
    incident_id: int = Field(index=True)
    audience: str
    text: str
    author: str
    key: str = Field(unique=True)
    severity: str
    corrects: int | None = None
    next_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    written_at: datetime = Field(sa_type=UtcDateTime, default_factory=now)
    sent_at: datetime | None = Field(default=None, sa_type=UtcDateTime)

    @property
    def root(self) -> int:
        """The first one, which this one may correct: messages are about that."""
        return self.corrects or self.number


class Reminder(SQLModel, table=True):
    """How often somebody was reminded of one thing, and until when it is to be left alone.

    ``occasion`` is what made it due, such as the last update: another one begins anew. ``message``
    is the key of the last one, as long as it still asks for something. ``what`` may also be what
    people put off: a kind of reminders, or ``*`` for all.
    """

    __tablename__ = "reminder"

    incident_id: int = Field(primary_key=True)
    what: str = Field(primary_key=True)
    occasion: str = ""
    sent: int = 0
    sent_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    snoozed_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    stopped_by: str = ""
    message: str = ""


class ClockFact(SQLModel, table=True):
    """When something happened that a legal clock runs from or ends with, and who says so."""

    __tablename__ = "clock_fact"

    incident_id: int = Field(primary_key=True)
    law: str = Field(primary_key=True)
    fact: str = Field(primary_key=True)
    at: datetime = Field(sa_type=UtcDateTime)
    by: str
    why: str = ""
    set_at: datetime = Field(sa_type=UtcDateTime, default_factory=now)

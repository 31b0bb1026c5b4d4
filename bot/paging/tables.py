"""What is stored of being on call and of pages."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from bot.store import UtcDateTime, now


class OncallOverride(SQLModel, table=True):
    """Somebody stands in on a schedule, as a person said in chat or at the terminal.

    ``by`` is a person's id, empty for the command line; ``origin`` is what asked for it, unique.
    """

    __tablename__ = "oncall_override"

    id: int | None = Field(default=None, primary_key=True)
    schedule: str
    person: str
    since: datetime = Field(sa_type=UtcDateTime)
    until: datetime = Field(sa_type=UtcDateTime, index=True)
    by: str
    origin: str = Field(unique=True)
    made_at: datetime = Field(sa_type=UtcDateTime, default_factory=now)
    undone_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    undone_by: str = ""

    @property
    def number(self) -> int:
        """The id of a stored one."""
        if self.id is None:
            raise ValueError("not stored yet")
        return self.id

"""Which weeks were told about, and which were not."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from bot.store import UtcDateTime, now


class DigestPost(SQLModel, table=True):
    """A week of a digest of the catalog, once. ``state`` is ``posted``, or ``skipped`` where it would have
    come too late, or ``new`` where the digest was not in the catalog at the hour.
    """

    __tablename__ = "digest_post"

    digest: str = Field(primary_key=True)
    week: str = Field(primary_key=True)
    state: str
    due_at: datetime = Field(sa_type=UtcDateTime)
    at: datetime = Field(sa_type=UtcDateTime, default_factory=now)

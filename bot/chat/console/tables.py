"""What the console keeps of those who sign in with a password and a code."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from bot.store import UtcDateTime


class ConsoleSignin(SQLModel, table=True):
    """One person's password and code, and how often in a row somebody failed to give them.

    Failures are counted too for people without a password, and for names that nobody has, so that
    the answers do not tell who is who: those rows have no ``hash``.
    """

    __tablename__ = "console_signin"

    person_id: str = Field(primary_key=True)
    hash: str | None = None  # argon2; none before it was set up and after it was taken away
    secret: str | None = None  # what the app makes its codes of, sealed
    last_step: int = 0  # the time step of the last code that was taken: none works twice
    failures: int = 0  # in a row
    not_before: datetime | None = Field(default=None, sa_type=UtcDateTime)  # the next try
    since: datetime | None = Field(
        default=None, sa_type=UtcDateTime
    )  # sessions begun earlier ended

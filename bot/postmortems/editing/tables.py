"""What people did to a postmortem: versions, review notes, reviewers, conflicts, where it is published."""

from datetime import datetime
from typing import Any

from sqlmodel import Field, SQLModel, UniqueConstraint

from bot.store import JsonColumn, UtcDateTime, now


class Version(SQLModel, table=True):
    """A postmortem as it stood; ``number`` counts in the incident, with gaps where one was continued.

    ``parts`` and ``drawn`` are ``[key, title, origin, digest]`` of each section, the head first with
    an empty key: as it stands, and as it was drawn last by Jackline alone.
    """

    __tablename__ = "postmortem_version"
    __table_args__ = (UniqueConstraint("incident_id", "number"),)

    id: int | None = Field(default=None, primary_key=True)
    incident_id: int = Field(index=True)
    number: int
    kind: str  # drawn, edited, redrawn, restored
    section: str = ""
    what: str
    by: str
    at: datetime = Field(sa_type=UtcDateTime, default_factory=now)
    drawn_from: int
    parts: list[Any] = Field(sa_type=JsonColumn, default_factory=list)
    drawn: list[Any] = Field(sa_type=JsonColumn, default_factory=list)


class SectionText(SQLModel, table=True):
    """The text of a section, kept once for all versions that have it."""

    __tablename__ = "postmortem_text"

    incident_id: int = Field(primary_key=True)
    digest: str = Field(primary_key=True)
    text: str


class ReviewNote(SQLModel, table=True):
    """What somebody remarks on a section, until somebody resolves it."""

    __tablename__ = "postmortem_note"

    id: int | None = Field(default=None, primary_key=True)
    incident_id: int = Field(index=True)
    section: str
    text: str
    by: str
    origin: str = Field(unique=True)
    at: datetime = Field(sa_type=UtcDateTime, default_factory=now)
    resolved_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    resolved_by: str = ""


class Reviewer(SQLModel, table=True):
    """Whose approval is asked for; ``approved_version`` is the one they approved, 0 is none."""

    __tablename__ = "postmortem_reviewer"

    incident_id: int = Field(primary_key=True)
    person: str = Field(primary_key=True)
    asked_by: str
    asked_at: datetime = Field(sa_type=UtcDateTime, default_factory=now)
    approved_version: int = 0
    approved_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Clash(SQLModel, table=True):
    """Two texts for one section, of which one stands in it and ``text`` is the other, until a person
    has settled it. ``by`` is who wrote it: ``jackline`` where it was drawn anew.
    """

    __tablename__ = "postmortem_clash"

    id: int | None = Field(default=None, primary_key=True)
    incident_id: int = Field(index=True)
    section: str
    text: str
    by: str
    at: datetime = Field(sa_type=UtcDateTime, default_factory=now)
    settled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    settled_by: str = ""


class ActionItem(SQLModel, table=True):
    """An action item that was taken up: ``task`` is the follow-up, and what of it a tracker has.

    ``ticket`` is empty without a tracker, else ``pending → filed → done``, or ``refused``, or
    ``gone`` where it was deleted there. ``seen`` is what the tracker said when it was read last.
    ``next_at`` is when it is read next; of one that is pending, when it was last sent.
    """

    __tablename__ = "postmortem_action"
    __table_args__ = (UniqueConstraint("incident_id", "task"),)

    id: int | None = Field(default=None, primary_key=True)
    incident_id: int = Field(index=True)
    task: int
    text: str
    kind: str
    owner: str
    due: str
    done_when: str
    finding: str = ""
    by: str
    at: datetime = Field(sa_type=UtcDateTime, default_factory=now)
    tracker: str = ""
    ticket: str = ""
    reference: str = ""
    url: str = ""
    seen: str = ""
    seen_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    next_at: datetime | None = Field(default=None, sa_type=UtcDateTime, index=True)
    error: str = ""

    @property
    def number(self) -> int:
        """The id of a stored one."""
        if self.id is None:
            raise ValueError("not stored yet")
        return self.id


class PaperCopy(SQLModel, table=True):
    """A postmortem at one place of the catalog: what stands there, and what was asked for last.

    ``state`` is ``pending → published``, or ``refused``. ``version`` is the one that stands there, 0
    until there is one, with the place's own name for it, since when and by whom; ``digest`` is of its text.
    """

    __tablename__ = "postmortem_copy"

    incident_id: int = Field(primary_key=True)
    place: str = Field(primary_key=True)
    state: str = "pending"
    asked_by: str
    asked_at: datetime = Field(sa_type=UtcDateTime, default_factory=now)
    error: str = ""
    version: int = 0
    reference: str = ""
    url: str = ""
    digest: str = ""
    by: str = ""
    at: datetime | None = Field(default=None, sa_type=UtcDateTime)

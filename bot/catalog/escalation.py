"""Whom an incident pages, and who is next when nobody answers. Pure data, checked when it is read."""

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field

from bot.catalog.durations import Duration
from bot.catalog.entry import STRICT, Name
from bot.catalog.rule import Severity

_WHO = re.compile(r"(@|schedule:|notifier:)?[a-z0-9][a-z0-9_.-]{0,62}")


def _who(value: str) -> str:
    if not _WHO.fullmatch(value):
        raise ValueError(
            f'{value!r} must be a person\'s id, "@group", schedule:ID or notifier:ID, in quotes'
        )
    return value


Who = Annotated[str, AfterValidator(_who)]


class Reach(BaseModel):
    """How a person is reached: a notifier of the catalog, and the person's address of its medium."""

    model_config = STRICT

    notifier: Name
    to: str = Field(min_length=1, max_length=200)


class Level(BaseModel):
    """Who is paged together, and for how long they are waited for."""

    model_config = STRICT

    who: list[Who] = Field(min_length=1, max_length=50)
    after: Duration = Field(default=300.0, description="then the next level is paged")
    by: list[Name] = Field(
        default=[], description="only by these notifiers; left out: all by which they are reached"
    )


class Escalation(BaseModel):
    """Incidents of these severities page its levels, one after the other, until somebody has it.

    One that names ``services`` is for those; one that names none is for incidents that no other is for.
    """

    model_config = STRICT

    id: Name
    title: str = Field(default="", max_length=100)
    severity: list[Severity] = Field(default=["sev1", "sev2"], min_length=1)
    services: list[Name] = Field(default=[], max_length=500)
    levels: list[Level] = Field(min_length=1, max_length=20)
    repeat: int = Field(default=3, ge=1, le=20, description="how often all levels are gone through")

    @property
    def name(self) -> str:
        """For people."""
        return self.title or self.id


def kind_of(who: str) -> tuple[str, str]:
    """``group``, ``schedule``, ``notifier`` or ``person``, and which; a group's with its @."""
    if who.startswith("@"):
        return "group", who
    kind, colon, name = who.partition(":")
    return (kind, name) if colon else ("person", who)

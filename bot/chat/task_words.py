"""Reads a task as people type it: ``Call the vendor @ben by 14:30``. Pure."""

import re
from dataclasses import dataclass
from datetime import datetime

from bot.catalog import Catalog, Person
from bot.chat.persons import find_person
from bot.errors import BadInput
from bot.incidents.times import parse_past, parse_time

_WHO = re.compile(r"(?:^|\s)(@[\w.-]+|<@[A-Z0-9]+(?:\|[^<>]*)?>)\s*$")
_BY = re.compile(r"(?:^|\s)by\s+(?P<when>\S.*?)\s*$", re.IGNORECASE)


@dataclass(frozen=True)
class Said:
    """A task's text, and who is to do it by when, where that was said."""

    text: str
    owner: Person | None
    due_at: datetime | None


def read_task(text: str, catalog: Catalog, asker: Person, at: datetime) -> Said:
    """The owner and the time stand at the end, in any order, the time in the asker's time zone.

    Raises `BadInput` for an owner who is nobody, and for a time that has passed. What follows a
    ``by`` and is no time is part of the text: *restart it by hand*.
    """
    owner: Person | None = None
    due: datetime | None = None
    for _ in range(2):
        if owner is None and (who := _WHO.search(text)):
            owner, text = find_person(catalog, who[1], asker), text[: who.start()]
        if due is None and (by := _last_by(text)):
            due = _time(by["when"], at, asker.timezone)
            text = text[: by.start()] if due else text
    return Said(text.strip(), owner, due)


def _last_by(text: str) -> re.Match[str] | None:
    found = None
    for at in (match.start() for match in re.finditer(r"(?:^|\s)by\s", text, re.IGNORECASE)):
        found = _BY.match(text, at) or found
    return found


def _time(words: str, at: datetime, zone: str) -> datetime | None:
    """None for what is no time. Raises `BadInput` for one that has passed."""
    try:
        return parse_time(words, at, zone)
    except BadInput as error:
        try:
            parse_past(words, at, zone)
        except BadInput:
            return None
        raise error from None

"""The words of an update: what somebody typed, or a draft from where the incident stands. Pure.

What customers read is drafted from the catalog's ``public`` names alone. No title, severity, person
or alert gets there by itself, and nothing at all of a private incident.
"""

import re
from collections.abc import Iterable
from datetime import datetime

from bot.catalog import AUDIENCES, Audience, Catalog
from bot.errors import BadInput
from bot.incidents.tables import Incident
from bot.incidents.times import parse_time
from bot.log import redact_text

LIMIT = 2000  # characters of one update
_NEXT = re.compile(
    r"(?:^|[\s,;]+)next\s+((?:in|at)\s+\d\S*(?:\s+\S+){0,3}|tomorrow\s+\S+(?:\s+\S+)?|"
    r"(?:mon|tue|wed|thu|fri|sat|sun)\w*\s+(?:at\s+)?\d\S*)\s*$",
    re.IGNORECASE,
)
_OURS = re.compile(
    r"\bsev-?[1-4]\b|#\d+|\b(?:inc|drill)-\d+\S*|\b(?:10|127|192\.168|172\.(?:1[6-9]|2\d|3[01]))"
    r"(?:\.\d{1,3}){2,3}\b|\S+\.(?:internal|local|corp|svc)\b|\blocalhost\b",
    re.IGNORECASE,
)
_CUSTOMERS = {
    "declared": "We are investigating a problem{of}.",
    "investigating": "We are investigating a problem{of}.",
    "mitigating": "We have found the problem{of} and are working on it.",
    "monitoring": "A fix{of} is in place, and we are watching whether it holds.",
    "cancelled": "There is no problem{of} after all. We are sorry for the alarm.",
}
_OVER = "The problem{of} is over. We are sorry for the trouble."


def split_next(text: str, now: datetime, tz: str) -> tuple[str, datetime | None]:
    """``DNS is back, next in 30m`` as the words and when the next update is promised.

    Raises `BadInput` where that is no time ahead.
    """
    found = _NEXT.search(text)
    if found is None:
        return text.strip(), None
    return text[: found.start()].strip(), parse_time(found[1], now, tz)


def audience_of(text: str) -> tuple[Audience, str, bool]:
    """``customers All is well``: whom it is for, the rest, and whether that was said."""
    head, _, rest = text.strip().partition(" ")
    for audience in AUDIENCES:
        if head.lower() == audience:
            return audience, rest.strip(), True
    return "internal", text.strip(), False


def check_text(text: str) -> str:
    """As it may go out: printable, without credentials. Raises `BadInput` if nothing is left or it is
    too long.
    """
    clean = "\n".join(
        "".join(c for c in line if c.isprintable() or c == "\t").rstrip()
        for line in redact_text(text.strip()).splitlines()
    )
    if not clean:
        raise BadInput(
            "An update needs words.", hint="For example: /incident update DNS is back next in 30m"
        )
    size = len(clean) + 4 * clean.count("&") + 3 * (clean.count("<") + clean.count(">"))
    if size > LIMIT:  # as it is sent: what is cut off at the end would not have been said
        raise BadInput(f"The update has {size} characters as it is sent; {LIMIT} is the limit.")
    return clean


def draft(catalog: Catalog, incident: Incident, audience: Audience, at: datetime) -> str:
    """What might be said now; to be read and changed by a person before it goes anywhere."""
    if audience == "customers":
        return _for_customers(catalog, incident)
    titles = [s.title for i in incident.services if (s := catalog.service(i))]
    what = f"{_listed(titles)}: " if titles and not incident.private else ""
    person = catalog.person(incident.commander)
    lead = f"{person.name if person else incident.commander} is in command"
    if not incident.commander:
        lead = "Nobody is in command yet"
    minutes = int((at - incident.declared_at).total_seconds() // 60)
    since = f"since {incident.declared_at:%H:%M} UTC ({_lasted(minutes)})"
    words = f"{what}{incident.severity.upper()}, {incident.status}, {since}. {lead}."
    return words if audience == "internal" else words.replace("SEV", "severity ", 1)


def ours(catalog: Catalog, incident: Incident, text: str) -> list[str]:
    """Words of a text for customers that are rather ours: its author is asked about them."""
    found = [match[0] for match in _OURS.finditer(text)]
    names = [p.name for p in catalog.people if len(p.name) > 2]  # noqa: PLR2004 - else half of all words
    titles = [s.title for s in catalog.services if s.public and s.title != s.public]
    known = [*names, *titles, *([incident.title] if incident.private else [])]
    for public in (s.public for s in catalog.services if s.public):
        text = text.replace(public, "")
    found += [name for name in known if re.search(rf"\b{re.escape(name)}\b", text, re.IGNORECASE)]
    return list(dict.fromkeys(found))


def _for_customers(catalog: Catalog, incident: Incident) -> str:
    names = [
        s.public for i in incident.services if (s := catalog.service(i)) and s.public
    ] if not incident.private else []  # fmt: skip
    of = f" with {_listed(names)}" if names else ""
    form = _CUSTOMERS.get(incident.status, _OVER)
    return form.format(of=of.replace(" with ", " for ") if form.startswith("A fix") else of)


def _listed(names: Iterable[str]) -> str:
    *first, last = list(names)
    return f"{', '.join(first)} and {last}" if first else last


def _lasted(minutes: int) -> str:
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if hours else f"{rest} min"

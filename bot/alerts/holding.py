"""What holds alerts back: silences that people set, maintenance windows of the catalog. Pure."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from bot.alerts.rules import PRIVATE, Decision, all_labels
from bot.alerts.tables import Silence
from bot.catalog import LONGEST, Catalog, Person, check_match, match_words, matches, seconds
from bot.catalog.spans import Maintenance
from bot.errors import BadInput, NotAllowed
from bot.incidents import Incident

_FORM = re.compile(r"([^\s=!~]+)=([^=~].*)", re.DOTALL)
_REASON = 500  # characters
_NAMES = 20  # of one answer


@dataclass(frozen=True)
class Wish:
    """A silence as it was asked for, checked."""

    match: dict[str, str]
    seconds: float
    reason: str


@dataclass(frozen=True)
class Hold:
    """One thing that holds alerts back now; ``number`` is a silence's, a window has none.

    ``key`` is what is stored with the alerts that it holds: of a window also what it means, so that
    one of its name that means others does not go on holding them.
    """

    key: str
    name: str
    match: Mapping[str, str]
    since: datetime
    until: datetime
    number: int | None = None
    by: str = ""
    reason: str = ""

    @property
    def words(self) -> str:
        """All of it, in one line."""
        said = f"{self.name} ({match_words(self.match)}) until {self.until:%Y-%m-%d %H:%M} UTC"
        return f"{said}, {self.by}: {self.reason}" if self.reason else said

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "name": self.name, "number": self.number, "match": dict(self.match),
            "since": self.since.isoformat(), "until": self.until.isoformat(),
            "by": self.by, "reason": self.reason,
        }  # fmt: skip


def holds(catalog: Catalog, silences: Iterable[Silence], at: datetime) -> list[Hold]:
    """What is on at this time; ``silences`` are those that were not ended."""
    found = [hold_of(catalog, silence) for silence in silences if at < silence.until]
    found += [
        Hold(_key(w), f"maintenance {w.name}", w.match, w.since, w.until)
        for w in catalog.maintenance
        if w.on(at)
    ]
    return found


def _key(window: Maintenance) -> str:
    meaning = sha256(match_words(window.match).encode("utf-8", "replace")).hexdigest()[:12]
    return f"maintenance:{meaning}:{window.name}"


def hold_of(catalog: Catalog, silence: Silence) -> Hold:
    """A silence as what holds alerts back."""
    number = silence.number
    return Hold(
        f"silence:{number}", f"silence {number}", silence.match, silence.since, silence.until,
        number=number, by=who(catalog, silence.by), reason=silence.reason,
    )  # fmt: skip


def covers(
    match: Mapping[str, str], decision: Decision, name: str, labels: dict[str, str], source: str
) -> bool:
    """Whether an alert is meant; its service is the one that it is taken to be about."""
    service = {"service": decision.service} if decision.service else {}
    return matches(match, all_labels(name, labels, source) | service)


def who(catalog: Catalog, person_id: str) -> str:
    """A person's name; nobody stands for the command line."""
    person = catalog.person(person_id)
    return person.name if person else person_id or "the command line"


def may_silence(person: Person) -> None:
    """Raises `NotAllowed`."""
    if not (person.has("responder") or person.has("commander")):
        raise NotAllowed("Silences need the role 'responder'.")


def labels_of(words: Sequence[str], usage: str) -> dict[str, str]:
    """``LABEL=VALUE …`` as people type it. Raises `BadInput`."""
    match: dict[str, str] = {}
    for word in words:
        found = _FORM.fullmatch(word)
        if found is None or not word.isprintable():
            text = f"{word[:60]!r} is not LABEL=VALUE; a value is exact, or has * for anything."
            raise BadInput(text, hint=usage)
        if found[1] in match:
            raise BadInput(f"The label {found[1]} is given twice.", hint=usage)
        match[found[1]] = found[2]
    return match


def wish(match: dict[str, str], lasts: str, reason: str, usage: str) -> Wish:
    """``lasts`` is a duration such as 2h. Raises `BadInput` that ends with the usage."""
    try:
        check_match(match)
    except ValueError as error:
        raise BadInput(f"Say which alerts: {error}.", hint=usage) from None
    try:
        length = float(str(seconds(lasts)))
    except ValueError:
        raise BadInput(
            f"{lasts[:40]!r} is no duration such as 30m, 2h or 3d.", hint=usage
        ) from None
    if not 0 < length <= LONGEST:
        days = f"{LONGEST // 86_400} days"
        raise BadInput(f"{lasts[:40]!r} must be more than nothing and at most {days}.", hint=usage)
    clean = " ".join("".join(c if c.isprintable() else " " for c in reason).split())
    if not clean:
        raise BadInput("Say why: it stands in the record.", hint=usage)
    if len(clean) > _REASON:
        raise BadInput(f"The reason has {len(clean)} characters; {_REASON} is the limit.")
    return Wish(match, length, clean)


def of_incident(incident: Incident) -> dict[str, str]:
    """The labels of an incident's group; its only service, if it has none. Raises `BadInput`."""
    trigger, group = incident.trigger, str(incident.trigger.get("group") or "")
    group = group.removeprefix(PRIVATE)
    kind, _, rest = group.partition(":")
    match kind:
        case "service":
            return {"service": rest}
        case "alert":
            source, _, name = rest.partition(":")
            return {"alertname": name, "source": source}
        case "labels":
            known = all_labels(trigger["alert"], trigger["labels"], trigger["source"])
            pairs = [part.partition("=") for part in rest.split(",")]
            if all(value and known.get(label) == value for label, _, value in pairs):
                return {label: value for label, _, value in pairs}
        case _ if len(incident.services) == 1:
            return {"service": incident.services[0]}
    raise BadInput(
        f"What #{incident.number} is about is not one service or group.", hint="Name the labels."
    )


def fire_now(names: Counter[str], newest: int = 0) -> str:
    """What a silence means for the alerts that fire when it is set, critical ones first.

    ``newest``: only so many of them were looked at.
    """
    of = f" among the newest {newest}" if newest else ""
    if not names:
        return f"No alert that fires now{of} matches."
    ordered = sorted(names, key=lambda name: (not name.startswith("critical "), -names[name], name))
    listed = [f"{name} ({names[name]})" if names[name] > 1 else name for name in ordered]
    more = f" and {len(listed) - _NAMES} other names" if len(listed) > _NAMES else ""
    return (
        f"Alerts that fire now and match{of} ({names.total()}): {', '.join(listed[:_NAMES])}{more}. "
        "What they opened stays open."
    )

"""What becomes of an alert, from its rule to its incident. Pure.

The router and the simulator both go by it: what one shows is what the other does.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Protocol

from bot.alerts.grouping import AnIncident, Found, belongs
from bot.alerts.holding import Hold, covers
from bot.alerts.rules import Decision
from bot.catalog import Catalog

Key = tuple[str, str]  # the identity of an alert over time: its source and its fingerprint


class Notice(Protocol):
    """What is asked of an alert, stored or read for a replay."""

    @property
    def name(self) -> str: ...
    @property
    def labels(self) -> dict[str, str]: ...
    @property
    def source(self) -> str: ...
    @property
    def status(self) -> str: ...


@dataclass(frozen=True)
class Verdict(Generic[AnIncident]):
    """``routes``: it belongs to an incident, to ``found`` or to a new one; ``hold`` keeps it back."""

    decision: Decision
    because: str
    routes: bool = False
    hold: Hold | None = None
    found: Found[AnIncident] | None = None


def judge(
    catalog: Catalog, alert: Notice, decision: Decision, holds: Sequence[Hold],
    active: Sequence[AnIncident], at: datetime, *, ended: bool = False,
) -> Verdict[AnIncident]:  # fmt: skip
    """``decision`` is what the rules say of it, ``active`` are the active incidents, oldest first;
    ``ended``: its end is known already.

    The end of an alert goes where its firing went, and only the caller knows that.
    """
    because = decision.because
    if alert.status == "resolved" or not decision.declare:
        return Verdict(decision, because)
    if ended:
        return Verdict(decision, f"{because}; it ended while it was held back")
    asked = decision, alert.name, alert.labels, alert.source
    hold = next((hold for hold in holds if covers(hold.match, *asked)), None)
    if hold is not None:
        return Verdict(decision, f"{because}; held back by {hold.words}", hold=hold)
    found = belongs(catalog, decision, active, at)
    if found and found.because:
        because = f"{because}; {found.because}"
    return Verdict(decision, because, routes=True, found=found)


def longest(quiets: Iterable[float | None]) -> float | None:
    """For how many seconds all alerts of an incident must have ended; None leaves it to people.

    Each of its alerts has a say: one whose rule does not resolve keeps it open.
    """
    known = list(quiets)
    return None if not known or None in known else max(q for q in known if q is not None)

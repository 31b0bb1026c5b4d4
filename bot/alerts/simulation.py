"""Two sets of rules over the same alerts: which incidents each would have opened, and why. Pure."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bot.alerts.replay import Accepted, Placed, Replay, Simulated
from bot.catalog.durations import spelled
from bot.incidents import SEVERITIES

APPROXIMATIONS = (
    "An incident ends when all incidents of the record that its alerts were in have ended.",
    "Its rules may resolve it sooner; one that the record does not have ends when no alert fires.",
    "What people declared, and what was open when the time began, is taken as the record has it.",
    "Silences are taken as they were set, maintenance windows as each catalog has them.",
    "Where people are asked first, they are taken to have said yes at once.",
    "What was held back when the time began is left out.",
    "Severities and services that people changed, and runs, are left out.",
)


@dataclass(frozen=True)
class Difference:
    """One incident that is not the same. ``what``: opened, not opened, or what of it changes."""

    what: str
    alert: Accepted
    present: Simulated | None
    edited: Simulated | None
    why: str

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "what": self.what, "why": self.why,
            "alert": {"id": self.alert.id, "name": self.alert.name, "source": self.alert.source,
                      "received_at": self.alert.received_at.isoformat()},
            "present": self.present and shown(self.present),
            "edited": self.edited and shown(self.edited),
        }  # fmt: skip


@dataclass(frozen=True)
class Comparison:
    """``moved`` counts firing alerts: to another incident, into one, out of every one."""

    differences: list[Difference]
    moved: dict[str, int]


def shown(simulated: Simulated) -> dict[str, Any]:
    """What a person asks of a simulated incident."""
    quiet = simulated.quiet
    return {
        "severity": simulated.severity, "services": simulated.services, "group": simulated.open_key,
        "alerts": simulated.alerts, "resolve_after": None if quiet is None else spelled(quiet),
    }  # fmt: skip


def counted(replay: Replay) -> dict[str, Any]:
    """How many incidents it opened, and what became of the alerts that fired."""
    severities = Counter(each.severity for _, each in replay.opened.values())
    placed = [each for each in replay.placed.values() if each.simulated]
    return {
        "incidents": len(replay.opened),
        "by_severity": {each: severities[each] for each in SEVERITIES},
        "alerts": {"fired": len(replay.placed), "in_incidents": len(placed)},
    }


def compare(present: Replay, edited: Replay) -> Comparison:
    """Incidents are the same if the same alert opens them."""
    differences = []
    for alert_id in sorted(present.opened.keys() | edited.opened.keys()):
        was, would = present.opened.get(alert_id), edited.opened.get(alert_id)
        places = present.placed[alert_id], edited.placed[alert_id]
        if was and would:
            differences += list(_changes(was[0], was[1], would[1], places))
        elif was:
            differences.append(Difference("not opened", *was, None, _where(places[1])))
        elif would:
            why = f"{places[1].because}; was: {_where(places[0])}"
            differences.append(Difference("opened", would[0], None, would[1], why))
    return Comparison(differences, _moved(present, edited))


def _changes(
    alert: Accepted, was: Simulated, would: Simulated, places: tuple[Placed, Placed]
) -> Iterator[Difference]:
    old, new = shown(was), shown(would)
    changed = [name for name in old if old[name] != new[name]]
    if not changed:
        return
    by_rule = [each.because for each in places]
    more = would.alerts - was.alerts
    if changed == ["alerts"]:
        why = f"{abs(more)} {'more' if more > 0 else 'fewer'} of its alerts"
        yield Difference("alerts", alert, was, would, why)
        return
    why = by_rule[0] if by_rule[0] == by_rule[1] else f"{by_rule[1]}; was: {by_rule[0]}"
    if would.graver != was.graver:
        why += f"; {would.graver or 'nothing raises its severity'}"
    yield Difference(", ".join(changed).replace("_", " "), alert, was, would, why)


def _where(placed: Placed) -> str:
    if placed.simulated is None:
        return placed.because
    opener = placed.simulated.opened_by
    if opener is None:
        return f"joins #{placed.simulated.number}, as recorded: {placed.because}"
    return f"joins what alert {opener.id} ({opener.name}) opened: {placed.because}"


def _moved(present: Replay, edited: Replay) -> dict[str, int]:
    moved = {"to_another": 0, "into_one": 0, "out_of_one": 0}
    for alert_id, was in present.placed.items():
        would = edited.placed[alert_id]
        if was.simulated and would.simulated:
            moved["to_another"] += was.simulated.number != would.simulated.number
        elif would.simulated:
            moved["into_one"] += 1
        elif was.simulated:
            moved["out_of_one"] += 1
    return moved

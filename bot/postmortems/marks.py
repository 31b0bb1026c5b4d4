"""The response clock: eight moments, each with the row that proves it, or unknown. Pure.

Nothing here is ever guessed. A moment that no row proves stays ``None`` and says why.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from bot.incidents.rules import ENDED
from bot.postmortems.mark import Clock, Mark, minutes_between, ordered, unknown
from bot.postmortems.told_marks import told_clock
from bot.timeline import Entry

__all__ = ["Clock", "Mark", "clock", "minutes_between", "ordered", "still_firing"]

_LONG_AGO, _FAR_AHEAD = 2000, 9999  # vendors send the year 1 for "no time"
_CAUSES = ("cause", "root cause", "confirmed")


def clock(rows: Sequence[Entry]) -> Clock:
    """Finds the marks in an incident's rows."""
    rows = ordered(rows)
    if any(row.data.get("told") for row in rows):
        return told_clock(rows)
    resolved = _resolved(rows)
    return Clock(
        impact_start=_impact_start(rows),
        detected=_detected(rows),
        declared=_first("Declared", rows, _of_kind("incident_declared"), "declared", "no declaration was recorded"),
        acknowledged=_first("Acknowledged", rows, _by_person, "first row by a person", "no person appears in the record"),
        diagnosed=_first("Diagnosed", rows, _names_a_cause, "first note by a person that names a cause", "no person noted a cause"),
        mitigated=_mitigated(rows, resolved),
        resolved=resolved,
        closed=_closed(rows, resolved),
    )  # fmt: skip


def _detected(rows: Sequence[Entry]) -> Mark:
    row = next((row for row in rows if row.kind == "alert_received"), None)
    if row is None:
        return unknown("Detected", "no alert was recorded")
    return Mark("Detected", row.at, row.seq, "first alert received", "machine")


def _names_a_cause(row: Entry) -> bool:
    word, colon, rest = row.text.partition(":")
    said = row.kind in ("note_added", "message_pinned") and _by_person(row)
    return bool(said and colon and rest.strip()) and word.strip().lower() in _CAUSES


def _closed(rows: Sequence[Entry], resolved: Mark) -> Mark:
    """Only where it stayed resolved."""
    row = next((row for row in reversed(rows) if _moves_to(row, "closed")), None)
    if row is None or resolved.seq is None or row.seq < resolved.seq:
        return unknown("Closed", "no change to closed was recorded")
    return Mark("Closed", row.at, row.seq, "status set to closed")


def _first(
    title: str, rows: Sequence[Entry], wanted: Callable[[Entry], bool], found: str, missing: str
) -> Mark:
    row = next((row for row in rows if wanted(row)), None)
    return Mark(title, row.at, row.seq, found) if row else Mark(title, None, None, missing)


def _of_kind(*kinds: str) -> Callable[[Entry], bool]:
    return lambda row: row.kind in kinds


def _by_person(row: Entry) -> bool:
    return row.actor.startswith("person:")


def _moves_to(row: Entry, *statuses: str) -> bool:
    return row.kind == "status_changed" and row.data.get("to") in statuses


def _impact_start(rows: Sequence[Entry]) -> Mark:
    alerts = [row for row in rows if row.kind == "alert_received" or _brings_alerts(row, rows)]
    timed = [(at, row.seq) for row in alerts if (at := _starts_at(row))]
    if timed:
        at, seq = min(timed)
        return Mark("Impact start", at, seq, "earliest start time that an alert reported")
    why = "no alert reported a usable start time" if alerts else "no alert was recorded"
    return Mark("Impact start", None, None, why)


def _brings_alerts(row: Entry, rows: Sequence[Entry]) -> bool:
    """An incident was merged into this one, with alerts, and that was not taken back later."""
    if row.kind != "incident_merged" or "starts_at" not in row.data:
        return False
    back = (r for r in rows if r.kind == "incident_unmerged" and r.seq > row.seq)
    return all(r.data.get("into") != row.data.get("from") for r in back)


def _starts_at(row: Entry) -> datetime | None:
    """What the source said; a time after its own arrival is a wrong clock, so not a fact."""
    at = read_time(row.data.get("starts_at"))
    return at if at and at <= row.at else None


def read_time(value: Any) -> datetime | None:  # noqa: ANN401 - whatever a source sent
    """A moment with its zone, or None for anything that is not one."""
    try:
        at = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return at.astimezone(UTC) if at.tzinfo and _LONG_AGO < at.year < _FAR_AHEAD else None


def _resolved(rows: Sequence[Entry]) -> Mark:
    """The last resolution; one that was taken back by a reopening does not count."""
    moves = [row for row in rows if row.kind == "status_changed"]
    ended = [row for row in moves if _moves_to(row, "resolved")]
    if not ended:
        return Mark("Resolved", None, None, "no change to resolved was recorded")
    last = ended[-1]
    after = moves[moves.index(last) + 1 :]
    if any(not _moves_to(row, "closed") for row in after):
        return Mark("Resolved", None, None, f"reopened after row {last.seq}")
    times = "" if len(ended) == 1 else f", the last of {len(ended)}"
    return Mark("Resolved", last.at, last.seq, f"status set to resolved{times}")


def _mitigated(rows: Sequence[Entry], resolved: Mark) -> Mark:
    """A person's or the engine's word "monitoring"; without it, the first sign of recovery."""
    if resolved.seq is not None:
        rows = rows[: next(i for i, row in enumerate(rows) if row.seq == resolved.seq) + 1]
    setback = max((i for i, r in enumerate(rows) if _moves_to(r, "investigating", "mitigating")), default=-1)  # fmt: skip
    for row in rows[setback + 1 :]:
        if _moves_to(row, "monitoring"):
            return Mark("Mitigated", row.at, row.seq, "status set to monitoring")
    reopened = max((i for i, r in enumerate(rows) if _reopens(r)), default=-1)
    for index, row in enumerate(rows):
        if index > reopened and row.kind in ("alert_resolved", "run_succeeded"):
            return Mark("Mitigated", row.at, row.seq, _sign(row, rows[: index + 1]))
    return Mark("Mitigated", None, None, "no monitoring status, resolved alert or successful run")


def _reopens(row: Entry) -> bool:
    """What had recovered by then had not."""
    moved = row.kind == "status_changed" and row.data.get("from") in ENDED
    return moved and row.data.get("to") not in ENDED


def _sign(row: Entry, so_far: Sequence[Entry]) -> str:
    what = "first alert resolved" if row.kind == "alert_resolved" else "first run succeeded"
    firing = still_firing(so_far)
    note = f"; {len(firing)} alert(s) still firing then" if firing else ""
    return f"{what}, a sign of recovery rather than a recorded decision{note}"


def still_firing(rows: Sequence[Entry]) -> dict[str, int]:
    """Fingerprint → row of the alerts that fired and had not resolved by the last row."""
    firing: dict[str, int] = {}
    for row in rows:
        key = f"{row.data.get('source')}/{row.data.get('fingerprint')}"
        if row.kind == "alert_received":
            firing.setdefault(key, row.seq)
        elif row.kind == "alert_resolved":
            firing.pop(key, None)
        elif row.kind == "flapping_ended":  # its last changes have no rows of their own
            if row.data.get("firing"):
                firing.setdefault(key, row.seq)
            else:
                firing.pop(key, None)
    return firing

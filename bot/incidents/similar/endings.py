"""What rows of a timeline say: of an incident, to compare it; of a past one, how it ended. Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from bot.incidents.similar.scoring import Known
from bot.incidents.tables import Incident
from bot.timeline import Entry

MANY = ("alert_received", "step_started")
ABOUT = ("runbook_proposed", "run_requested", "run_started")
_NOTES = ("note_added", "note_corrected", "note_withdrawn")
ENDS = ("status_changed", "run_succeeded", "postmortem_drafted", *_NOTES)
_CAUSE = re.compile(r"(?:root )?cause\s*:\s*(\S.*)", re.IGNORECASE | re.DOTALL)
_DID = re.compile(
    r"(?:action|recovery|recovered|fix|fixed)\s*:\s*(\S.*)", re.IGNORECASE | re.DOTALL
)
_HOUR = 60
_LONGEST = 160  # characters of what a person noted


@dataclass(frozen=True)
class Ending:
    """``words``: what ended it and after how long. ``paper``: a postmortem was drafted."""

    words: str
    paper: bool


def with_rows(known: Known, rows: Iterable[tuple[str, dict[str, Any]]]) -> Known:
    """The same with the alerts, runbooks and targets that its rows name: of each its kind and data."""
    alerts, runbooks, targets = set(known.alerts), set(known.runbooks), set(known.targets)
    for kind, data in rows:
        if kind == "alert_received":
            alerts.add(str(data.get("name") or ""))
        elif kind == "step_started":
            targets.add(str(data.get("target") or ""))
        elif kind in ABOUT:
            runbooks.add(str(data.get("runbook") or ""))
    return replace(
        known, alerts=frozenset(alerts - {""}), runbooks=frozenset(runbooks - {""}),
        targets=frozenset(targets - {""}),
    )  # fmt: skip


def ending(incident: Incident, rows: Iterable[Entry]) -> Ending:
    """The cause if somebody noted one, which runs succeeded or else what a person did, who resolved it, when."""
    rows = list(rows)
    runs = dict.fromkeys(row.text.removesuffix(": succeeded") for row in rows if row.kind == "run_succeeded")  # fmt: skip
    notes = _notes(rows)
    said = [_last(notes, _CAUSE, "cause")]
    said += [f"runbook {each} succeeded" for each in runs] or [_last(notes, _DID, "by hand")]
    said.append(_resolved(incident, rows))
    return Ending("; ".join(filter(None, said)), any(r.kind == "postmortem_drafted" for r in rows))


def _notes(rows: Iterable[Entry]) -> list[str]:
    """What people noted, as they left it: put right, or without what they took back."""
    found: dict[str, str] = {}
    for row in rows:
        if row.actor.startswith("person:") and row.kind in _NOTES:
            key = row.link or f"#{row.seq}"
            found[key] = "" if row.kind == "note_withdrawn" else row.text
    return list(found.values())


def _last(notes: list[str], shape: re.Pattern[str], what: str) -> str:
    found = [match[1] for note in notes if (match := shape.match(note.lstrip()))]
    line = " ".join(found[-1].split()) if found else ""
    return f"{what}: {line[: _LONGEST - 1]}…" if len(line) > _LONGEST else f"{what}: {line}" if line else ""  # fmt: skip


def _resolved(incident: Incident, rows: Iterable[Entry]) -> str:
    minutes = minutes_of(incident.declared_at, incident.resolved_at)
    moved = [r.actor for r in rows if r.kind == "status_changed" and r.data.get("to") == "resolved"]
    who = "a person" if moved and moved[-1].startswith("person:") else "Jackline"
    return f"resolved by {who}" + (f" after {_span(minutes)}" if minutes is not None else "")


def _span(minutes: float) -> str:
    whole = max(1, round(minutes))
    return f"{whole} min" if whole < _HOUR * 2 else f"{whole // _HOUR} h {whole % _HOUR} min"


def minutes_of(begun: datetime, ended: datetime | None) -> float | None:
    """From declared to resolved."""
    return (ended - begun).total_seconds() / 60 if ended else None

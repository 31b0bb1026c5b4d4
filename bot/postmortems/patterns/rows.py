"""One shape for what is matched: rows of a live incident and rows of a told outage. Pure.

A live row says what it is by its kind and its data; a told row by its kind and its sentence. What
people merely said in chat is kept apart: it counts as words, never as structure.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from msgspec import Struct, field

from bot.postmortems.moments import is_known
from bot.postmortems.patterns.noticing import Noticed, noticed_by
from bot.postmortems.patterns.said import OUTSIDE
from bot.postmortems.patterns.sentence import cleaned
from bot.postmortems.rowclass import corrections
from bot.timeline import Entry

Kind = Literal[
    "trigger", "symptom", "detection", "action", "decision", "recovery", "communication", "access",
    "hypothesis", "step", "said", "record",
]  # fmt: skip

_TOLD: Mapping[str, Kind] = {
    "trigger": "trigger", "symptom": "symptom", "detection": "detection", "action": "action",
    "decision": "decision", "recovery": "recovery", "communication": "communication",
    "access": "access", "hypothesis": "hypothesis", "step": "step", "note": "said", "message": "said", "chat": "said",
}  # fmt: skip
_TOLD_AS_FACT = frozenset(_TOLD) - {
    "message",
    "chat",
}  # a note of a published timeline is its writer's
_NOTED: Mapping[str, Kind] = {  # the word that a person's note begins with
    "trigger": "trigger", "symptom": "symptom", "detection": "detection", "detected": "detection",
    "action": "action", "decision": "decision", "decided": "decision", "access": "access",
    "recovery": "recovery", "recovered": "recovery", "hypothesis": "hypothesis", "cause": "detection",
    "root cause": "detection", "confirmed": "detection", "impact": "symptom", "data loss": "symptom",
}  # fmt: skip
_LIVE: Mapping[str, Kind] = {
    "alert_received": "detection", "alert_resolved": "recovery", "alerts_ended": "recovery",
    "decision_made": "decision", "communication_sent": "communication", "access_failed": "access",
}  # fmt: skip
_STEPS = ("step_", "gate_", "guard_", "undo_", "manual_")
BEFORE = timedelta(minutes=15)  # a change this near may be the trigger
_RECOVERED = ("monitoring", "resolved", "closed")


class Row(Struct, frozen=True, eq=False, gc=False):
    """One row, ready to be matched. ``text`` is only what may be read: no quotes, no links."""

    seq: int
    at: datetime
    known: bool
    kind: Kind
    raw: str  # the kind that the record has
    actor: str
    text: str
    told: bool  # its sentence is a statement of the record
    labels: Mapping[str, str] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """An alert's name."""
        return str(self.data.get("name") or "")

    @property
    def by_machine(self) -> bool:
        """Whether a machine recorded it."""
        return self.actor.startswith("source:") or self.raw.startswith(
            ("alert_", "step_", "access_")
        )

    @property
    def noticed(self) -> Noticed:
        """Through whom a detection came."""
        if self.by_machine and not self.told:
            return "machine"
        return "third-party" if self.actor == OUTSIDE else noticed_by(self.text)


def rows_of(entries: Sequence[Entry], impact: datetime | None) -> list[Row]:
    """The rows in order; the bot's own messages have no words, and a note counts as it was put right.

    Evidence that lists changes is one row for the last change before the impact, at its own time.
    """
    replaced = corrections(entries)
    rows = [_change(e, impact) or _row(e) for e in entries if e.seq not in replaced]
    return sorted(rows, key=lambda row: (row.at, row.seq))


def _change(entry: Entry, impact: datetime | None) -> Row | None:
    """The change, of those that a piece of evidence lists, that came just before the impact."""
    if entry.kind != "evidence_attached" or impact is None:
        return None
    near = [(at, text) for at, text in _changes(entry.data) if impact - BEFORE <= at <= impact]
    if not near:
        return None
    at, text = max(near)
    return Row(entry.seq, at, True, "trigger", entry.kind, "source:changes", cleaned(text), True)


def _row(entry: Entry) -> Row:
    kind, text, told = _read(entry)
    labels = entry.data.get("labels")
    return Row(
        seq=entry.seq, at=entry.at, known=is_known(entry.at), kind=kind, raw=entry.kind,
        actor=entry.actor, text=text, told=told,
        labels={str(k): str(v) for k, v in labels.items()} if isinstance(labels, dict) else {},
        data=entry.data,
    )  # fmt: skip


def _read(entry: Entry) -> tuple[Kind, str, bool]:
    """Kind, words that may be read, and whether they are statements of the record."""
    if entry.data.get("told"):
        kind = _TOLD.get(entry.kind, "record")
        return kind, cleaned(entry.text), kind != "record" and entry.kind in _TOLD_AS_FACT
    if entry.kind in ("note_added", "message_pinned", "note_corrected"):
        if not entry.actor.startswith("person:"):
            return "said", "", False
        word, colon, rest = entry.text.partition(":")
        noted = _NOTED.get(" ".join(word.lower().split())) if colon else None
        return (noted, cleaned(rest), True) if noted else ("said", cleaned(entry.text), False)
    if entry.kind == "decision_made":
        return "decision", cleaned(entry.text), entry.actor.startswith("person:")
    if entry.kind == "communication_sent":
        return "communication", "", False
    return _live(entry), "", False


def _live(entry: Entry) -> Kind:
    if entry.kind == "status_changed":
        return "recovery" if entry.data.get("to") in _RECOVERED else "record"
    if found := _LIVE.get(entry.kind):
        return found
    return "step" if entry.kind.startswith(_STEPS) else "record"


def _changes(data: Mapping[str, Any]) -> Iterator[tuple[datetime, str]]:
    """The changes that a piece of evidence lists, each with its time."""
    title = str(data.get("title") or "").lower()
    found = data.get("found")
    if not any(word in title for word in ("change", "deploy", "release", "flag", "rollout")):
        return
    for each in found if isinstance(found, list) else []:
        if isinstance(each, dict) and (at := _time(each.get("at"))):
            yield at, str(each.get("text") or "")


def _time(value: object) -> datetime | None:
    try:
        at = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return at.astimezone(UTC) if at.tzinfo else None

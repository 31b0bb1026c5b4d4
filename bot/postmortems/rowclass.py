"""What a row of the record is about: trigger, symptom, decision and so on. Pure.

A kind says which code wrote a row; a class says what a reader may take it for. What a person noted is
classed by the word that the note begins with (``hypothesis: …``), never by what else it says.
"""

from collections.abc import Sequence

from bot.timeline import Entry

CLASSES = (
    "trigger", "symptom", "detection", "action", "decision", "communication", "access attempt",
    "run step", "recovery", "hypothesis", "hypothesis confirmed", "hypothesis dropped", "factor",
    "correction", "evidence", "impact", "task", "clock", "reflection", "question", "said", "record",
)  # fmt: skip

WORDS: dict[str, str] = {  # how a note may begin → its class
    "trigger": "trigger", "symptom": "symptom", "detection": "detection", "detected": "detection",
    "action": "action", "decision": "decision", "decided": "decision", "update": "communication",
    "eta": "communication", "access": "access attempt", "recovery": "recovery",
    "recovered": "recovery", "hypothesis": "hypothesis", "confirmed": "hypothesis confirmed",
    "dropped": "hypothesis dropped", "cause": "factor", "root cause": "factor", "factor": "factor",
    "contributing factor": "factor", "delay": "factor", "delayed recovery": "factor",
    "impact": "impact", "data loss": "impact", "well": "reflection", "went well": "reflection",
    "badly": "reflection", "went badly": "reflection", "lucky": "reflection", "luck": "reflection",
    "question": "question", "open question": "question",
}  # fmt: skip

_KINDS: dict[str, str] = {
    "alert_received": "symptom", "alerts_joined": "symptom", "alerts_moved": "action",
    "incident_declared": "detection", "incident_acknowledged": "action",
    "alert_resolved": "recovery", "alerts_ended": "recovery", "flapping_ended": "recovery",
    "communication_sent": "communication", "customers_update_published": "communication",
    "customers_update_failed": "communication", "customers_update_late": "communication",
    "status_page_differed": "communication", "handover_offered": "communication",
    "handover_noted": "communication", "incident_exported": "communication",
    "access_failed": "access attempt", "bag_merged": "access attempt",
    "glass_reviewed": "access attempt", "decision_made": "decision",
    "severity_changed": "decision", "commander_assigned": "decision", "role_assigned": "decision",
    "role_released": "decision", "run_requested": "decision", "run_approved": "decision",
    "run_refused": "decision", "step_approved": "decision", "step_refused": "decision",
    "run_aborted": "decision", "undo_requested": "decision", "outcome_settled": "decision",
    "freeze_overridden": "decision", "handover_refused": "decision", "silence_set": "action",
    "silence_ended": "action", "service_added": "decision", "service_removed": "decision",
    "incident_merged": "decision", "incident_unmerged": "decision", "manual_settled": "action",
    "link_added": "evidence", "evidence_attached": "evidence", "evidence_missing": "evidence",
    "note_added": "said", "message_pinned": "said", "note_corrected": "correction",
    "note_withdrawn": "correction", "runbook_proposed": "run step",
    "access": "access attempt", "step": "run step", "note": "said", "message": "said", "chat": "said",  # told
}  # fmt: skip
_PREFIXES = (
    ("step_", "run step"), ("run_", "run step"), ("gate_", "run step"), ("guard_", "run step"),
    ("undo_", "run step"), ("manual_", "run step"), ("wait_", "run step"),
    ("approval_", "run step"), ("task_", "task"), ("clock_", "clock"), ("page_", "communication"),
    ("question_", "question"), ("bag_", "access attempt"),
)  # fmt: skip
_RECOVERED = ("monitoring", "resolved", "closed")
_SAID = ("note_added", "message_pinned", "note_corrected")


def noted(row: Entry) -> tuple[str, str]:
    """The word that a person's note begins with, in lower case, and the rest; ("", "") for others."""
    if row.kind not in _SAID or not row.actor.startswith("person:"):
        return "", ""
    word, colon, rest = row.text.partition(":")
    word = " ".join(word.lower().split())
    return (word, rest.strip()) if colon and word in WORDS and rest.strip() else ("", "")


def class_of(row: Entry) -> str:
    """One of `CLASSES`. A row that says its class itself, as a replayed one does, is believed."""
    said = row.data.get("class") or row.kind
    if isinstance(said, str) and said in CLASSES:
        return said
    if word := noted(row)[0]:
        return "correction" if row.kind == "note_corrected" else WORDS[word]
    if row.kind == "status_changed":
        if row.data.get("to") in _RECOVERED:
            return "recovery"
        return "decision"
    if found := _KINDS.get(row.kind):
        return found
    return next((name for start, name in _PREFIXES if row.kind.startswith(start)), "record")


def classes(rows: Sequence[Entry], detected: int | None) -> dict[int, str]:
    """Row → class; the row that the detection is cited from is that, whatever its kind."""
    found = {row.seq: class_of(row) for row in rows}
    if detected in found and found[detected] == "symptom":
        found[detected] = "detection"
    return found


def corrections(rows: Sequence[Entry]) -> dict[int, Entry]:
    """Row that was said → the last row that corrects or withdraws it: both are the same message."""
    by_message: dict[str, int] = {}
    found: dict[int, Entry] = {}
    for row in rows:
        if row.kind in ("note_added", "message_pinned") and row.link:
            by_message[row.link] = row.seq
        elif row.kind in ("note_corrected", "note_withdrawn") and row.link in by_message:
            found[by_message[row.link]] = row
    return found

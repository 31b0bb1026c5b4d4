"""Rows as JSON, the same for the API and for the command line's ``--json``."""

from typing import Any

from bot.incidents import Incident
from bot.timeline import Entry


def incident_json(incident: Incident) -> dict[str, Any]:
    """One incident."""
    return {
        "id": incident.number,
        "title": incident.title,
        "severity": incident.severity,
        "status": incident.status,
        "services": incident.services,
        "drill": incident.drill,
        "commander": incident.commander or None,
        "declared_by": incident.declared_by,
        "declared_at": incident.declared_at.isoformat(),
        "resolved_at": incident.resolved_at.isoformat() if incident.resolved_at else None,
    }


def entry_json(entry: Entry) -> dict[str, Any]:
    """One timeline row."""
    return {
        "seq": entry.seq,
        "at": entry.at.isoformat(),
        "kind": entry.kind,
        "actor": entry.actor,
        "text": entry.text,
        "data": entry.data,
        "link": entry.link,
        "hash": entry.hash,
    }

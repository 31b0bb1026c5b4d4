"""An incident as JSON: the same for the API, the command line's ``--json`` and an export."""

from typing import Any

from bot.incidents.tables import Incident


def incident_json(incident: Incident) -> dict[str, Any]:
    """One incident."""
    return {
        "id": incident.number,
        "title": incident.title,
        "severity": incident.severity,
        "status": incident.status,
        "services": incident.services,
        "drill": incident.drill,
        "private": incident.private,
        "commander": incident.commander or None,
        "roles": incident.roles,
        "links": incident.links,
        "declared_by": incident.declared_by,
        "declared_at": incident.declared_at.isoformat(),
        "resolved_at": incident.resolved_at.isoformat() if incident.resolved_at else None,
        "closed_at": incident.closed_at.isoformat() if incident.closed_at else None,
        "merged_into": incident.merged_into,
    }

"""Incidents: declared, worked on, resolved. Rules are pure; `Incidents` changes the record."""

from bot.incidents.family import family, require_unmerged, under
from bot.incidents.flow import Incidents
from bot.incidents.rules import (
    ACTIVE,
    SEVERITIES,
    STATUSES,
    channel_name,
    check_severity,
    check_title,
    severity_first,
    topic,
)
from bot.incidents.tables import Incident, Task

__all__ = [
    "ACTIVE",
    "SEVERITIES",
    "STATUSES",
    "Incident",
    "Incidents",
    "Task",
    "channel_name",
    "check_severity",
    "check_title",
    "family",
    "require_unmerged",
    "severity_first",
    "topic",
    "under",
]

"""What is due when, from the facts. Pure: no clock, no database."""

from datetime import datetime, timedelta

from bot.catalog import Audience, SeverityRule
from bot.incidents.due_tables import Update
from bot.incidents.rules import ACTIVE
from bot.incidents.tables import Incident


def next_due(
    rule: SeverityRule, incident: Incident, audience: Audience, last: Update | None
) -> datetime | None:
    """When an audience hears next, by the rules of the severity that the incident has now.

    What was promised is kept, unless the severity has changed to one that asks for it earlier.
    """
    if incident.status not in ACTIVE:
        return None
    if last is None or last.sent_at is None:
        first = rule.first(audience)
        return incident.declared_at + timedelta(seconds=first) if first else None
    pace = rule.updates.get(audience)
    regular = last.sent_at + timedelta(seconds=pace) if pace else None
    if last.next_at is None or regular is None:
        return last.next_at or regular
    return last.next_at if last.severity == incident.severity else min(last.next_at, regular)

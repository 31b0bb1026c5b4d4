"""Which open incident an alert belongs to. Pure.

By its group, by its service, or by what that service stands on: where a database fails, the alerts
of all that needs it belong to the database's incident. What is private never joins what is not, and
the other way round: its words would be seen by those who must not, or missed by those who should.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, Protocol, TypeVar

from bot.alerts.rules import Decision
from bot.catalog import Catalog
from bot.catalog.needs import needs

RECENT = timedelta(minutes=10)  # in which a cause may report later than what it brought down


class Open(Protocol):
    """What is asked of an incident, real or simulated."""

    @property
    def open_key(self) -> str | None: ...
    @property
    def services(self) -> list[str]: ...
    @property
    def drill(self) -> bool: ...
    @property
    def private(self) -> bool: ...
    @property
    def declared_at(self) -> datetime: ...


AnIncident = TypeVar("AnIncident", bound=Open)


@dataclass(frozen=True)
class Found(Generic[AnIncident]):
    """The incident, and why, in words; ``adds`` where the alert's service is new to it."""

    incident: AnIncident
    because: str = ""
    adds: bool = False


def belongs(
    catalog: Catalog, decision: Decision, incidents: Sequence[AnIncident], at: datetime
) -> Found[AnIncident] | None:
    """The open incident to join; ``incidents`` are the active ones, oldest first."""
    mine = next((i for i in incidents if i.open_key == decision.group), None)
    if mine is not None:
        return Found(mine)
    if not decision.joins or not decision.service:
        return None
    real = [i for i in incidents if not i.drill and i.private == decision.private]
    for service in (decision.service, *needs(catalog, decision.service)):
        found = next((i for i in real if service in i.services), None)
        if found is not None:
            same = service == decision.service
            return Found(found, "" if same else f"{decision.service} stands on {service}")
    recent = [i for i in real if i.declared_at >= at - RECENT]
    above = next((i for i in recent if decision.service in _below(catalog, i)), None)
    if above is None:
        return None
    because = f"{', '.join(above.services)} stands on {decision.service}"
    return Found(above, because, adds=True)


def _below(catalog: Catalog, incident: Open) -> set[str]:
    return {below for service in incident.services for below in needs(catalog, service)}

"""The incident whose evidence is looked for, and what a look brings."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime

from bot.alerts.evidence.shown import Found
from bot.contract import Graph
from bot.incidents import Incident


@dataclass(frozen=True)
class Opened:
    """What is known of the incident when its evidence is looked for."""

    number: int
    title: str
    services: tuple[str, ...]
    drill: bool
    declared_at: datetime


@dataclass(frozen=True)
class Looked:
    """What one place gave. ``missing`` is why it gave nothing, fit for a person."""

    graphs: list[Graph] = field(default_factory=list)
    found: list[Found] = field(default_factory=list)
    missing: str = ""


@dataclass(frozen=True)
class Place:
    """One place to look at. ``name`` is for people, ``service`` the service that it is asked about.

    ``outside``: it is not Jackline itself, so it may be slow.
    """

    key: str
    name: str
    service: str
    look: Callable[[], Awaitable[Looked]]
    outside: bool = False


def opened(incident: Incident) -> Opened:
    """Of a stored incident; it stays readable when the session is over."""
    return Opened(
        incident.number, incident.title, tuple(incident.services), incident.drill,
        incident.declared_at,
    )  # fmt: skip

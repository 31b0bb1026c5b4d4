"""The content of a draft's own pictures, as data; `bot.postmortems.charts` draws it."""

from dataclasses import dataclass
from datetime import datetime

from bot.contract import Graph


@dataclass(frozen=True)
class Event:
    """A dot on the line of time."""

    at: datetime
    label: str
    mark: bool = False


@dataclass(frozen=True)
class Stretch:
    """A phase or a silence, from when to when."""

    name: str
    start: datetime
    end: datetime


@dataclass(frozen=True)
class Bar:
    """A time of the response clock, in minutes after the impact started."""

    label: str
    start: float
    length: float


@dataclass(frozen=True)
class Plots:
    """Both pictures; one without content is not drawn, and its name is empty."""

    title: str = ""
    timeline: str = ""
    clock: str = ""
    metrics: str = ""
    phases: tuple[Stretch, ...] = ()
    gaps: tuple[Stretch, ...] = ()
    events: tuple[Event, ...] = ()
    bars: tuple[Bar, ...] = ()
    graphs: tuple[Graph, ...] = ()

"""One set of rules over the alerts that were accepted, in their order. Pure.

It decides by `bot.alerts.deciding.judge`, as the router does, at the time when each alert came. What
depends on people is taken from the record, see `Simulated.due`.
"""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from bot.alerts.deciding import Key, judge, longest
from bot.alerts.flapping import CHANGES, Change, calm_at, recent
from bot.alerts.grouping import Found
from bot.alerts.heartbeats import signs
from bot.alerts.holding import Hold, holds
from bot.alerts.rules import Decision, decide
from bot.alerts.tables import Silence, earlier
from bot.catalog import Catalog
from bot.incidents import Incident
from bot.incidents.rules import worst


class Accepted(NamedTuple):
    """A stored alert, as it is replayed; ``incident_id`` is where it went."""

    id: int
    source: str
    fingerprint: str
    status: str
    name: str
    labels: dict[str, str]
    starts_at: datetime
    ends_at: datetime | None
    received_at: datetime
    incident_id: int | None


@dataclass(frozen=True)
class Record:
    """What is taken as it was.

    ``ends``: of each incident, when it ended, None if it has not. ``given``: those that people
    declared, and those that were open when the replay begins; ``firing``: what fires in them then, and
    since when.
    """

    since: datetime
    silences: list[Silence]
    ends: dict[int, datetime | None]
    given: list[Incident]
    firing: dict[Key, tuple[int, datetime]]


@dataclass
class Simulated:
    """An incident of a replay. ``opened_by`` is an alert, None for a given one.

    ``number`` is the record's, or the alert's below 0: the same in each replay. ``graver`` is what
    raised its severity, and by which rule.
    """

    number: int
    severity: str
    services: list[str]
    open_key: str | None
    declared_at: datetime
    drill: bool = False
    private: bool = False
    opened_by: Accepted | None = None
    graver: str = ""
    alerts: int = 0
    fires: set[Key] = field(default_factory=set)
    ended_at: datetime | None = None  # since when none fires
    quiets: set[float | None] = field(default_factory=set)
    flapping: dict[Key, datetime] = field(default_factory=dict)  # the last change of each
    known: set[int] = field(default_factory=set)  # the record's incidents of its alerts

    @property
    def quiet(self) -> float | None:
        """For how many seconds its alerts must have ended before its rules resolve it."""
        return longest(self.quiets)

    def due(self, ends: dict[int, datetime | None]) -> datetime | None:
        """When it ends, as it stands.

        When all of the record's incidents that its alerts belong to have ended; when its rules resolve
        it; and, where the record has no incident for any of them, as soon as none fires.
        """
        found = []
        people = [ends.get(number) for number in self.known]
        if people and None not in people:
            found.append(max(end for end in people if end is not None))
        if self.ended_at is not None and not people:
            found.append(self.ended_at)
        if self.ended_at is not None and self.quiet is not None:
            calm = (calm_at(last) for last in self.flapping.values())
            found.append(max([self.ended_at + timedelta(seconds=self.quiet), *calm]))
        return min(found, default=None)


@dataclass(frozen=True)
class Placed:
    """Where a firing alert went, and why; nowhere, if it opened and joined nothing."""

    simulated: Simulated | None
    because: str


class Replay:
    """`take` the alerts one after the other; ``placed`` has what became of each that fired."""

    def __init__(self, catalog: Catalog, record: Record) -> None:
        self.catalog = catalog
        self.record = record
        self.placed: dict[int, Placed] = {}
        self.opened: dict[int, tuple[Accepted, Simulated]] = {}  # by the id of the alert
        self._active: list[Simulated] = []  # oldest first, as the router has them
        self._firing: dict[Key, Simulated] = {}
        self._since: dict[Key, datetime] = {}  # the start of the last firing of each
        self._changes: dict[Key, list[Change]] = {}
        self._held: dict[Key, list[Accepted]] = {}
        self._holds = _Timetable(catalog, record.silences)
        self._next_end: datetime | None = None
        self._coming = sorted(record.given, key=lambda incident: incident.declared_at)
        self._clock = record.since
        self._begin()

    def take(self, alert: Accepted) -> None:
        """The next alert, in the order of their ids."""
        at = alert.received_at
        self._pass_time(at)
        key = alert.source, alert.fingerprint
        if signs(self.catalog, alert.name, alert.labels, alert.source):
            if alert.status == "firing":
                self.placed[alert.id] = Placed(None, "a sign of life of a heartbeat")
        elif alert.status == "resolved":
            if earlier(alert.starts_at, alert.ends_at, self._since.get(key, alert.starts_at)):
                return
            self._held.pop(key, None)
            simulated = self._firing.pop(key, None)
            if simulated is not None:
                self._end(simulated, key, at)
        else:
            self._since[key] = alert.starts_at
            self._fire(alert, key, at)

    def finish(self, at: datetime) -> None:
        """The time until now: what is released then, and what ends."""
        self._pass_time(at)

    def _begin(self) -> None:
        self._open_given(self.record.since)
        open_then = {each.number: each for each in self._active}
        for key, (number, since) in self.record.firing.items():
            if (simulated := open_then.get(number)) is not None:
                simulated.fires.add(key)
                self._since[key] = since
                self._firing[key] = simulated

    def _fire(self, alert: Accepted, key: Key, at: datetime) -> None:
        decision = decide(self.catalog, alert.name, alert.labels, alert.source)
        verdict = judge(self.catalog, alert, decision, self._holds.on(at), self._active, at)
        if verdict.hold:
            self._held.setdefault(key, []).append(alert)
        if not verdict.routes:
            declares = "" if verdict.decision.declare else " says declare: no"
            self.placed[alert.id] = Placed(None, f"{verdict.because}{declares}")
            return
        if verdict.found:
            simulated = self._join(alert, verdict.decision, verdict.found)
        else:
            simulated = self._declare(alert, verdict.decision, at)
        self.placed[alert.id] = Placed(simulated, verdict.because)
        self._firing[key] = simulated
        simulated.alerts += 1
        simulated.fires.add(key)
        simulated.ended_at = None
        simulated.quiets.add(verdict.decision.quiet)
        if alert.incident_id is not None:
            simulated.known.add(alert.incident_id)
        self._changed(simulated, key, Change(at, firing=True))

    def _join(self, alert: Accepted, decision: Decision, found: Found[Simulated]) -> Simulated:
        simulated = found.incident
        if found.adds:
            simulated.services = [*simulated.services, decision.service]
        if worst([simulated.severity, decision.severity]) != simulated.severity:
            simulated.severity = decision.severity
            simulated.graver = f"{decision.severity} by {alert.name}: {decision.because}"
        return simulated

    def _declare(self, alert: Accepted, decision: Decision, at: datetime) -> Simulated:
        services = [decision.service] if decision.service else []
        simulated = Simulated(
            -alert.id, decision.severity, services, decision.group, at, opened_by=alert,
            private=decision.private,
        )  # fmt: skip
        self.opened[alert.id] = alert, simulated
        self._active.append(simulated)
        return simulated

    def _end(self, simulated: Simulated, key: Key, at: datetime) -> None:
        simulated.fires.discard(key)
        if not simulated.fires:
            simulated.ended_at = at
        self._changed(simulated, key, Change(at, firing=False))

    def _changed(self, simulated: Simulated, key: Key, change: Change) -> None:
        """Keeps what flapping goes by, and looks when the incident ends now."""
        at = change.at
        self._changes[key] = [*recent(self._changes.get(key, []), at), change]
        last = simulated.flapping.get(key)
        if (last and at < calm_at(last)) or len(self._changes[key]) >= CHANGES:
            simulated.flapping[key] = at
        self._watch(simulated)

    def _watch(self, simulated: Simulated) -> None:
        due = simulated.due(self.record.ends)
        if due is not None:
            self._next_end = min(due, self._next_end or due)

    def _pass_time(self, at: datetime) -> None:
        """What happens without an alert until then: silences begin and end, incidents do."""
        for moment in self._holds.between(self._clock, at):
            self._come_to(moment)
            held, self._held = self._held, {}
            for alert in sorted((a for some in held.values() for a in some), key=lambda a: a.id):
                self._fire(alert, (alert.source, alert.fingerprint), moment)
        self._come_to(at)

    def _come_to(self, at: datetime) -> None:
        self._clock = max(self._clock, at)
        self._open_given(at)
        if self._next_end is None or at < self._next_end:
            return
        self._next_end = None
        before, self._active = self._active, []
        for simulated in before:
            due = simulated.due(self.record.ends)
            if due is None or due > at:
                self._active.append(simulated)
                self._watch(simulated)

    def _open_given(self, at: datetime) -> None:
        while self._coming and self._coming[0].declared_at <= at:
            given = self._coming.pop(0)
            simulated = Simulated(
                given.number, given.severity, given.services, given.trigger.get("group"),
                given.declared_at, given.drill, given.private, known={given.number},
                quiets={None},  # its end is the record's
            )  # fmt: skip
            self._active.append(simulated)
            self._watch(simulated)


class _Timetable:
    """What holds alerts back at which time."""

    def __init__(self, catalog: Catalog, silences: Iterable[Silence]) -> None:
        self.catalog = catalog
        self.spans = [(s, s.since, min(s.until, s.ended_at or s.until)) for s in silences]
        moments = {moment for _, since, until in self.spans for moment in (since, until)}
        moments |= {m for window in catalog.maintenance for m in (window.since, window.until)}
        self.moments = sorted(moments)
        self._at: dict[int, list[Hold]] = {}

    def on(self, at: datetime) -> list[Hold]:
        """All of them; they are the same between two of the moments."""
        place = bisect_right(self.moments, at)
        if place not in self._at:
            on = [silence for silence, since, until in self.spans if since <= at < until]
            self._at[place] = holds(self.catalog, on, at)
        return self._at[place]

    def between(self, after: datetime, until: datetime) -> list[datetime]:
        """The moments at which something begins or ends."""
        return self.moments[bisect_right(self.moments, after) : bisect_right(self.moments, until)]

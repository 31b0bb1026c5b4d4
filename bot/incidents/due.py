"""What is due when, and who is reminded of it, from the facts. Pure: no clock, no database."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.catalog import AUDIENCES, Audience, Catalog, SeverityRule
from bot.incidents.due_tables import Reminder, Update
from bot.incidents.rules import ACTIVE
from bot.incidents.seeing import belonging, called
from bot.incidents.tables import Incident

ALL = "*"  # what is put off: everything
KINDS = (
    "update", "acknowledge", "commander", "idle", "task", "follow_up", "postmortem", "meeting", "clock",
)  # fmt: skip
_MENTIONED = 5  # persons at most
_M, _H, _D = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
# When of a thing's due time people are reminded: seldomer each time, and not more often than this.
_TIMES: dict[str, tuple[timedelta, ...]] = {
    "update": (-5 * _M, 0 * _M, 15 * _M, _H),
    "acknowledge": (0 * _M, 10 * _M, 30 * _M),
    "commander": (0 * _M, 15 * _M, _H),
    "idle": (0 * _M, _H, 4 * _H),
    "task": (0 * _M, _H, _D),
    "follow_up": (0 * _M, _D, 3 * _D),
    "postmortem": (-_D, 0 * _M, _D, 3 * _D),
    "meeting": (-_D, -_H),
    "clock": (-_D, -4 * _H, -_H, 0 * _M, 4 * _H),
}


@dataclass(frozen=True)
class OpenTask:
    """A task that is not finished. ``button``: label, action id and value of what finishes it.

    A ``follow_up`` is done after the incident has ended.
    """

    incident_id: int
    id: int
    title: str
    owner: str
    due_at: datetime
    follow_up: bool = False
    button: tuple[str, str, str] | None = None


@dataclass(frozen=True)
class Deadline:
    """A legal clock that runs: ``id`` is that of its law and duty, such as ``gdpr:authority``."""

    id: str
    title: str
    at: datetime
    since: datetime


@dataclass(frozen=True)
class Paper:
    """How far the postmortem is: whether it is ``final``, who has it, and who meets about it when."""

    final: bool = False
    owner: str = ""
    meeting_at: datetime | None = None
    people: Sequence[str] = ()


@dataclass(frozen=True)
class Facts:
    """All that reminders of one incident go by.

    ``acted`` are the persons who said or did something, the last one first, and ``acted_at`` when.
    """

    incident: Incident
    acted: Sequence[str] = ()
    acted_at: datetime | None = None
    sent: Mapping[str, Update] = field(default_factory=dict)
    tasks: Sequence[OpenTask] = ()
    deadlines: Sequence[Deadline] = ()
    reminders: Mapping[str, Reminder] = field(default_factory=dict)
    paper: Paper = Paper()


@dataclass(frozen=True)
class Wish:
    """One thing that people are reminded of around ``at``, until it is done.

    ``since``: from when on it was to be expected; no reminder is about a time before that.
    """

    what: str
    occasion: str
    at: datetime
    since: datetime
    words: str
    owner: str = ""
    button: tuple[str, str, str] | None = None
    also: Sequence[str] = ()

    @property
    def kind(self) -> str:
        """``update`` of ``update:customers``."""
        return self.what.partition(":")[0]

    def passed(self, at: datetime) -> int:
        """How many of its times have come."""
        times = [self.at + t for t in _TIMES[self.kind] if self.at + t >= self.since]
        return sum(time <= at for time in times)

    def last(self, number: int) -> bool:
        """Whether no further one follows."""
        return number >= sum(self.at + t >= self.since for t in _TIMES[self.kind])


@dataclass(frozen=True)
class Due:
    """One reminder to be sent now: the ``number``-th of its occasion, to these persons.

    ``key`` is its own in its occasion, also where one that was put off comes again.
    """

    wish: Wish
    number: int
    to: list[str]
    key: str


def due(facts: Facts, catalog: Catalog, at: datetime) -> list[Due]:
    """The reminders that are to be sent at this time and were not yet.

    Of several times that have passed, as after an outage, only the last one counts.
    """
    found = []
    for wish in wishes(facts, catalog):
        number, key = wish.passed(at), str(wish.passed(at))
        row = facts.reminders.get(wish.what)
        if row and row.occasion == wish.occasion:
            again = _again(facts, wish, row)
            if row.stopped_by or (number <= row.sent and not again):
                continue
            key += f"-{_at(again)}" if again else ""
        to = whom(facts, catalog, wish, number)
        off = (until := _put_off(facts, wish)) is not None and until > at
        if number and not off and not _asleep(facts, catalog, wish, to, at):
            found.append(Due(wish, number, to, key))
    return found


def wishes(facts: Facts, catalog: Catalog) -> list[Wish]:
    """All that is not done, whether its time has come or not."""
    incident, rule = facts.incident, catalog.severity(facts.incident.severity)
    found = list(_deadlines(facts))
    if incident.merged_into is not None:
        return found
    if incident.status in ACTIVE:
        found += [*_updates(facts, rule), *_people(facts, rule)]
    found += _tasks(facts)
    found += _meeting(facts)
    until = paper_due(incident, rule)
    if until and incident.resolved_at and not facts.paper.final:
        words = f"The postmortem is due by {until:%Y-%m-%d %H:%M} UTC: review it, then close #{incident.number}."
        found.append(
            Wish("postmortem", _at(incident.resolved_at), until, incident.resolved_at, words,
                 facts.paper.owner)
        )  # fmt: skip
    return found


def paper_due(incident: Incident, rule: SeverityRule) -> datetime | None:
    """By when its postmortem is to be final; None where nobody asks for it, or not yet."""
    if incident.status != "resolved" or not incident.resolved_at or not rule.postmortem_within:
        return None
    return incident.resolved_at + timedelta(seconds=rule.postmortem_within)


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
        return incident.graded_at + timedelta(seconds=first) if first else None
    pace = rule.updates.get(audience)
    regular = last.sent_at + timedelta(seconds=pace) if pace else None
    changed = last.severity != incident.severity
    if regular is not None and changed:  # nobody is late for what was not asked of them before
        regular = max(regular, incident.graded_at)
    if last.next_at is None or regular is None:
        return last.next_at or regular
    return min(last.next_at, regular) if changed else last.next_at


def whom(facts: Facts, catalog: Catalog, wish: Wish, number: int) -> list[str]:
    """The owner; else the commander; else who was there last; else who belongs there.

    The last time, those whom the severity calls hear of it too.
    """
    incident = facts.incident
    if wish.owner or wish.also:
        first = [wish.owner, *wish.also]
    elif incident.commander and wish.kind != "acknowledge":
        first = [incident.commander]
    else:
        first = [*facts.acted[:3]] or belonging(catalog, incident)
    if wish.last(number) and not (wish.owner or wish.also):
        first += called(catalog, incident)[0]
    return [each for each in dict.fromkeys(first) if catalog.person(each)][:_MENTIONED]


def _updates(facts: Facts, rule: SeverityRule) -> Iterator[Wish]:
    incident = facts.incident
    for audience in AUDIENCES:
        last = facts.sent.get(audience)
        at = next_due(rule, incident, audience, last)
        if at is None:
            continue
        since = last.sent_at if last and last.sent_at else incident.graded_at
        whose = "" if audience == "internal" else f" to {audience}"
        yield Wish(
            f"update:{audience}", f"{last.number if last else 0}-{incident.severity}", at, since,
            f"The next update{whose} is due at {at:%H:%M} UTC.",
            button=("Write it", "update_write", f"{incident.number}|{audience}"),
        )  # fmt: skip


def _people(facts: Facts, rule: SeverityRule) -> Iterator[Wish]:
    """One at a time: where nobody is there at all, nobody is asked to take command."""
    incident, number = facts.incident, str(facts.incident.number)
    begun = incident.graded_at  # a graver one asks anew
    there = bool(incident.commander) or (rule.acknowledged_by == "anyone" and bool(facts.acted))
    if not there and rule.acknowledge_within:
        words = f"Nobody has taken this up since {incident.declared_at:%H:%M} UTC."
        button = ("I am on it", "incident_ack", number)
        if rule.acknowledged_by == "commander":
            button = ("Take command", "incident_lead", number)
        at = begun + timedelta(seconds=rule.acknowledge_within)
        yield Wish("acknowledge", incident.severity, at, begun, words, button=button)
        return
    if not incident.commander and rule.commander_within:
        at = begun + timedelta(seconds=rule.commander_within)
        yield Wish(
            "commander", incident.severity, at, begun, "Nobody is in command here.",
            button=("Take command", "incident_lead", number),
        )  # fmt: skip
    if rule.idle_after:
        acted = facts.acted_at or begun
        words = f"Nothing was said or done here since {acted:%H:%M} UTC."
        at = acted + timedelta(seconds=rule.idle_after)
        yield Wish("idle", _at(acted), at, acted, words,
                   button=("Still at it", "incident_ack", number))  # fmt: skip


def _tasks(facts: Facts) -> Iterator[Wish]:
    """Tasks as long as the incident goes on, follow-ups after it."""
    going = facts.incident.status in ACTIVE
    for task in facts.tasks:
        if task.follow_up is not going:
            kind = "follow_up" if task.follow_up else "task"
            words = f"Due at {task.due_at:%Y-%m-%d %H:%M} UTC and not done: {task.title}"
            yield Wish(f"{kind}:{task.id}", _at(task.due_at), task.due_at, task.due_at, words,
                       task.owner, task.button)  # fmt: skip


def _meeting(facts: Facts) -> Iterator[Wish]:
    """Those who review the postmortem are reminded before they meet."""
    paper, incident = facts.paper, facts.incident
    if paper.meeting_at is not None and not paper.final:
        words = f"The postmortem of #{incident.number} is talked about at {paper.meeting_at:%Y-%m-%d %H:%M} UTC: read it before."
        since = incident.resolved_at or incident.declared_at
        yield Wish("meeting", _at(paper.meeting_at), paper.meeting_at, since, words,
                   paper.owner, also=paper.people)  # fmt: skip


def _deadlines(facts: Facts) -> Iterator[Wish]:
    for each in facts.deadlines:
        words = f"{each.title}: due by {each.at:%Y-%m-%d %H:%M} UTC."
        button = ("It is submitted", "clock_done", f"{facts.incident.number}|{each.id}")
        yield Wish(f"clock:{each.id}", _at(each.at), each.at, each.since, words, button=button)


def _put_off(facts: Facts, wish: Wish) -> datetime | None:
    """Until when, by itself, with its kind or with all."""
    rows = (facts.reminders.get(name) for name in (wish.what, wish.kind, ALL))
    return max((r.snoozed_until for r in rows if r and r.snoozed_until), default=None)


def _again(facts: Facts, wish: Wish, row: Reminder) -> datetime | None:
    """Who puts one off wants to hear of it once more: when that time was over."""
    until = _put_off(facts, wish)
    return until if until and row.sent_at and until > row.sent_at else None


def _asleep(facts: Facts, catalog: Catalog, wish: Wish, to: list[str], at: datetime) -> bool:
    """Whether it waits for the morning of who is reminded. The law does not sleep."""
    night = catalog.severity(facts.incident.severity).night
    if night is None or wish.kind == "clock":
        return False
    person = catalog.person(to[0]) if to else None
    return night.covers(at, person.timezone if person and person.timezone != "UTC" else "")


def _at(at: datetime) -> str:
    return f"{at:%Y%m%dT%H%M%S}"

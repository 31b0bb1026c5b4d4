"""Who is on call at a time, and when that changes. Pure.

What this works with is the clock on people's wall: a hand-over at 9:00 is one at 9:00 also after the
clocks have changed, and an hour that comes twice is one hour of somebody's turn.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from threading import Lock
from zoneinfo import ZoneInfo

from bot.catalog.oncall import WEEKDAYS, Layer, Schedule
from bot.catalog.schedule import occurrences, zone

_DAY = timedelta(days=1)
_MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True)
class Stand:
    """Somebody stands in, UTC: an override. ``number`` is that of one set from chat, else 0."""

    person: str
    since: datetime
    until: datetime
    number: int = 0


@dataclass(frozen=True)
class Shift:
    """From ``since`` up to ``until``, UTC; ``person`` is empty while nobody is on call."""

    person: str
    since: datetime
    until: datetime


def on_call(schedule: Schedule, at: datetime, stands: Sequence[Stand] = ()) -> str:
    """The id of who is on call; empty for nobody. Of ``stands`` the last goes first.

    Raises `Unavailable` on a host that has no time zones.
    """
    for stand in reversed([*written(schedule), *stands]):
        if stand.since <= at < stand.until:
            return stand.person
    tz = zone(schedule.timezone)
    for layer in reversed(schedule.layers):
        if person := _turn(layer, tz, at):
            return person
    return ""


def shifts(
    schedule: Schedule, since: datetime, until: datetime, stands: Sequence[Stand] = ()
) -> list[Shift]:
    """All of a stretch of time, in order and without a hole: who is on call, or nobody."""
    edges = {since, *_edges(schedule, since, until)}
    for stand in [*written(schedule), *stands]:
        edges |= {stand.since, stand.until}
    found: list[Shift] = []
    for at in sorted(each for each in edges if since <= each < until):
        person = on_call(schedule, at, stands)
        if found and found[-1].person == person:
            continue
        if found:
            found[-1] = Shift(found[-1].person, found[-1].since, at)
        found.append(Shift(person, at, until))
    return found


def written(schedule: Schedule) -> list[Stand]:
    """The overrides that stand in the catalog."""
    return [
        Stand(each.person, schedule.moment(each.since), schedule.moment(each.until))
        for each in schedule.overrides
    ]


def overlapping(stands: Sequence[Stand]) -> tuple[int, int] | None:
    """The places of two that hold at one time, the later one first; None where there are none."""
    order = sorted(range(len(stands)), key=lambda place: stands[place].since)
    for one, other in pairwise(order):
        if stands[other].since < stands[one].until:
            return max(one, other), min(one, other)
    return None


def _turn(layer: Layer, tz: ZoneInfo, at: datetime) -> str:
    local = at.astimezone(tz)
    if local.date() < layer.since or (layer.until and local.date() >= layer.until):
        return ""
    if not _open(layer, local):
        return ""
    number = _number(layer, tz, at)
    return layer.people[number % len(layer.people)] if number >= 0 else ""


def _open(layer: Layer, local: datetime) -> bool:
    """Whether its hours and weekdays hold."""
    day, window = local.date(), layer.window
    if window is not None:
        since, until = window
        moment = local.time()
        if since < until:
            inside = since <= moment < until
        else:
            inside = moment >= since or moment < until
            day -= _DAY if moment < until else timedelta()
        if not inside:
            return False
    return not layer.weekdays or WEEKDAYS[day.weekday()] in layer.weekdays


def _number(layer: Layer, tz: ZoneInfo, at: datetime) -> int:
    """How many hand-overs there were after the first; negative before it."""
    if layer.handover:
        return bisect_right(_handovers(layer.handover, tz.key, layer.since).until(at), at) - 1
    if not layer.every:
        return 0
    first, naive = _first(layer), at.astimezone(tz).replace(tzinfo=None)
    number = (naive - first) // layer.step
    # the wall's clock may have been put back since, or forward
    while _utc(first + number * layer.step, tz) > at:
        number -= 1
    while _utc(first + (number + 1) * layer.step, tz) <= at:
        number += 1
    return number


def _first(layer: Layer) -> datetime:
    hour, _, minute = layer.at.partition(":")
    return datetime.combine(layer.since, time(int(hour), int(minute)))


def _utc(naive: datetime, tz: ZoneInfo) -> datetime:
    return naive.replace(tzinfo=tz, fold=0).astimezone(UTC)


class _Handovers:
    """The hand-overs of a cron line, found as far as they were asked for."""

    def __init__(self, line: str, tz: str, since: date) -> None:
        begin = _utc(datetime.combine(since, time()), zone(tz))
        self._coming = _once(occurrences(line, tz, begin - _MOMENT), zone(tz))
        self._found = [next(self._coming)]
        self._lock = Lock()  # the catalog is checked in a thread

    def until(self, at: datetime) -> list[datetime]:
        """All up to ``at``, and the one after it."""
        with self._lock:
            while self._found[-1] <= at:
                self._found.append(next(self._coming))
            return self._found


def _once(coming: Iterator[datetime], tz: ZoneInfo) -> Iterator[datetime]:
    """Each time on the wall's clock once, also where it comes twice."""
    before = None
    for at in coming:
        naive = at.astimezone(tz).replace(tzinfo=None)
        if before is None or naive > before:
            before = naive
            yield at


@lru_cache(maxsize=256)
def _handovers(line: str, tz: str, since: date) -> _Handovers:
    return _Handovers(line, tz, since)


def _edges(schedule: Schedule, since: datetime, until: datetime) -> Iterator[datetime]:
    """Every time at which it may change by its layers; some at which it does not."""
    tz = zone(schedule.timezone)
    days = list(_days(since.astimezone(tz).date() - _DAY, until.astimezone(tz).date() + _DAY))
    for layer in schedule.layers:
        yield from _utc_all((datetime.combine(day, time()) for day in days), tz)
        for edge in layer.window or ():
            yield from _utc_all((datetime.combine(day, edge) for day in days), tz)
        if layer.handover:
            found = _handovers(layer.handover, tz.key, layer.since).until(until)
            yield from found[bisect_right(found, since) : bisect_right(found, until)]
        elif layer.every:
            number = max(0, _number(layer, tz, since))
            while (at := _utc(_first(layer) + number * layer.step, tz)) < until:
                yield at
                number += 1
    for day in days:  # hours that the clocks leave out, or have twice, may begin or end in between
        begin, end = (_utc(datetime.combine(each, time()), tz) for each in (day, day + _DAY))
        if end - begin != _DAY:
            yield from (begin + timedelta(minutes=15 * n) for n in range((end - begin) // timedelta(minutes=15)))  # fmt: skip


def _utc_all(naive: Iterable[datetime], tz: ZoneInfo) -> Iterator[datetime]:
    return (_utc(each, tz) for each in naive)


def _days(first: date, last: date) -> Iterator[date]:
    while first <= last:
        yield first
        first += _DAY

"""What is not wrong and still should be known: times without anybody on call, people nobody can reach."""

from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from bot.catalog.escalation import Level, kind_of
from bot.catalog.files import entries
from bot.catalog.model import Catalog
from bot.catalog.oncall import Schedule
from bot.catalog.read import catalog_files
from bot.catalog.rota import Shift, Stand, shifts
from bot.catalog.schedule import zone
from bot.errors import Unavailable
from bot.located import Problem

AHEAD = timedelta(weeks=5)  # how far is looked: over a month's end


def gaps(
    schedule: Schedule, at: datetime, stands: tuple[Stand, ...] | list[Stand] = ()
) -> list[Shift]:
    """When nobody is on call in the weeks to come. Raises `Unavailable` without time zones."""
    return [s for s in shifts(schedule, at, at + AHEAD, stands) if not s.person]


def gap_words(schedule: Schedule, found: list[Shift]) -> str:
    """The first gap by its times, and how many there are; empty where there is none."""
    if not found:
        return ""
    tz = zone(schedule.timezone)
    since, until = (each.astimezone(tz) for each in (found[0].since, found[0].until))
    more = f", and {len(found) - 1} more times" if len(found) > 1 else ""
    weeks = AHEAD // timedelta(weeks=1)
    return (
        f"nobody is on call from {since:%a %Y-%m-%d %H:%M} to {until:%a %Y-%m-%d %H:%M %Z}{more} "
        f"in the next {weeks} weeks"
    )


def warnings(folder: Path, catalog: Catalog, at: datetime) -> list[Problem]:
    """What `jackline check` says besides errors, by file and line."""
    found = []
    for path in catalog_files(folder) if catalog.schedules or catalog.escalations else ():
        for section, entry, origin in entries(path):
            if section == "schedules" and (schedule := catalog.schedule(str(entry["id"]))):
                with suppress(Unavailable):  # a host without time zones can check all else
                    if words := gap_words(schedule, gaps(schedule, at)):
                        found.append(origin.problem(["layers"], words).problem)
            elif section == "escalations" and (policy := catalog.escalation(str(entry["id"]))):
                if policy is catalog.escalations[0] and all(
                    p.services for p in catalog.escalations
                ):
                    text = "an incident of no service pages nobody: write one without services"
                    found.append(origin.problem(["services"], text).problem)
                for place, level in enumerate(policy.levels):
                    if names := unreached(catalog, level):
                        text = f"{', '.join(names)} cannot be reached so: see `reach` of people"
                        found.append(origin.problem(["levels", place, "who"], text).problem)
    return found


def unreached(catalog: Catalog, level: Level) -> list[str]:
    """The ids of people who may be meant, and have no address by which the level may page."""
    people = [p for who in level.who for p in _meant(catalog, who)]
    return [
        person.id
        for person in catalog.people
        if person.id in people
        and not any(not level.by or r.notifier in level.by for r in person.reach)
    ]


def _meant(catalog: Catalog, who: str) -> list[str]:
    """Everybody that somebody may ever stand for."""
    kind, name = kind_of(who)
    schedule = catalog.schedule(name) if kind == "schedule" else None
    if schedule is not None:
        named = {p for layer in schedule.layers for p in layer.people}
        return catalog.among(named | {o.person for o in schedule.overrides})
    return [] if kind in ("schedule", "notifier") else catalog.among([name])

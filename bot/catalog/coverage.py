"""What a person should know of on-call schedules that are not wrong: times without anybody. Pure."""

from datetime import datetime, timedelta
from pathlib import Path

from bot.catalog.files import entries
from bot.catalog.model import Catalog
from bot.catalog.oncall import Schedule
from bot.catalog.read import catalog_files
from bot.catalog.rota import Shift, Stand, shifts
from bot.catalog.schedule import zone
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
    for path in catalog_files(folder) if catalog.schedules else ():
        for section, entry, origin in entries(path):
            if section != "schedules" or not (schedule := catalog.schedule(str(entry["id"]))):
                continue
            if words := gap_words(schedule, gaps(schedule, at)):
                found.append(origin.problem(["layers"], words).problem)
    return found

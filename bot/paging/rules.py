"""Who is paged, by what, and what comes next. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.catalog import Catalog
from bot.catalog.escalation import Escalation, Level, kind_of
from bot.catalog.rota import Stand, on_call
from bot.errors import NotFound, Unavailable
from bot.located import near

AGAIN = 3  # times that somebody who is paged by hand is tried


@dataclass(frozen=True)
class Target:
    """One address that is paged; ``person`` is empty where the notifier's own are."""

    notifier: str
    to: str
    person: str = ""


@dataclass(frozen=True)
class Wanted:
    """Whom a page is for: its levels, how often they are gone through, and its name for people."""

    name: str
    levels: Sequence[Level]
    repeat: int
    policy: str = ""


def policies(catalog: Catalog, severity: str, services: Iterable[str]) -> list[Escalation]:
    """The policies that an incident pages by."""
    wanted = set(services)
    mine = [p for p in catalog.escalations if wanted & set(p.services)]
    found = mine or [p for p in catalog.escalations if not p.services]
    return [p for p in found if severity in p.severity]


def wanted(catalog: Catalog, name: str) -> list[Wanted]:
    """Whom a person means who pages by hand: a policy, a service's policies, a person, group or schedule.

    Raises `NotFound` with the nearest name.
    """
    plain = name.strip().lower().removeprefix("schedule:")
    if policy := catalog.escalation(plain):
        return [of_policy(policy)]
    if catalog.service(plain):
        mine = [p for p in catalog.escalations if plain in p.services]
        if found := mine or [p for p in catalog.escalations if not p.services]:
            return [of_policy(p) for p in found]
    who = f"schedule:{plain}" if catalog.schedule(plain) else plain
    if who == plain and not catalog.among([plain]):
        known = [e.id for section in (catalog.people, catalog.schedules, catalog.escalations)
                 for e in section]  # fmt: skip
        raise NotFound(
            f"There is nobody {name[:64]!r} to page{near(plain, known) or '.'}",
            hint="Say a person, a @group, a schedule, an escalation, or a service that has one.",
        )
    return [Wanted(name_of(catalog, who), [Level(who=[who])], AGAIN)]


def of_policy(policy: Escalation) -> Wanted:
    """What stays as it is while the page is open, whatever becomes of the catalog."""
    return Wanted(policy.name, policy.levels, policy.repeat, policy.id)


def people_of(
    catalog: Catalog, who: str, at: datetime, stands: Mapping[str, Sequence[Stand]]
) -> list[str]:
    """The ids of the people that somebody stands for at a time; none for a notifier."""
    kind, name = kind_of(who)
    if kind == "schedule":
        schedule = catalog.schedule(name)
        try:
            person = on_call(schedule, at, stands.get(name, ())) if schedule else ""
        except Unavailable:  # this host has no time zones: the next level is asked, and it is said
            person = ""
        return [person] if person else []
    return [] if kind == "notifier" else catalog.among([name])


def targets(
    catalog: Catalog, level: Level, at: datetime, stands: Mapping[str, Sequence[Stand]]
) -> list[Target]:
    """All addresses of a level, each once, in the level's order."""
    found: dict[tuple[str, str], Target] = {}
    for who in level.who:
        kind, name = kind_of(who)
        notifier = catalog.notifier(name) if kind == "notifier" else None
        for to in notifier.to if notifier else ():
            found.setdefault((name, to), Target(name, to))
        for person_id in people_of(catalog, who, at, stands):
            person = catalog.person(person_id)
            for reach in person.reach if person else ():
                if not level.by or reach.notifier in level.by:
                    key = (reach.notifier, reach.to)
                    found.setdefault(key, Target(*key, person_id))
    return list(found.values())


def name_of(catalog: Catalog, who: str) -> str:
    """Whom somebody stands for, for people."""
    kind, name = kind_of(who)
    if kind == "schedule":
        schedule = catalog.schedule(name)
        return schedule.name if schedule else name
    person = catalog.person(name)
    return person.name if person else name


def stored(levels: Iterable[Level]) -> list[dict[str, Any]]:
    """As a page keeps them."""
    return [{"who": e.who, "after": e.after, "by": e.by} for e in levels]


def level_of(levels: Sequence[Mapping[str, Any]], step: int) -> Level:
    """The level of a step, which count on over all repetitions."""
    kept = levels[step % len(levels)]
    return Level.model_construct(who=kept["who"], after=kept["after"], by=kept["by"])

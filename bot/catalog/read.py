"""Reads ``catalog/*.yaml`` into one `Catalog`; every error has its file and line."""

from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from bot.catalog.checks import Check
from bot.catalog.escalation import kind_of
from bot.catalog.files import Origin, entries, sections
from bot.catalog.model import Catalog
from bot.catalog.rota import overlapping, written
from bot.errors import Unavailable
from bot.located import near

_Origins = dict[str, list[Origin]]
_Where = list[int | str]


def catalog_files(folder: Path) -> list[Path]:
    """The files a catalog is made of, in the order in which they are read."""
    return sorted([*folder.glob("*.yaml"), *folder.glob("*.yml")])


def load_catalog(folder: Path, instead: Path | None = None) -> Catalog:
    """The merged catalog of a folder; an absent folder is an empty catalog.

    The sections of the file ``instead`` take the place of the folder's. Raises `BadFile` with
    ``file:line: field: problem``, and nothing else.
    """
    merged: dict[str, list[Any]] = {}
    origins: _Origins = {}
    other = entries(instead) if instead else []
    replaced = sections(instead) if instead else set()
    own = [each for path in catalog_files(folder) for each in entries(path)]
    for section, entry, origin in [*(each for each in own if each[0] not in replaced), *other]:
        merged.setdefault(section, []).append(entry)
        origins.setdefault(section, []).append(origin)
    try:
        catalog = Catalog.model_validate(merged)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        name, index, *where = first["loc"]
        section = str(name)
        origin = origins[section][int(index)]
        raise origin.problem(where, _words(first, [section, *where])) from None
    _unique(catalog, origins)
    _no_dangling(catalog, origins)
    _checks_fit(catalog, origins)
    _no_circle(catalog, origins)
    _overrides_in_range(catalog, origins)
    _overrides_apart(catalog, origins)
    _heard(catalog, origins)
    return catalog


def _words(error: Any, where: _Where) -> str:  # noqa: ANN401 - pydantic's own mapping
    """pydantic's finding, in words for who edits the file."""
    match error["type"]:
        case "missing":
            return "is missing"
        case "extra_forbidden":
            return f"unknown field{near(str(where[-1]), _fields(where[:-1]))}"
        case "model_type":
            return "must be a mapping"
        case "string_pattern_mismatch":
            return f"must match {error['ctx']['pattern']}"
    message: str = error["msg"]
    return message.removeprefix("Value error, ")


def _fields(where: _Where) -> list[str]:
    """The fields that may stand at a place of the catalog."""
    model: type[BaseModel] = Catalog
    for part in where:
        inside = get_args(model.model_fields[part].annotation) if isinstance(part, str) else ()
        model = inside[0] if inside else model
    return [field.alias or name for name, field in model.model_fields.items()]


def _unique(catalog: Catalog, origins: _Origins) -> None:
    seen: set[tuple[str, str]] = set()
    for kind, name, section, index, where in _names(catalog):
        if (kind, name) in seen and section in origins:
            raise origins[section][index].problem(where, f"{kind} {name!r} is defined twice")
        seen.add((kind, name))


_NAMED = (  # kind, section, the field that holds the name
    ("service", "services", "id"), ("person", "people", "id"), ("target", "targets", "name"),
    ("path", "paths", "name"), ("credential", "credentials", "name"), ("node", "nodes", "id"),
    ("source", "sources", "name"), ("heartbeat", "heartbeats", "id"), ("notifier", "notifiers", "id"), ("contact", "contacts", "name"),
    ("drill", "drills", "name"), ("schedule", "schedules", "id"),
    ("escalation", "escalations", "id"), ("status page", "status_pages", "id"),
    ("place for papers", "paper_places", "id"),
    ("severity", "severities", "id"), ("audience", "audiences", "id"),
    ("regulation", "regulations", "id"), ("redaction", "redactions", "id"),
    ("tracker", "trackers", "id"), ("digest", "digests", "id"),
)  # fmt: skip


def _names(catalog: Catalog) -> Iterator[tuple[str, str, str, int, _Where]]:
    """Every name that is defined: its kind, itself, and where it stands."""
    for kind, section, field in _NAMED:
        for index, entry in enumerate(getattr(catalog, section)):
            yield kind, getattr(entry, field), section, index, [field]
    for index, service in enumerate(catalog.services):
        for number, check in enumerate(service.checks):
            yield "check", check.id, "services", index, ["checks", number, "id"]
    for index, person in enumerate(catalog.people):
        for number, user in enumerate(person.slack):
            yield "Slack user", user, "people", index, ["slack", number]


def _no_dangling(catalog: Catalog, origins: _Origins) -> None:
    known = {
        "service": [s.id for s in catalog.services],
        "target": [t.name for t in catalog.targets],
        "path": [p.name for p in catalog.paths],
        "credential": [c.name for c in catalog.credentials],
        "person": [p.id for p in catalog.people],
        "notifier": [n.id for n in catalog.notifiers],
        "status page": [p.id for p in catalog.status_pages],
        "schedule": [s.id for s in catalog.schedules],
        "group": sorted({f"@{group}" for p in catalog.people for group in p.groups}),
    }
    sets = {kind: set(names) for kind, names in known.items()}
    for kind, name, section, index, where in _uses(catalog):
        if name not in sets[kind]:
            text = f"there is no {name!r}{near(name, known[kind])}"
            raise origins[section][index].problem(where, text)


def _uses(catalog: Catalog) -> Iterator[tuple[str, str, str, int, _Where]]:
    """Every reference from one entry to another: what it leads to, and where it stands."""
    for index, service in enumerate(catalog.services):
        for number, needed in enumerate(service.depends_on):
            if ":" not in needed:
                yield "service", needed, "services", index, ["depends_on", number]
        for number, evidence in enumerate(service.evidence):
            yield "target", evidence.target, "services", index, ["evidence", number, "target"]
        for number, check in enumerate(service.checks):
            yield from _named_by_check(check, index, ["checks", number])
    for section in ("targets", "sources"):
        for index, entry in enumerate(getattr(catalog, section)):
            for number, via in enumerate(entry.via):
                yield "path", via, section, index, ["via", number]
    for index, notifier in enumerate(catalog.notifiers):
        yield "target", notifier.target, "notifiers", index, ["target"]
    yield from _named_by_pages(catalog)
    yield from _services_named(catalog)
    yield from _people_named(catalog)
    yield from _named_for_pages(catalog)
    yield from _named_by_paths(catalog)


def _named_by_check(
    check: Check, index: int, where: _Where
) -> Iterator[tuple[str, str, str, int, _Where]]:
    if check.target:
        yield "target", check.target, "services", index, [*where, "target"]
    for number, via in enumerate(check.via):
        yield "path", via, "services", index, [*where, "via", number]


def _named_by_pages(catalog: Catalog) -> Iterator[tuple[str, str, str, int, _Where]]:
    for index, page in enumerate(catalog.status_pages):
        yield "target", page.target, "status_pages", index, ["target"]
        for service in page.components:
            yield "service", service, "status_pages", index, ["components", service]
    for index, audience in enumerate(catalog.audiences):
        for number, shown in enumerate(audience.status_pages):
            yield "status page", shown, "audiences", index, ["status_pages", number]
    for index, tracker in enumerate(catalog.trackers):
        yield "target", tracker.target, "trackers", index, ["target"]
        for number, service in enumerate(tracker.services):
            yield "service", service, "trackers", index, ["services", number]
    for index, place in enumerate(catalog.paper_places):
        yield "target", place.target, "paper_places", index, ["target"]


def _services_named(catalog: Catalog) -> Iterator[tuple[str, str, str, int, _Where]]:
    for section in ("rules", "heartbeats"):
        for index, entry in enumerate(getattr(catalog, section)):
            if entry.service is not None:
                yield "service", entry.service, section, index, ["service"]
    for index, freeze in enumerate(catalog.freezes):
        for number, name in enumerate(freeze.services):
            yield "service", name, "freezes", index, ["services", number]
    for index, law in enumerate(catalog.regulations):
        for number, name in enumerate(law.aware.services if law.aware else []):
            yield "service", name, "regulations", index, ["aware", "services", number]


def _people_named(catalog: Catalog) -> Iterator[tuple[str, str, str, int, _Where]]:
    for section in ("rules", "severities"):
        for index, rule in enumerate(getattr(catalog, section)):
            for number, who in enumerate(rule.people):
                kind = "group" if who.startswith("@") else "person"
                yield kind, who, section, index, ["people", number]
    for index, audience in enumerate(catalog.audiences):
        for number, notifier in enumerate(audience.notifiers):
            yield "notifier", notifier, "audiences", index, ["notifiers", number]
    for index, schedule in enumerate(catalog.schedules):
        for place, layer in enumerate(schedule.layers):
            for number, who in enumerate(layer.people):
                yield "person", who, "schedules", index, ["layers", place, "people", number]
        for number, override in enumerate(schedule.overrides):
            yield "person", override.person, "schedules", index, ["overrides", number, "person"]


def _named_for_pages(catalog: Catalog) -> Iterator[tuple[str, str, str, int, _Where]]:
    """What escalation policies lead to, and by what people are reached."""
    for index, person in enumerate(catalog.people):
        for number, reach in enumerate(person.reach):
            yield "notifier", reach.notifier, "people", index, ["reach", number, "notifier"]
    for index, policy in enumerate(catalog.escalations):
        for number, service in enumerate(policy.services):
            yield "service", service, "escalations", index, ["services", number]
        for place, level in enumerate(policy.levels):
            for number, who in enumerate(level.who):
                yield *kind_of(who), "escalations", index, ["levels", place, "who", number]
            for number, notifier in enumerate(level.by):
                yield "notifier", notifier, "escalations", index, ["levels", place, "by", number]


def _named_by_paths(catalog: Catalog) -> Iterator[tuple[str, str, str, int, _Where]]:
    """What paths and the graph's nodes lead to."""
    for index, path in enumerate(catalog.paths):
        if path.credential is not None:
            yield "credential", path.credential, "paths", index, ["credential"]
    for section, index, field, number, node in _nodes(catalog):
        kind, _, name = node.partition(":")
        if kind in ("service", "target", "path", "credential"):
            yield kind, name, section, index, [field, number]


def _nodes(catalog: Catalog) -> Iterator[tuple[str, int, str, int, str]]:
    """Every node of the graph that an entry names, and where."""
    for section in ("services", "targets", "paths", "credentials", "nodes"):
        for index, entry in enumerate(getattr(catalog, section)):
            for field in ("depends_on", "of"):
                for number, node in enumerate(getattr(entry, field, [])):
                    yield section, index, field, number, node


def _checks_fit(catalog: Catalog, origins: _Origins) -> None:
    """A check speaks its target's protocol; what a step names an earlier one saved, or the target has."""
    for index, service in enumerate(catalog.services):
        for number, check in enumerate(service.checks):
            target = catalog.target(check.target)
            if target and check.kind == "http" and not target.url.startswith("http"):
                text = f"a check of kind http cannot speak with {target.url}"
                raise origins["services"][index].problem(["checks", number, "target"], text)
            known = set(target.settings) if target else set()
            for place, step in enumerate(check.steps):
                for name in sorted(step.uses - known):
                    text = f"no step before it saves {name!r}{near(name, known)}"
                    where: _Where = ["checks", number, "steps", place]
                    raise origins["services"][index].problem(where, text)
                known |= set(step.save)


def _no_circle(catalog: Catalog, origins: _Origins) -> None:
    """A service that needs itself, straight or by others, says nothing about what fails first."""
    graph = {s.id: [n for n in s.depends_on if ":" not in n] for s in catalog.services}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        circle: list[str] = error.args[1][::-1]
        index = list(graph).index(circle[0])
        text = f"runs in a circle: {' → '.join(circle)}"
        raise origins["services"][index].problem(["depends_on"], text) from None


def _overrides_in_range(catalog: Catalog, origins: _Origins) -> None:
    """The last evening of the calendar is in another year, which there is not, where UTC is ahead."""
    for index, schedule in enumerate(catalog.schedules):
        for number, override in enumerate(schedule.overrides):
            for field in ("since", "until"):
                try:
                    schedule.moment(getattr(override, field))
                except OverflowError:
                    text = "is no time that there is in UTC: take one that is nearer"
                    where: _Where = ["overrides", number, field]
                    raise origins["schedules"][index].problem(where, text) from None
                except Unavailable:  # as below
                    return


def _overrides_apart(catalog: Catalog, origins: _Origins) -> None:
    """Two that hold at once: nobody could say which of them was meant."""
    for index, schedule in enumerate(catalog.schedules):
        try:
            clash = overlapping(written(schedule))
        except Unavailable:  # without time zones, as where a go-bag is opened: nobody pages there
            return
        if clash is not None:
            text = (
                f"holds at the same time as the override of {schedule.overrides[clash[1]].person}"
            )
            raise origins["schedules"][index].problem(["overrides", clash[0]], text)


def _heard(catalog: Catalog, origins: _Origins) -> None:
    """People would be reminded for ever of an update that they can give nowhere."""
    placed = {"internal", *(place.id for place in catalog.audiences)}
    for index, rule in enumerate(catalog.severities):
        for field in ("updates", "tell"):
            for audience in getattr(rule, field):
                if audience not in placed:
                    text = f"`audiences` does not say where {audience} read updates"
                    raise origins["severities"][index].problem([field, audience], text)

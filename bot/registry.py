"""Loads integrations from their manifests: the only place that imports their code.

A broken integration is reported and left out; the core never goes down with it.
"""

import importlib
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, cast

import yaml

from bot.catalog import Catalog, Evidence, Service, Source, Tracker, catalog_files, entries
from bot.contract import (
    Action,
    AlertSource,
    ConfiguredSource,
    EvidenceSource,
    Manifest,
    Notifier,
    Pager,
    PaperPlace,
    Setting,
    StatusPage,
    Tickets,
)
from bot.errors import BadInput, NotFound
from bot.located import near
from bot.log import get

log = get("registry")
# libyaml's, where PyYAML was built with it: a tenth of the time, and each start reads all manifests.
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
FOLDER = Path(__file__).resolve().parent.parent / "integrations"


@dataclass(frozen=True)
class Registry:
    """What the installed integrations can do, by name."""

    manifests: dict[str, Manifest] = field(default_factory=dict)
    sources: dict[str, AlertSource] = field(default_factory=dict)
    actions: dict[str, Action] = field(default_factory=dict)
    evidence: dict[str, EvidenceSource] = field(default_factory=dict)
    notifiers: dict[str, Notifier] = field(default_factory=dict)
    status_pages: dict[str, StatusPage] = field(default_factory=dict)
    tickets: dict[str, Tickets] = field(default_factory=dict)
    papers: dict[str, PaperPlace] = field(default_factory=dict)
    broken: dict[str, str] = field(default_factory=dict)

    def action(self, name: str) -> Action:
        """Raises `NotFound` with the names there are."""
        if name not in self.actions:
            known = ", ".join(sorted(self.actions)) or "none"
            raise NotFound(f"There is no action {name!r}.", hint=f"Known actions: {known}.")
        return self.actions[name]

    def source(self, name: str, catalog: Catalog) -> tuple[AlertSource, Source]:
        """Who reads what is sent to ``/webhooks/NAME``: an entry of the catalog, or an integration.

        Raises `NotFound` with the names there are.
        """
        entry = catalog.source(name)
        if entry is None and name in self.sources:
            entry = _plain(name)
        if entry is None or entry.integration not in self.sources:
            known = ", ".join(sorted({*self.sources, *(s.name for s in catalog.sources)})) or "none"
            raise NotFound(f"There is no alert source {name!r}.", hint=f"Known: {known}.")
        return self.sources[entry.integration], entry


@cache
def _plain(name: str) -> Source:
    """A sender that the catalog does not name; made once, as it is asked for with each request."""
    return Source(name=name, integration=name)


def load(folder: Path = FOLDER) -> Registry:
    """Reads every ``integrations/*/manifest.yaml`` and imports what it declares."""
    registry = Registry()
    for path in sorted(folder.glob("*/manifest.yaml")):
        name = path.parent.name
        try:
            _load_one(registry, path)
        except Exception as error:  # noqa: BLE001 - whatever a stranger's module raises on import
            reason = " ".join(f"{type(error).__name__}: {error}".split())
            registry.broken[name] = reason
            log.error("integration_left_out", integration=name, error=reason)
    return registry


def _load_one(registry: Registry, path: Path) -> None:
    """All of a folder or nothing of it: what cannot be used whole is left out whole."""
    manifest = _manifest(path.read_text("utf-8"))
    if manifest.id in registry.manifests:
        raise ValueError(f"another integration has the id {manifest.id!r}")
    package = f"integrations.{path.parent.name}"
    abilities: tuple[tuple[str, type, str, dict[str, Any]], ...] = (
        (manifest.alert_source, AlertSource, "alert source", registry.sources),
        (manifest.evidence, EvidenceSource, "evidence source", registry.evidence),
        (manifest.notifier, Notifier, "notifier", registry.notifiers),
        (manifest.status_page, StatusPage, "status page", registry.status_pages),
        (manifest.tickets, Tickets, "keeper of tickets", registry.tickets),
        (manifest.papers, PaperPlace, "place for papers", registry.papers),
    )
    found = [_ability(package, ref, kind, word) for ref, kind, word, _ in abilities]
    actions = {name: _instance(package, ref) for name, ref in manifest.actions.items()}
    for name, action in actions.items():
        if getattr(action, "name", None) != name:
            raise TypeError(f"{manifest.actions[name]} is not the action {name!r}")
        if name in registry.actions:
            raise ValueError(f"another integration has the action {name!r}")
    registry.manifests[manifest.id] = manifest
    for ability, (_, _, _, known) in zip(found, abilities, strict=True):
        if ability is not None:
            known[manifest.id] = ability
    registry.actions.update(cast("dict[str, Action]", actions))


@lru_cache(maxsize=128)  # nobody changes one
def _manifest(text: str) -> Manifest:
    return Manifest.model_validate(yaml.load(text, Loader=_Loader))  # noqa: S506 - a safe one


def _ability(package: str, reference: str, kind: type, word: str) -> Any:  # noqa: ANN401 - of the kind, or None
    """What a manifest declares, once it is of that kind; None where it declares none."""
    made = _instance(package, reference) if reference else None
    if made is not None and not isinstance(made, kind):
        raise TypeError(f"{reference} is no {word}")
    return made


def _instance(package: str, reference: str) -> Any:  # noqa: ANN401 - cast by the caller
    module, _, name = reference.partition(":")
    return getattr(importlib.import_module(f"{package}.{module}"), name)()


def check_sources(folder: Path, catalog: Catalog, registry: Registry) -> None:
    """Raises `BadFile` where a source of the catalog's folder is of no integration, or set wrongly."""
    if not catalog.sources:
        return
    for path in catalog_files(folder):
        for section, entry, origin in entries(path):
            if section != "sources":
                continue
            try:
                _check_source(Source.model_validate(entry), registry)
            except BadInput as error:
                raise origin.problem(list(error.field.split(".")), error.message) from None


def _check_source(entry: Source, registry: Registry) -> None:
    if entry.name in ("api", "heartbeat"):
        raise BadInput(f"the secrets of {entry.name!r} open another door", field="name")
    if entry.name in ("access", "check"):  # it ends what it did not say itself
        raise BadInput(f"the alerts of {entry.name!r} are Jackline's own", field="name")
    reader = registry.sources.get(entry.integration)
    if reader is None:
        guess = near(entry.integration, registry.sources)
        raise BadInput(
            f"no integration {entry.integration!r} takes alerts{guess}", field="integration"
        )
    known = {s.name: s for s in registry.manifests[entry.integration].settings}
    for name in entry.settings:
        if name not in known:
            text = f"{entry.integration} has no setting {name!r}{near(name, known)}"
            raise BadInput(text, field=f"settings.{name}")
    for name, setting in known.items():
        if setting.required and name not in entry.settings:
            raise BadInput(f"{name} is missing: {setting.description}", field="settings")
    if isinstance(reader, ConfiguredSource):
        try:
            reader.check(entry.settings)
        except BadInput as error:
            raise BadInput(error.message, field=f"settings.{error.field}") from None


def check_evidence(folder: Path, catalog: Catalog, registry: Registry) -> None:
    """Raises `BadFile` where a service's evidence is of no integration, or says what it does not know."""
    if not any(service.evidence for service in catalog.services):
        return
    for path in catalog_files(folder):
        for section, entry, origin in entries(path):
            if section != "services":
                continue
            for number, evidence in enumerate(Service.model_validate(entry).evidence):
                try:
                    _check_evidence(evidence, registry)
                except BadInput as error:
                    where: list[int | str] = ["evidence", number, *error.field.split(".")]
                    raise origin.problem(where, error.message) from None


def _check_evidence(entry: Evidence, registry: Registry) -> None:
    if entry.integration not in registry.evidence:
        guess = near(entry.integration, registry.evidence)
        text = f"no integration {entry.integration!r} has evidence{guess}"
        raise BadInput(text, field="integration")
    _check_about(
        entry.about, registry.manifests[entry.integration].evidence_about, entry.integration
    )


def _check_about(about: dict[str, str], known: list[Setting], integration: str) -> None:
    """Raises `BadInput` for what an integration does not know, and for what it needs."""
    names = {setting.name: setting for setting in known}
    for name in about if names else ():
        if name not in names:
            text = f"{integration} knows no {name!r}{near(name, names)}"
            raise BadInput(text, field=f"about.{name}")
    for name, setting in names.items():
        if setting.required and name not in about:
            raise BadInput(f"about: {name} is missing: {setting.description}", field="integration")


def check_trackers(folder: Path, catalog: Catalog, registry: Registry) -> None:
    """Raises `BadFile` where a tracker is of no integration that has one, or says what it does not know."""
    for path in catalog_files(folder) if catalog.trackers else ():
        for section, entry, origin in entries(path):
            if section != "trackers":
                continue
            given = Tracker.model_validate(entry)
            if given.integration not in registry.tickets:
                guess = near(given.integration, registry.tickets)
                text = f"no integration {given.integration!r} keeps tickets{guess}"
                raise origin.problem(["integration"], text)
            try:
                known = registry.manifests[given.integration].tickets_about
                _check_about(given.about, known, given.integration)
            except BadInput as error:
                raise origin.problem([*error.field.split(".")], error.message) from None


def check_status_pages(folder: Path, catalog: Catalog, registry: Registry) -> None:
    """Raises `BadFile` where a status page is of no integration that has one."""
    for path in catalog_files(folder) if catalog.status_pages else ():
        for section, entry, origin in entries(path):
            if section == "status_pages" and entry["integration"] not in registry.status_pages:
                guess = near(str(entry["integration"]), registry.status_pages)
                text = f"no integration {entry['integration']!r} has a status page{guess}"
                raise origin.problem(["integration"], text)


def check_paper_places(folder: Path, catalog: Catalog, registry: Registry) -> None:
    """Raises `BadFile` where a place for papers is of no integration that has one."""
    for path in catalog_files(folder) if catalog.paper_places else ():
        for section, entry, origin in entries(path):
            if section == "paper_places" and entry["integration"] not in registry.papers:
                guess = near(str(entry["integration"]), registry.papers)
                text = f"no integration {entry['integration']!r} keeps papers{guess}"
                raise origin.problem(["integration"], text)


def check_pagers(folder: Path, catalog: Catalog, registry: Registry) -> None:
    """Raises `BadFile` where a pager would open a page for every notice, and never end it."""
    for path in catalog_files(folder) if catalog.notifiers else ():
        for section, entry, origin in entries(path):
            reader = registry.notifiers.get(str(entry["integration"])) if section == "notifiers" else None  # fmt: skip
            if isinstance(reader, Pager) and entry.get("when") != "pages":
                text = f"{entry['integration']} only pages: say `when: pages`, and name it in an escalation"  # fmt: skip
                raise origin.problem(["when"], text)
